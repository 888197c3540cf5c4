"""What a fill takes, told before anything of it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from canvas.fill import grid as fill_grid
from canvas.geometry import CELL, Rect

KEPT = 2.6
"""Bytes on disk per pixel of finished tiles, their latents and zoomed-out copies, measured with the shipped model."""

GROUND = 4
"""Bytes per cell while it runs for what the ground was like; float32 numbers of two steps come on top."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a fill takes at most: less where a part of its frame exists already or lies outside of its region.

    windows: UNet evaluations of a window over all steps. left: those of them that are still to be done. cover: how
    often the windows cover the frame. kept, working: bytes on disk for good and, besides, while it runs.
    """

    windows: int
    left: int
    cover: float
    kept: int
    working: int

    @classmethod
    def of(
        cls, bounds: Rect, frame: Rect, phases: Sequence[fill_grid.Phase], side: int, channels: int, done: int = 0
    ) -> Cost:
        """Of a fill of `bounds` (cells) around its `frame` (px), windows of `side` cells, `channels` kept of each.

        `done` is how many of its `phases` are over.
        """
        windows, left = (sum(phase.count for phase in part) for part in (phases, phases[done:]))
        cover = windows / (len(phases) * fill_grid.cover(bounds, side))
        working = bounds.w * bounds.h * (2 * 4 * channels + GROUND)
        return cls(windows, left, cover, round(frame.w * frame.h * KEPT), working)

    def seconds(self, pace: float) -> float:
        """How long what is left may take, at `pace` seconds for a window and step."""
        return pace * self.left


def windows_alone(frame: Rect, window: int, steps: int) -> int:
    """Windows (px along a side) over all steps of a fill of `frame` (px), as if nothing lay around it."""
    side, cells = window // CELL, frame.cells()
    bounds = Rect(cells.x, cells.y, max(side, cells.w), max(side, cells.h))
    return sum(phase.count for phase in fill_grid.phases(bounds, side, steps))
