"""Accepted changes in order, each with the tile revisions before and after it: undo and redo only move heads."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from canvas import tiles
from canvas.geometry import Rect
from canvas.request import Request
from canvas.schema import program_version

TileKey = tuple[str, int, int]  # layer, x, y
TileChange = tuple[str, int, int, int | None, int | None]  # layer, x, y, revision before, revision after


@dataclass(frozen=True, slots=True)
class Step:
    """One accepted change. `rect` (px) is where it changed something, `tiles` which tiles, `created` UTC ISO time."""

    id: int
    request: dict[str, Any]
    rect: Rect
    tiles: tuple[TileKey, ...]
    created: str
    undone: bool

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self) | {"rect": list(self.rect), "tiles": [list(key) for key in self.tiles]}


def now() -> str:
    """The time as stored: UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def record(
    connection: sqlite3.Connection, request: Request, rect: Rect, revision: int, changed: list[TileChange]
) -> Step:
    """Append a step whose tiles are stored already, and show them."""
    created = now()
    cursor = connection.execute(
        "INSERT INTO steps (revision, created, program, model, request, x, y, w, h) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (revision, created, program_version(), request.model, request.to_json(), *rect),
    )
    step = cursor.lastrowid
    assert step is not None  # an INSERT always has one
    connection.executemany("INSERT INTO step_tiles VALUES (?, ?, ?, ?, ?, ?)", [(step, *row) for row in changed])
    for layer, x, y, _, after in changed:
        tiles.set_head(connection, layer, x, y, after)
    keys = tuple((layer, x, y) for layer, x, y, _, _ in changed)
    return Step(step, request.as_dict(), rect, keys, created, False)


def drop_redo(connection: sqlite3.Connection) -> None:
    """Forget the undone steps and the tile revisions only they led to; a new change makes them unreachable."""
    connection.execute(
        "DELETE FROM tiles WHERE rowid IN (SELECT t.rowid FROM steps s JOIN step_tiles c ON c.step = s.id"
        " JOIN tiles t ON t.layer = c.layer AND t.x = c.x AND t.y = c.y AND t.revision = c.after WHERE s.undone)"
    )
    connection.execute("DELETE FROM steps WHERE undone")


def undo(connection: sqlite3.Connection) -> Step | None:
    """Show what was before the newest step; None where there is nothing to undo."""
    row = connection.execute("SELECT max(id) FROM steps WHERE NOT undone").fetchone()
    return _move(connection, row[0], "before", True)


def redo(connection: sqlite3.Connection) -> Step | None:
    """Show again what the oldest undone step made; None where there is nothing to redo."""
    row = connection.execute("SELECT min(id) FROM steps WHERE undone").fetchone()
    return _move(connection, row[0], "after", False)


def _move(connection: sqlite3.Connection, step: int | None, side: str, undone: bool) -> Step | None:
    if step is None:
        return None
    for layer, x, y, revision in connection.execute(
        f"SELECT layer, x, y, {side} FROM step_tiles WHERE step = ?", (step,)
    ).fetchall():
        tiles.set_head(connection, layer, x, y, revision)
    connection.execute("UPDATE steps SET undone = ? WHERE id = ?", (undone, step))
    return steps(connection, only=step)[0]


def steps(connection: sqlite3.Connection, newest: int | None = None, only: int | None = None) -> list[Step]:
    """The history, oldest first: all of it, the `newest` so many steps, or `only` one."""
    where, values = ("", ()) if only is None else ("WHERE id = ?", (only,))
    rows = connection.execute(
        f"SELECT id, request, x, y, w, h, created, undone FROM steps {where} ORDER BY id DESC LIMIT ?",
        (*values, -1 if newest is None else newest),
    ).fetchall()
    if not rows:
        return []
    touched: dict[int, list[TileKey]] = {}
    for step, layer, x, y in connection.execute(
        "SELECT step, layer, x, y FROM step_tiles WHERE step BETWEEN ? AND ? ORDER BY step, layer, y, x",
        (rows[-1][0], rows[0][0]),
    ):
        touched.setdefault(step, []).append((layer, x, y))
    return [
        Step(step, json.loads(request), Rect(x, y, w, h), tuple(touched.get(step, ())), created, bool(undone))
        for step, request, x, y, w, h, created, undone in reversed(rows)
    ]
