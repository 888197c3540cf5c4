"""What an image tower makes of the tiles that are shown, kept by revision: a tile that changes has none, and an undo
finds the former one again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

import numpy as np

from canvas.geometry import Rect, tile_rect

MAX_DIMENSIONS = 4096
SMALLEST = 64  # px; what is known of a tile is no picture if it is narrower
SPARE = 4096  # vectors kept of tiles that do not show now, for undo and redo
_CHUNK = 4096  # vectors in memory at a time

TileBox = tuple[int, int, int, Rect]  # x, y, revision, and where its known pixels lie

_SEEN = f"h.layer = ? AND h.right - h.left >= {SMALLEST} AND h.bottom - h.top >= {SMALLEST}"
_KEPT = "v.tower = ? AND v.layer = h.layer AND v.x = h.x AND v.y = h.y AND v.revision = h.revision"


def missing(connection: sqlite3.Connection, tower: str, layer: str, limit: int) -> list[TileBox]:
    """The next tiles of a layer that a tower has not seen yet, at most `limit`, row by row."""
    rows = connection.execute(
        f"SELECT h.x, h.y, h.revision, h.left, h.top, h.right, h.bottom FROM heads h WHERE {_SEEN}"
        f" AND NOT EXISTS (SELECT 1 FROM vectors v WHERE {_KEPT}) ORDER BY h.y, h.x LIMIT ?",
        (layer, tower, limit),
    ).fetchall()
    return [(x, y, revision, _box(x, y, *sides)) for x, y, revision, *sides in rows]


def counts(connection: sqlite3.Connection, tower: str, layer: str) -> tuple[int, int]:
    """How many tiles of a layer can be looked at, and how many of them a tower has not seen yet."""
    found = connection.execute(
        f"SELECT count(*), coalesce(sum(NOT EXISTS (SELECT 1 FROM vectors v WHERE {_KEPT})), 0) FROM heads h"
        f" WHERE {_SEEN}",
        (tower, layer),
    ).fetchone()
    return int(found[0]), int(found[1])


def keep(connection: sqlite3.Connection, tower: str, layer: str, seen: Iterable[TileBox], vectors: np.ndarray) -> None:
    """Store unit vectors (N, D) of tiles, and let go what no longer shows where that has become much."""
    connection.executemany(
        "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?, ?, ?)",
        [
            (tower, layer, x, y, revision, vector.astype("<f2").tobytes())
            for (x, y, revision, _), vector in zip(seen, vectors, strict=True)
        ],
    )
    total, shown = connection.execute("SELECT (SELECT count(*) FROM vectors), (SELECT count(*) FROM heads)").fetchone()
    if total > shown + SPARE:
        connection.execute(
            "DELETE FROM vectors WHERE tower != ? OR NOT EXISTS (SELECT 1 FROM heads h WHERE h.layer = vectors.layer"
            " AND h.x = vectors.x AND h.y = vectors.y AND h.revision = vectors.revision)",
            (tower,),
        )


def of_shown(
    connection: sqlite3.Connection, tower: str, layer: str, dimensions: int
) -> Iterator[tuple[list[Rect], np.ndarray]]:
    """The known boxes (px) of tiles that are shown, and what a tower made of them, float32 (N, D), some at a time.

    Vectors of another length, as in a damaged file, are not among them; what is no number in one counts as 0.
    """
    rows = connection.execute(
        f"SELECT h.x, h.y, h.left, h.top, h.right, h.bottom, v.vector FROM heads h JOIN vectors v ON {_KEPT}"
        f" WHERE {_SEEN} AND length(v.vector) = ? ORDER BY h.y, h.x",
        (tower, layer, 2 * dimensions),
    )
    while part := rows.fetchmany(_CHUNK):
        joined = np.frombuffer(b"".join(row[6] for row in part), "<f2").reshape(len(part), dimensions)
        yield [_box(*row[:6]) for row in part], np.nan_to_num(joined.astype(np.float32), posinf=0, neginf=0)


def _box(x: int, y: int, left: int, top: int, right: int, bottom: int) -> Rect:
    whole = tile_rect(x, y)
    return Rect.from_corners(whole.x + left, whole.y + top, whole.x + right, whole.y + bottom)
