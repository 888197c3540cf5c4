"""What the steps that show asked for, and what an import among them wrote: all it takes to repeat them elsewhere."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import numpy as np

from canvas.errors import SceneError
from canvas.geometry import CELL
from canvas.scene_file import codec, tiles


def requests_shown(connection: sqlite3.Connection) -> list[tuple[int, dict[str, Any]]]:
    """(step, its whole request as a JSON value) of the steps that are not undone, oldest first."""
    rows = connection.execute("SELECT id, request FROM steps WHERE NOT undone ORDER BY id").fetchall()
    return [(step, json.loads(request)) for step, request in rows]


def pixels_written(connection: sqlite3.Connection, step: int) -> list[tuple[int, int, bytes]]:
    """(x, y, lossless WebP) of each tile of an import: the pixels it wrote, transparent where it wrote none.

    Raises SceneError where they are gone, because they were dropped to save space.
    """
    gone = SceneError("The pixels of an import are not in this scene's history any more: share the scene file instead.")
    found = []
    for layer, x, y, before, after in connection.execute(
        "SELECT layer, x, y, before, after FROM step_tiles WHERE step = ? ORDER BY y, x", (step,)
    ).fetchall():
        try:
            new = tiles.load(connection, layer, x, y, after)
            old = tiles.Tile.blank(layer) if before is None else tiles.load(connection, layer, x, y, before)
        except SceneError:
            raise gone from None
        lost = (old.latent_valid & ~new.latent_valid).repeat(CELL, 0).repeat(CELL, 1)
        wrote = new.valid & (~old.valid | lost | (new.pixels != old.pixels).any(axis=-1))
        found.append((x, y, codec.encode_image(new.pixels, wrote.astype(np.uint8) * 255)))
    return found
