"""The colours in which ChatEarthNet shows a model the classes of a map."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

COLOURS = (
    ((0, 0, 0), "black"), ((0, 0, 255), "blue"), ((255, 0, 0), "red"), ((0, 192, 0), "dark green"),
    ((200, 170, 120), "brown"), ((0, 255, 0), "green"), ((255, 255, 0), "yellow"), ((128, 128, 128), "grey"),
    ((255, 255, 255), "white"), ((0, 255, 255), "cyan"), ((255, 0, 255), "pink"), ((128, 0, 128), "purple"),
)  # fmt: skip
"""RGB and name, by the number of the class; black is "no data"."""

STRIDE = 2
"""Every second pixel is sent, as the authors' program does: 128 px for a tile of 256."""


def coloured(classes: np.ndarray, stride: int = STRIDE) -> bytes:
    """A PNG of every `stride`-th pixel of a map, at least one.

    Args:
        classes: uint8 (H, W), numbers of `CLASSES`.
    """
    table = np.array([colour for colour, _ in COLOURS], np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(table[classes[::stride, ::stride]]).save(buffer, "PNG")
    return buffer.getvalue()
