"""A small process that fills a region until it is done or killed.

    python filler.py SCENE MODEL SAMPLER [TASK]

For each line on its input it forks a child, says the child's id, and then everything the child says; "ended" when the
child is gone. The fill is always the same one, so that it can be compared with what another made of it. With a
task it translates what the scene holds.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from canvas import Scene
from canvas.fill.region_fill import RegionFill, fill_request
from canvas.fill.request import FillRequest
from text2earth_core import Text2Earth

BOX = [-40, 8, 300, 210]
PROMPTS: list[dict[str, Any]] = [
    {"text": "forest", "region": [-40, 8, 120, 210], "feather": 48},
    {"text": "desert", "region": [[120, 8], [300, 8], [300, 210], [90, 210]], "feather": 16},
]


def standard_request(model: Text2Earth, scene: Scene, sampler: str, task: str = "") -> FillRequest:
    """The fill of the tests: two prompts over 340 x 202 px, in three steps or as the fast sampler does."""
    settings: dict[str, Any] = {"seed": 7, "sampler": sampler} | ({"steps": 3} if sampler == "quality" else {})
    return fill_request(model, scene, BOX, PROMPTS, task=task, **settings)


def child(model: Text2Earth, path: str, sampler: str, task: str = "") -> None:
    with Scene.open(path) as scene:
        fill = RegionFill(scene, model, standard_request(model, scene, sampler, task))
        print("resumed" if fill.resumed else "new", flush=True)
        fill.run(lambda progress: print(progress.step, flush=True))
    print("done", flush=True)


def main() -> None:
    path, folder, sampler, *task = sys.argv[1:]
    model = Text2Earth.from_pretrained(folder, "cpu", "float32")
    for _ in sys.stdin:
        process = os.fork()  # importing torch for every kill would take most of the time
        if process == 0:
            child(model, path, sampler, *task)
            os._exit(0)
        print(process, flush=True)
        os.waitpid(process, 0)
        print("ended", flush=True)


if __name__ == "__main__":
    main()
