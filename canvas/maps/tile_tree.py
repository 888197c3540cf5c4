"""Zoom levels above a layer of tiles, drawn depth first: at any moment a few tiles per level are in memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from canvas.geometry import TILE, Rect
from canvas.scene_file.pyramid import halve

Draw = Callable[[int, int], np.ndarray | None]  # tile (x, y) of the base: (256, 256, 4) uint8, None where empty
Emit = Callable[[int, int, int, np.ndarray], None]  # levels above the base, x, y, (256, 256, 4) uint8


def levels_above(span: Rect) -> int:
    """How many levels above a base of tiles `span` it takes until one tile covers everything, if x and y begin at 0."""
    return max(0, max(span.x1, span.y1) - 1).bit_length()


def build(span: Rect, levels: int, draw: Draw, emit: Emit) -> None:
    """Draw every tile of `span` (x, y >= 0, in tiles of the base) once, and `emit` it and `levels` levels above it.

    Tile (x, y) of a level shows the four tiles (2x..2x+1, 2y..2y+1) of the level below at half their size.
    """
    top = _above(span, levels)
    for y in range(top.y, top.y1):
        for x in range(top.x, top.x1):
            _visit(span, levels, x, y, draw, emit)


def _visit(span: Rect, level: int, x: int, y: int, draw: Draw, emit: Emit) -> np.ndarray | None:
    if level == 0:
        image = draw(x, y)
    else:
        here = _above(span, level - 1)
        square: np.ndarray | None = None
        for cy in (0, 1):
            for cx in (0, 1):
                if not here.contains(Rect(2 * x + cx, 2 * y + cy, 1, 1)):
                    continue
                part = _visit(span, level - 1, 2 * x + cx, 2 * y + cy, draw, emit)
                if part is None:
                    continue
                if square is None:
                    square = np.zeros((2 * TILE, 2 * TILE, 4), np.uint8)
                square[cy * TILE : (cy + 1) * TILE, cx * TILE : (cx + 1) * TILE] = part
        image = None if square is None else halve(square)
    if image is not None:
        emit(level, x, y, image)
    return image


def _above(span: Rect, level: int) -> Rect:
    """The tiles `level` levels up that cover `span`."""
    return Rect.from_corners(
        span.x >> level, span.y >> level, ((span.x1 - 1) >> level) + 1, ((span.y1 - 1) >> level) + 1
    )
