"""Small pictures of what each step of the history made, drawn when first asked for and kept after its pixels."""

from __future__ import annotations

import io
import sqlite3

import numpy as np
from PIL import Image

from canvas.geometry import TILE, Rect, tile_rect
from canvas.scene_file import tiles

SIDE = 128  # px along the longer side
MAX_TILES = 1024  # read for one picture; larger steps have none


def stored(connection: sqlite3.Connection, step: int) -> bytes | None:
    """The kept picture (WebP); None where none was drawn yet."""
    row = connection.execute("SELECT image FROM thumbnails WHERE step = ?", (step,)).fetchone()
    return None if row is None else bytes(row[0])


def keep(connection: sqlite3.Connection, step: int, image: bytes) -> None:
    """Store a drawn picture."""
    connection.execute("INSERT OR REPLACE INTO thumbnails VALUES (?, ?)", (step, image))


def draw(connection: sqlite3.Connection, step: int) -> bytes | None:
    """The place of a step right after it, transparent where nothing is; None where pixels are gone, or too many."""
    row = connection.execute("SELECT x, y, w, h FROM steps WHERE id = ?", (step,)).fetchone()
    if row is None:
        return None
    rect = Rect(*row)
    found = connection.execute(
        "SELECT c.layer, c.x, c.y, c.after FROM step_tiles c JOIN tiles t"
        " ON t.layer = c.layer AND t.x = c.x AND t.y = c.y AND t.revision = c.after WHERE c.step = ? LIMIT ?",
        (step, MAX_TILES + 1),
    ).fetchall()
    if not 0 < len(found) <= MAX_TILES:
        return None
    factor = max(1.0, max(rect.w, rect.h) / SIDE)
    picture = Image.new("RGBA", (max(1, round(rect.w / factor)), max(1, round(rect.h / factor))))
    for layer, x, y, revision in found:
        whole = tile_rect(x, y)
        part = whole.intersect(rect)
        if part.empty:
            continue
        tile = tiles.load(connection, layer, x, y, revision)
        colours = np.broadcast_to(tile.pixels, (TILE, TILE, 3))
        rgba = np.dstack([colours, tile.valid.astype(np.uint8) * 255])[part.slices(whole)]
        left, top, right, bottom = (
            round(v / factor) for v in (part.x - rect.x, part.y - rect.y, part.x1 - rect.x, part.y1 - rect.y)
        )
        size = (max(1, right - left), max(1, bottom - top))
        small = Image.fromarray(rgba).resize(size, Image.Resampling.BOX)
        picture.paste(small, (left, top))
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=82, method=2)
    return out.getvalue()


def keep_before_dropping(connection: sqlite3.Connection, step: int) -> None:
    """Draw the pictures that need what was before a step, which is about to go.

    All tiles of a step have its revision: the steps that made them are found without looking at any of their tiles.
    """
    rows = connection.execute(
        "SELECT id FROM steps WHERE revision IN (SELECT before FROM step_tiles WHERE step = ?)"
        " AND id NOT IN (SELECT step FROM thumbnails)",
        (step,),
    ).fetchall()
    for (made,) in rows:
        image = draw(connection, made)
        if image is not None:
            keep(connection, made, image)
