"""A change of the scene as it is handed over: checked, and merged into the tiles it touches."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import numpy as np

from canvas.errors import SceneError
from canvas.geometry import CELL, Rect, tile_rect
from canvas.layers import LAYERS
from canvas.request import Request
from canvas.scene_file import codec, tiles
from canvas.scene_file.history import TileChange


@dataclass(frozen=True, slots=True)
class Change:
    """What a request would do to the scene. `rect` lies on the 8 px grid.

    Only pixels where `valid` and cells where `latent_valid` are set are written; everything else stays as it is.
    The latents belong to the model `request.model`. `place` is the fingerprint of what was there when it was made.
    """

    request: Request
    layer: str
    rect: Rect
    pixels: np.ndarray  # uint8 (h, w, bands of the layer)
    valid: np.ndarray  # bool (h, w)
    latents: np.ndarray  # float32 (4, h/8, w/8)
    latent_valid: np.ndarray  # bool (h/8, w/8)
    place: bytes = b""

    def check(self) -> None:
        """A change with arrays of the wrong shape is a mistake of the program, an empty one of the person."""
        rect = self.rect
        shapes = {
            "pixels": (self.pixels.shape, (rect.h, rect.w, LAYERS[self.layer])),
            "valid": (self.valid.shape, (rect.h, rect.w)),
            "latents": (self.latents.shape, (codec.LATENT_CHANNELS, rect.h // CELL, rect.w // CELL)),
            "latent_valid": (self.latent_valid.shape, (rect.h // CELL, rect.w // CELL)),
        }
        for name, (given, wanted) in shapes.items():
            if given != wanted:
                raise ValueError(f"{name} has shape {given}, but {wanted} covers {rect}")
        if not rect.on_cells:
            raise ValueError(f"{rect} does not lie on the {CELL} px grid")
        if self.pixels.dtype != np.uint8 or self.valid.dtype != bool or self.latent_valid.dtype != bool:
            raise ValueError("pixels are uint8 and masks are bool")
        if not self.valid.any():
            raise SceneError("This change would change nothing: place the frame over empty ground.")


def merge(connection: sqlite3.Connection, change: Change, revision: int) -> list[TileChange]:
    """Store the tiles that a change touches under a new revision; they are shown once history records them."""
    rect, layer = change.rect, change.layer
    changed: list[TileChange] = []
    for x, y in rect.tiles():
        whole = tile_rect(x, y)
        part = whole.intersect(rect)
        here, there = part.slices(whole), part.slices(rect)
        cells_here = part.cells().slices(whole.cells())
        cells_there = part.cells().slices(rect.cells())
        if not change.valid[there].any() and not change.latent_valid[cells_there].any():
            continue
        before = tiles.head(connection, layer, x, y)
        tile = tiles.Tile.blank(layer) if before is None else tiles.load(connection, layer, x, y, before)
        tile.write_pixels(here, change.pixels[there], change.valid[there])
        tile.write_latents(
            cells_here, change.latents[:, cells_there[0], cells_there[1]], change.latent_valid[cells_there],
            change.request.model,
        )  # fmt: skip
        tiles.store(connection, layer, x, y, revision, tile)
        changed.append((layer, x, y, before, revision))
    return changed
