"""A small process that accepts changes until it is killed, and says each one aloud once it is accepted.

    python writer.py SCENE FIRST_SEED

Change number n fills a rectangle that follows from n with pixels that follow from n, so that whoever kills the
process can tell what must be there.
"""

from __future__ import annotations

import sys

import numpy as np

from canvas import CELL, Change, Rect, Request, Scene
from canvas.layers import LAYERS


def numbered_change(n: int) -> Change:
    """Change number n: 64 x 64 px on a diagonal of either sign, over the border of up to four tiles, of any layer."""
    layer = tuple(LAYERS)[n % len(LAYERS)]
    rect = Rect((n % 23 - 11) * 40, (n % 17 - 8) * 48, 64, 64)
    rng = np.random.default_rng(n)
    return Change(
        Request("generate", rect, 1.0, layer, seed=n, model="writer"),
        layer,
        rect,
        rng.integers(0, 256, (rect.h, rect.w, LAYERS[layer]), dtype=np.uint8),
        np.ones((rect.h, rect.w), bool),
        rng.normal(size=(4, rect.h // CELL, rect.w // CELL)).astype(np.float32),
        np.ones((rect.h // CELL, rect.w // CELL), bool),
    )


def main() -> None:
    path, first = sys.argv[1], int(sys.argv[2])
    with Scene.open(path) as scene:
        print("ready", flush=True)
        n = first
        while True:
            scene.accept(numbered_change(n))
            print(n, flush=True)
            n += 1


if __name__ == "__main__":
    main()
