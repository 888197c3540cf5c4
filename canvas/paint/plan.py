"""Which windows cover a frame, and in which order: each sees as much of what is there already as it can."""

from __future__ import annotations

import functools

import numpy as np

from canvas.geometry import CELL, Rect


def windows(frame: Rect, todo: np.ndarray, known: np.ndarray, area: Rect, window: int) -> list[Rect]:
    """The windows (px, `window` wide and high) that make every cell of `todo`, in order.

    `todo` and `known` are masks of latent cells over `area` (px); `known` cells have content. Chosen one by one: first
    a window no new cell of which touches ground that the window does not see (there it would leave a seam), then the
    one with most context up to half of it, then the one that makes most, then the one nearest to the frame's middle.
    What a window makes is context to the next.
    """
    side = window // CELL
    candidates = [
        Rect(x, y, window, window) for y in _starts(frame.y, frame.h, window) for x in _starts(frame.x, frame.w, window)
    ]
    x = np.array([(c.x - area.x) // CELL for c in candidates])
    y = np.array([(c.y - area.y) // CELL for c in candidates])
    off = np.array([abs(c.x + c.x1 - frame.x - frame.x1) + abs(c.y + c.y1 - frame.y - frame.y1) for c in candidates])
    todo, known = todo.copy(), known.copy()
    chosen: list[Rect] = []
    while todo.any():
        makes = _sums(todo, x, y, side, side)
        context = np.minimum(_sums(known, x, y, side, side), side * side // 2)
        # lexsort: the last key counts most, and equal candidates keep their order, row by row
        order = np.lexsort((off, -makes, -context, _blind(todo, known, x, y, side)))
        best = int(order[makes[order] > 0][0])
        chosen.append(candidates[best])
        inside = np.zeros_like(todo)
        inside[y[best] : y[best] + side, x[best] : x[best] + side] = True
        known |= todo & inside
        todo &= ~inside
    return chosen


def window_count(frame: Rect, window: int) -> int:
    """How many windows an empty frame takes: an estimate of the work before anything is read."""
    return _count(*frame.snap()[2:], window)


@functools.lru_cache(256)
def _count(width: int, height: int, window: int) -> int:
    frame = Rect(0, 0, width, height)
    area = reach(frame, window)
    todo = np.zeros((area.h // CELL, area.w // CELL), bool)
    todo[frame.cells().slices(area.cells())] = True
    return len(windows(frame, todo, np.zeros_like(todo), area, window))


def reach(frame: Rect, window: int) -> Rect:
    """The area (px) that the windows of a frame may see."""
    xs, ys = _starts(frame.x, frame.w, window), _starts(frame.y, frame.h, window)
    return Rect.from_corners(xs[0], ys[0], xs[-1] + window, ys[-1] + window)


def _starts(start: int, length: int, window: int) -> list[int]:
    """Where windows may begin along one axis: from half before the frame to half beyond it, to see what lies there.

    Steps of a quarter: the last window into a gap must see the ground on both of its sides.
    """
    half, quarter = (window // part // CELL * CELL for part in (2, 4))
    end = start + length
    starts = {*range(start - half, end - half, quarter), end - half, end - window, start}
    if length < window:
        starts.add((start + (length - window) // 2) // CELL * CELL)
    return sorted(starts)


def _sums(mask: np.ndarray, x: np.ndarray, y: np.ndarray, w: int, h: int) -> np.ndarray:
    """How many elements are set in the w x h rectangle at each (x, y)."""
    total = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), np.int64)
    total[1:, 1:] = mask.cumsum(0).cumsum(1)
    return total[y + h, x + w] - total[y, x + w] - total[y + h, x] + total[y, x]


def _blind(todo: np.ndarray, known: np.ndarray, x: np.ndarray, y: np.ndarray, side: int) -> np.ndarray:
    """How many cells each window would make right beside known ground that it does not see."""
    beside = {name: np.zeros_like(todo) for name in ("left", "right", "up", "down")}
    beside["left"][:, 1:] = todo[:, 1:] & known[:, :-1]
    beside["right"][:, :-1] = todo[:, :-1] & known[:, 1:]
    beside["up"][1:] = todo[1:] & known[:-1]
    beside["down"][:-1] = todo[:-1] & known[1:]
    last = side - 1
    return (
        _sums(beside["left"], x, y, 1, side)
        + _sums(beside["right"], x + last, y, 1, side)
        + _sums(beside["up"], x, y, side, 1)
        + _sums(beside["down"], x, y + last, side, 1)
    )
