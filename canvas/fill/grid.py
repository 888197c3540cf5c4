"""The windows of a region fill: a grid that covers the area once, and moves from phase to phase.

One phase is one denoising step of the whole area. No line is a window's border in two phases that follow each other,
so what a border leaves behind in one step lies inside a window in the next (shifted windows: Frolov et al. 2024,
"SpotDiffusion"). Neighbours overlap a little, and are mixed there by weights that sum to 1, in the last phases, too
late for a next step to repair much, and in the first, where every window decides on colours from nothing but noise: of
few steps the next cannot bring two of them together any more. All units are latent cells.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from canvas.geometry import Rect

# Fractions of a window by which the grid moves, per phase: irrational, so that borders visit all lines evenly, and
# such that two phases in a row differ by 0.38 and 0.41 of a window.
SHIFT_X, SHIFT_Y = (math.sqrt(5) - 1) / 2, math.sqrt(2) - 1
OVERLAPPED = 0.15  # of the phases, at the end: one of a student's few
OVERLAP = 1 / 4  # of a window


@dataclass(frozen=True, slots=True)
class Span:
    """A window along one axis: it sees start..start + window, and counts there by `weights` (0 to 1)."""

    start: int
    weights: np.ndarray  # float32 (window,)

    @property
    def owned(self) -> tuple[int, int]:
        """First and one past the last coordinate with a weight."""
        inside = np.flatnonzero(self.weights)
        return self.start + int(inside[0]), self.start + int(inside[-1]) + 1


@dataclass(frozen=True, slots=True)
class Phase:
    """The windows of one step: every row of windows (`ys`) has the same columns (`xs`)."""

    xs: tuple[Span, ...]
    ys: tuple[Span, ...]

    @property
    def count(self) -> int:
        return len(self.xs) * len(self.ys)


def phases(bounds: Rect, window: int, steps: int) -> list[Phase]:
    """The grid of every step over `bounds` (cells), which is at least a window wide and high.

    At 4096 px and more the windows of all steps together cost at most 1.35 times a cover without overlap, for the few
    steps of a student 1.5 times.
    """
    hard = range(1, steps - max(1, round(OVERLAPPED * steps)))
    result = []
    for number in range(steps):
        overlap = 0 if number in hard else int(window * OVERLAP)
        result.append(
            Phase(
                _spans(bounds.x, bounds.w, window, overlap, SHIFT_X * number),
                _spans(bounds.y, bounds.h, window, overlap, SHIFT_Y * number),
            )
        )
    return result


def cover(bounds: Rect, window: int) -> int:
    """How many windows cover the area once, without overlap and wherever the grid may lie."""
    return math.ceil(bounds.w / window) * math.ceil(bounds.h / window)


def _spans(first: int, length: int, window: int, overlap: int, shift: float) -> tuple[Span, ...]:
    """The windows along one axis; `shift` is in windows, only its fraction counts.

    Where fewer windows suffice for a part of the shifts, and that part is wide enough to move in, only that is used.
    A window that would reach beyond the end is moved inward: it still counts only in its own part, and sees more.
    """
    if length <= window:
        return (Span(first, np.ones(window, np.float32)),)
    stride = window - overlap
    needed = math.ceil((length - overlap) / stride)
    slack = needed * stride + overlap - length
    room = slack + 1 if slack >= stride * 3 // 4 else stride
    before = int((shift % 1) * room)
    spans: list[Span] = []
    start = first - before
    while start + overlap < first + length or not spans:
        spans.append(_span(start, first, length, window, overlap))
        start += stride
    return tuple(spans)


def _span(start: int, first: int, length: int, window: int, overlap: int) -> Span:
    seen = min(max(start, first), first + length - window)
    at = np.arange(seen, seen + window)
    inside = (at >= start) & (at < start + window)
    weights = inside.astype(np.float32)
    if overlap:
        rise = (at - start + 0.5) / overlap if start > first else np.ones(window)
        fall = (start + window - at - 0.5) / overlap if start + window < first + length else np.ones(window)
        weights *= np.clip(np.minimum(rise, fall), 0, 1).astype(np.float32)
    return Span(seen, weights)
