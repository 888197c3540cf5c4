"""One tile: what is known in it, how a change is merged into it, and its rows in the file."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import numpy as np

from canvas.errors import SceneError
from canvas.geometry import CELL, TILE, TILE_CELLS, Rect, bounding_rect
from canvas.layers import LAYERS
from canvas.scene_file import codec


@dataclass(slots=True)
class Tile:
    """256 x 256 px and their 32 x 32 latent cells.

    Unknown pixels are zero and `valid` is False there: what is known is said by the mask, never by a colour. All
    latents of a tile come from the model `latent_model` (a fingerprint), for those of another mean nothing beside them.
    """

    pixels: np.ndarray  # uint8 (256, 256, bands of the layer)
    valid: np.ndarray  # bool (256, 256)
    latents: np.ndarray  # float32 (4, 32, 32)
    latent_valid: np.ndarray  # bool (32, 32)
    latent_model: str = ""

    @classmethod
    def blank(cls, layer: str) -> Tile:
        return cls(
            np.zeros((TILE, TILE, LAYERS[layer]), np.uint8),
            np.zeros((TILE, TILE), bool),
            np.zeros((codec.LATENT_CHANNELS, TILE_CELLS, TILE_CELLS), np.float32),
            np.zeros((TILE_CELLS, TILE_CELLS), bool),
        )

    def write_pixels(self, at: tuple[slice, slice], pixels: np.ndarray, mask: np.ndarray) -> None:
        """Take `pixels` where `mask` is set, and drop the latents of every cell touched: they describe it no longer."""
        self.pixels[at][mask] = pixels[mask]
        self.valid[at] |= mask
        touched = np.zeros((TILE, TILE), bool)
        touched[at] = mask
        self.latent_valid &= ~cells_touched(touched)

    def write_latents(self, at: tuple[slice, slice], latents: np.ndarray, mask: np.ndarray, model: str) -> None:
        """Take `latents` in the cells where `mask` is set; those of another model leave the tile."""
        if not mask.any():
            return
        if self.latent_model != model:
            self.latent_valid[:] = False
            self.latent_model = model
        self.latents[:, at[0], at[1]][:, mask] = latents[:, mask]
        self.latent_valid[at] |= mask

    def clear(self, at: tuple[slice, slice]) -> None:
        """Make a region empty again."""
        self.pixels[at] = 0
        self.valid[at] = False
        gone = np.zeros((TILE, TILE), bool)
        gone[at] = True
        self.latent_valid &= ~cells_touched(gone)


def cells_touched(mask: np.ndarray) -> np.ndarray:
    """(h/8, w/8): the latent cells in which at least one pixel of a (h, w) mask is set."""
    h, w = mask.shape
    return np.any(mask.reshape(h // CELL, CELL, w // CELL, CELL), axis=(1, 3))


def cells_filled(mask: np.ndarray) -> np.ndarray:
    """(h/8, w/8): the latent cells in which every pixel of a (h, w) mask is set."""
    h, w = mask.shape
    return np.all(mask.reshape(h // CELL, CELL, w // CELL, CELL), axis=(1, 3))


def load(connection: sqlite3.Connection, layer: str, x: int, y: int, revision: int) -> Tile:
    """The stored revision of a tile."""
    row = connection.execute(
        "SELECT valid, latent_valid, latents, latent_model, pixels FROM tiles"
        " WHERE layer = ? AND x = ? AND y = ? AND revision = ?",
        (layer, x, y, revision),
    ).fetchone()
    if row is None:
        raise SceneError("A tile of this scene is missing: restore the scene from a copy.")
    valid = codec.decode_mask(row[0], TILE)
    # The encoder may put any colour under alpha 0.
    pixels = np.where(valid[..., None], codec.decode_image(row[4])[..., : LAYERS[layer]], 0).astype(np.uint8)
    latent_valid = codec.decode_mask(row[1], TILE_CELLS)
    return Tile(pixels, valid, codec.decode_latents(row[2]), latent_valid, row[3])


def store(connection: sqlite3.Connection, layer: str, x: int, y: int, revision: int, tile: Tile) -> None:
    """Write a new revision of a tile."""
    box = bounding_rect(tile.valid)
    alpha = None if tile.valid.all() else tile.valid.astype(np.uint8) * 255
    connection.execute(
        "INSERT INTO tiles VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (layer, x, y, revision, int(tile.valid.sum()), box.x, box.y, box.x1, box.y1, tile.latent_model,
         codec.encode_mask(tile.valid), codec.encode_mask(tile.latent_valid),
         codec.encode_latents(tile.latents, tile.latent_valid), codec.encode_image(tile.pixels, alpha)),
    )  # fmt: skip


def store_image(connection: sqlite3.Connection, layer: str, x: int, y: int, revision: int, image: bytes) -> None:
    """Write a new revision of a tile that is known throughout and has no latents, from its encoded pixels."""
    nothing = codec.encode_mask(np.zeros((TILE_CELLS, TILE_CELLS), bool))
    connection.execute(
        "INSERT INTO tiles VALUES (?, ?, ?, ?, ?, 0, 0, ?, ?, '', NULL, ?, NULL, ?)",
        (layer, x, y, revision, TILE * TILE, TILE, TILE, nothing, image),
    )


def head(connection: sqlite3.Connection, layer: str, x: int, y: int) -> int | None:
    """The revision of a tile that is shown now; None where the tile is empty."""
    row = connection.execute("SELECT revision FROM heads WHERE layer = ? AND x = ? AND y = ?", (layer, x, y)).fetchone()
    return None if row is None else int(row[0])


def set_head(connection: sqlite3.Connection, layer: str, x: int, y: int, revision: int | None) -> None:
    """Show another stored revision of a tile, or make it empty (None)."""
    if revision is None:
        connection.execute("DELETE FROM heads WHERE layer = ? AND x = ? AND y = ?", (layer, x, y))
        return
    connection.execute(
        "INSERT OR REPLACE INTO heads SELECT layer, x, y, revision, known, left, top, right, bottom FROM tiles"
        " WHERE layer = ? AND x = ? AND y = ? AND revision = ?",
        (layer, x, y, revision),
    )


def heads_in(connection: sqlite3.Connection, layer: str, span: Rect) -> list[tuple[int, int, int]]:
    """(x, y, revision) of the tiles with content in a rectangle of tile coordinates, row by row."""
    return connection.execute(
        "SELECT x, y, revision FROM heads WHERE layer = ? AND x >= ? AND x < ? AND y >= ? AND y < ? ORDER BY y, x",
        (layer, span.x, span.x1, span.y, span.y1),
    ).fetchall()
