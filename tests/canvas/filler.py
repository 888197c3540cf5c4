"""A small process that fills a region until it is done or killed.

    python filler.py SCENE

For each line on its input it forks a child, says the child's id, and then everything the child says; "ended" when the
child is gone. The fill is always the same one, so that it can be compared with what another made of it.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from canvas import Scene
from canvas.fill_request import FillRequest
from canvas.region_fill import RegionFill, fill_request
from text2earth_core import Text2Earth

BOX = [-40, 8, 300, 210]
PROMPTS: list[dict[str, Any]] = [
    {"text": "forest", "region": [-40, 8, 120, 210], "feather": 48},
    {"text": "desert", "region": [[120, 8], [300, 8], [300, 210], [90, 210]], "feather": 16},
]


def standard_request(model: Text2Earth, scene: Scene, **options: Any) -> FillRequest:
    """The fill of the tests: two prompts over 340 x 202 px, three steps."""
    return fill_request(model, scene, BOX, PROMPTS, **({"seed": 7, "steps": 3} | options))


def child(model: Text2Earth) -> None:
    with Scene.open(sys.argv[1]) as scene:
        fill = RegionFill(scene, model, standard_request(model, scene))
        print("resumed" if fill.resumed else "new", flush=True)
        fill.run(lambda progress: print(progress.step, flush=True))
    print("done", flush=True)


def main() -> None:
    model = Text2Earth.from_preset("tiny", seed=0)
    for _ in sys.stdin:
        process = os.fork()  # importing torch for every kill would take most of the time
        if process == 0:
            child(model)
            os._exit(0)
        print(process, flush=True)
        os.waitpid(process, 0)
        print("ended", flush=True)


if __name__ == "__main__":
    main()
