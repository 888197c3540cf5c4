"""Where a scene grows when somebody says only "to the right"."""

from __future__ import annotations

import numpy as np

from canvas.errors import SceneError
from canvas.geometry import CELL, DIRECTIONS, TILE, Rect, side_window
from canvas.scene import Scene


def extension_frame(scene: Scene, direction: str, window: int, anchor: Rect | None = None, layer: str = "rgb") -> Rect:
    """The frame of one window (px) that grows a layer in a direction, half over known ground, half beyond it.

    With an `anchor` (px) it is the window in the middle of that rectangle's side. Without one, the side is that of the
    whole layer, and the window sits as near to its middle as there is ground along the edge to continue from. The
    first window of an empty layer lies in the middle of what other layers show, in an empty scene at the origin,
    whatever the direction.
    """
    if direction not in DIRECTIONS:
        raise SceneError(f"The direction {direction!r} does not exist: use one of {', '.join(DIRECTIONS)}.")
    if anchor is not None:
        return side_window(Rect(*anchor), direction, window)
    with scene.snapshot() as at:
        bounds = at.layer_bounds.get(layer)
        if bounds is None:
            return _first(at.bounds, window)
        horizontal = direction in ("left", "right")
        first, length = (bounds.y, bounds.h) if horizontal else (bounds.x, bounds.w)
        known = np.zeros(length, bool)
        for start in range(0, length, TILE):  # piece by piece: the edge of a scene may be long
            piece = _edge(bounds, direction, start, min(TILE, length - start))
            known[start : start + TILE] = at.pixels(piece, layer)[1].any(axis=1 if horizontal else 0)
    return side_window(bounds, direction, window, first + _best_centre(known, window))


def _first(elsewhere: Rect | None, window: int) -> Rect:
    """Where an empty layer begins, given the bounds of the others."""
    if elsewhere is None:
        return Rect(0, 0, window, window)
    x, y = elsewhere.x + (elsewhere.w - window) // 2, elsewhere.y + (elsewhere.h - window) // 2
    return Rect(x, y, window, window).snap()


def _edge(bounds: Rect, direction: str, start: int, length: int) -> Rect:
    """A piece of the strip, one cell thick, along the inside of an edge."""
    match direction:
        case "right":
            return Rect(bounds.x1 - CELL, bounds.y + start, CELL, length)
        case "left":
            return Rect(bounds.x, bounds.y + start, CELL, length)
        case "down":
            return Rect(bounds.x + start, bounds.y1 - CELL, length, CELL)
        case _:
            return Rect(bounds.x + start, bounds.y, length, CELL)


def _best_centre(known: np.ndarray, window: int) -> int:
    """The place along an edge whose window meets most known ground; among equals the one nearest to the middle."""
    middle = len(known) // 2
    if len(known) <= window:
        return middle
    total = np.concatenate([[0], np.cumsum(known)])
    starts = np.arange(0, len(known) - window + 1)
    met = total[starts + window] - total[starts]
    centres = starts + window // 2
    best = centres[met == met.max()]
    return int(best[np.argmin(np.abs(best - middle))])
