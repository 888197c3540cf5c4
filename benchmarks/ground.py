"""A picture as a scene of its size, edited without a page or a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from canvas.geometry import CELL, Rect
from canvas.masks import placed
from canvas.paint.painter import Painter
from canvas.scene_file.snapshot import Patch


@dataclass(frozen=True)
class Ground:
    """What a painter reads: pixels uint8 (h, w, 3) with their corner at the origin; `resolution` in m/px."""

    pixels: np.ndarray
    resolution: float

    def read(self, rect: Rect, layer: str = "rgb", model: str | None = None) -> Patch:
        """See `canvas.Scene.read`; like an imported picture it has no latents."""
        whole = Rect(0, 0, self.pixels.shape[1], self.pixels.shape[0])
        pixels, valid = np.zeros((rect.h, rect.w, 3), np.uint8), np.zeros((rect.h, rect.w), bool)
        part = whole.intersect(rect)
        pixels[part.slices(rect)], valid[part.slices(rect)] = self.pixels[part.slices(whole)], True
        cells = (rect.h // CELL, rect.w // CELL)
        return Patch(rect, pixels, valid, np.zeros((4, *cells), np.float32), np.zeros(cells, bool))

    def requests(self, rect: Rect) -> list[tuple[Rect, dict[str, Any]]]:
        """Nothing was asked for: all of it is as foreign to a prompt as an imported picture."""
        return []


def edited(painter: Painter, ground: Ground, mask: np.ndarray, prompt: str = "", **settings: Any) -> np.ndarray:
    """uint8 (h, w, 3): the picture after an edit.

    Args:
        mask: uint8 (h, w) as in `canvas.masks.read_mask`. settings: see `canvas.paint.painter.Painter.edit`.
    """
    request = painter.edit(ground, *placed(mask, 0, 0), prompt, **settings)
    change = painter.paint(ground, request)
    whole = Rect(0, 0, ground.pixels.shape[1], ground.pixels.shape[0])
    part = change.rect.intersect(whole)
    here, there = part.slices(whole), part.slices(change.rect)
    pixels = ground.pixels.copy()
    pixels[here] = np.where(change.valid[there][..., None], change.pixels[there], pixels[here])
    return pixels
