"""Zoomed-out tiles, drawn when somebody looks and kept until something below them changes.

Level z shows 2**z px per pixel; tile (z, x, y) covers the four tiles (z-1, 2x..2x+1, 2y..2y+1). A change only marks
its ancestors, so accepting costs the same in a small scene and in a huge one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

import numpy as np

from canvas.errors import SceneError
from canvas.geometry import TILE, Rect
from canvas.layers import checked_layer
from canvas.scene_file import codec, tiles

MAX_ZOOM = 10  # one pixel then stands for 1024, one tile for 262,144 px
BATCH = 16  # tiles drawn between two writes: the bound on memory

DirtyTile = tuple[int, int, int, int]  # z, x, y, revision
DrawnTile = tuple[bytes, str, int, int, int, int]  # image, layer, z, x, y, revision it was drawn for


def check_tile(layer: str, z: int) -> None:
    """Raise SceneError for a layer or a zoom level that no scene has."""
    checked_layer(layer)
    if not 0 <= z <= MAX_ZOOM:
        raise SceneError(f"Zoom level {z} does not exist: use 0 to {MAX_ZOOM}.")


def invalidate(connection: sqlite3.Connection, layer: str, changed: Iterable[tuple[int, int]], revision: int) -> None:
    """Mark every ancestor of the changed tiles as to be drawn again; those with nothing left below them go."""
    level = set(changed)
    for z in range(1, MAX_ZOOM + 1):
        level = {(x >> 1, y >> 1) for x, y in level}
        for x, y in level:
            if _children(connection, layer, z, x, y):
                connection.execute(
                    "INSERT INTO pyramid (layer, z, x, y, revision) VALUES (?, ?, ?, ?, ?)"
                    " ON CONFLICT DO UPDATE SET revision = excluded.revision, image = NULL",
                    (layer, z, x, y, revision),
                )
            else:
                connection.execute(
                    "DELETE FROM pyramid WHERE layer = ? AND z = ? AND x = ? AND y = ?", (layer, z, x, y)
                )


def index(connection: sqlite3.Connection, layer: str, span: Rect, z: int) -> list[tuple[int, int, int]]:
    """(x, y, revision) of the tiles with content in a rectangle of tile coordinates of level z, row by row."""
    if z == 0:
        return tiles.heads_in(connection, layer, span)
    return connection.execute(
        "SELECT x, y, revision FROM pyramid WHERE layer = ? AND z = ? AND x >= ? AND x < ? AND y >= ? AND y < ?"
        " ORDER BY y, x",
        (layer, z, span.x, span.x1, span.y, span.y1),
    ).fetchall()


def image(connection: sqlite3.Connection, layer: str, z: int, x: int, y: int) -> tuple[bytes, int] | None:
    """(lossless WebP, revision) of a tile; None where it is empty. Alpha 0 means that nothing is known there."""
    stored = _stored(connection, layer, z, x, y)
    if stored is None:
        return None
    data, revision = stored
    return (_encode(_draw(connection, layer, z, x, y)) if data is None else data), revision


def dirty(connection: sqlite3.Connection, layer: str) -> list[DirtyTile]:
    """The next tiles to draw, lowest level first: each level is drawn from the one below."""
    return connection.execute(
        "SELECT z, x, y, revision FROM pyramid WHERE layer = ? AND image IS NULL ORDER BY z LIMIT ?", (layer, BATCH)
    ).fetchall()


def dirty_below(connection: sqlite3.Connection, layer: str, z: int, x: int, y: int) -> list[DirtyTile]:
    """The next tiles to draw so that (z, x, y) and all below it become clean, lowest level first."""
    for level in range(1, z + 1):
        up = z - level
        found = connection.execute(
            "SELECT z, x, y, revision FROM pyramid WHERE layer = ? AND z = ? AND x >= ? AND x < ? AND y >= ? AND y < ?"
            " AND image IS NULL LIMIT ?",
            (layer, level, x << up, (x + 1) << up, y << up, (y + 1) << up, BATCH),
        ).fetchall()
        if found:
            return found
    return []


def draw(connection: sqlite3.Connection, layer: str, todo: list[DirtyTile]) -> list[DrawnTile]:
    """The images of some tiles, for `keep`."""
    return [(_encode(_draw(connection, layer, z, x, y)), layer, z, x, y, revision) for z, x, y, revision in todo]


def keep(connection: sqlite3.Connection, drawn: list[DrawnTile]) -> None:
    """Store drawn images, except where the tile has changed since it was drawn."""
    connection.executemany(
        "UPDATE pyramid SET image = ? WHERE layer = ? AND z = ? AND x = ? AND y = ? AND revision = ?", drawn
    )


def halve(pixels: np.ndarray) -> np.ndarray:
    """(h, w, 4) uint8 to half its size; colours are weighted by alpha, so that unknown pixels do not darken edges."""
    four = [pixels[y::2, x::2].astype(np.uint16) for y in (0, 1) for x in (0, 1)]
    plain = (four[0] + four[1] + four[2] + four[3] + 2) >> 2
    mixed = np.ptp(np.stack([part[..., 3] for part in four]), axis=0) > 0
    if mixed.any():
        parts = np.stack([part[mixed] for part in four]).astype(np.uint32)
        alpha = parts[..., 3:].sum(axis=0)
        plain[mixed, :3] = ((parts[..., :3] * parts[..., 3:]).sum(axis=0) + alpha // 2) // alpha
    return plain.astype(np.uint8)


def _draw(connection: sqlite3.Connection, layer: str, z: int, x: int, y: int) -> np.ndarray:
    """(256, 256, 4) uint8 of a tile, from its stored image or from the four below it."""
    stored = _stored(connection, layer, z, x, y)
    if stored is not None and stored[0] is not None:
        return _with_alpha(codec.decode_image(stored[0]))
    square = np.zeros((2 * TILE, 2 * TILE, 4), np.uint8)
    for cx, cy in _children(connection, layer, z, x, y):
        at = (slice((cy & 1) * TILE, ((cy & 1) + 1) * TILE), slice((cx & 1) * TILE, ((cx & 1) + 1) * TILE))
        square[at] = _draw(connection, layer, z - 1, cx, cy)
    return halve(square)


def _stored(connection: sqlite3.Connection, layer: str, z: int, x: int, y: int) -> tuple[bytes | None, int] | None:
    """(image or None where it is to be drawn, revision) of a tile; None where it is empty."""
    if z == 0:
        return connection.execute(
            "SELECT t.pixels, t.revision FROM heads h JOIN tiles t USING (layer, x, y, revision)"
            " WHERE layer = ? AND x = ? AND y = ?",
            (layer, x, y),
        ).fetchone()
    return connection.execute(
        "SELECT image, revision FROM pyramid WHERE layer = ? AND z = ? AND x = ? AND y = ?", (layer, z, x, y)
    ).fetchone()


def _children(connection: sqlite3.Connection, layer: str, z: int, x: int, y: int) -> list[tuple[int, int]]:
    """The tiles with content among the four below (z, x, y)."""
    return [(cx, cy) for cx, cy, _ in index(connection, layer, Rect(2 * x, 2 * y, 2, 2), z - 1)]


def _encode(pixels: np.ndarray) -> bytes:
    return codec.encode_image(pixels[..., :3], None if pixels[..., 3].min() == 255 else pixels[..., 3])


def _with_alpha(pixels: np.ndarray) -> np.ndarray:
    if pixels.shape[2] == 4:
        return pixels
    return np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
