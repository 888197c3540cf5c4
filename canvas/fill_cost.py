"""What a fill takes, told before anything of it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from canvas import fill_grid
from canvas.codec import LATENT_CHANNELS
from canvas.geometry import CELL, Rect

KEPT = 2.6
"""Bytes on disk per pixel of finished tiles, their latents and zoomed-out copies, measured with the shipped model."""

WORKING = (2 * 4 * LATENT_CHANNELS + 4) / CELL**2
"""Bytes per pixel while it runs: the float32 latents of two steps, and what the ground was like."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a fill takes at most: less where a part of its frame exists already or lies outside of its region.

    windows: UNet evaluations of a window over all steps. cover: how often that covers the frame. kept, working: bytes
    on disk for good and, besides, while it runs.
    """

    windows: int
    cover: float
    kept: int
    working: int

    @classmethod
    def of(cls, bounds: Rect, frame: Rect, phases: Sequence[fill_grid.Phase], side: int) -> Cost:
        """Of a fill of `bounds` (cells) around its `frame` (px) with windows of `side` cells."""
        windows = sum(phase.count for phase in phases)
        cover = windows / (len(phases) * fill_grid.cover(bounds, side))
        area = bounds.w * bounds.h * CELL**2
        return cls(windows, cover, round(frame.w * frame.h * KEPT), round(area * WORKING))
