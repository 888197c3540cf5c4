"""Accepted changes in order, each with the tile revisions before and after it: undo and redo only move heads.

What is kept for undo is bounded in bytes: beyond the budget the oldest steps lose the pixels from before them and
cannot be taken back any more. What was asked for is never lost.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from canvas.errors import SceneError
from canvas.geometry import Rect
from canvas.request import Request
from canvas.scene_file import thumbnails, tiles
from canvas.scene_file.schema import program_version

BUDGET = 2 * 2**30  # bytes of tiles kept only so that steps can be taken back
_GONE = "This step is not in the history any more: choose another one."

TileKey = tuple[str, int, int]  # layer, x, y
TileChange = tuple[str, int, int, int | None, int | None]  # layer, x, y, revision before, revision after


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted change. `rect` (px) is where it changed something, `tiles` which tiles, `created` UTC ISO time.

    `request` is without its mask, which may be large (`Scene.request` has it); a `dropped` one cannot be undone.
    """

    id: int
    request: dict[str, Any]
    rect: Rect
    tiles: tuple[TileKey, ...]
    created: str
    undone: bool
    dropped: bool = False

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self) | {"rect": list(self.rect), "tiles": [list(key) for key in self.tiles]}


def now() -> str:
    """The time as stored: UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def record(
    connection: sqlite3.Connection, request: Request, rect: Rect, revision: int, changed: list[TileChange]
) -> Entry:
    """Append a step whose tiles are stored already, and show them."""
    created, size = now(), _bytes_before(connection, changed)
    asked = (request.model, request.to_json())
    cursor = connection.execute(
        "INSERT INTO steps (revision, created, program, model, request, x, y, w, h, bytes)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (revision, created, program_version(), *asked, *rect, size),
    )
    step = cursor.lastrowid
    assert step is not None  # an INSERT always has one
    connection.executemany("INSERT INTO step_tiles VALUES (?, ?, ?, ?, ?, ?)", [(step, *row) for row in changed])
    for layer, x, y, _, after in changed:
        tiles.set_head(connection, layer, x, y, after)
    trim(connection, BUDGET)
    keys = tuple((layer, x, y) for layer, x, y, _, _ in changed)
    shown = {key: value for key, value in request.as_dict().items() if key != "mask"}
    return Entry(step, shown, rect, keys, created, False)


def _bytes_before(connection: sqlite3.Connection, changed: list[TileChange]) -> int:
    """What the tiles that a step replaces take on the disk."""
    sizes = (
        connection.execute(
            "SELECT length(pixels) + coalesce(length(latents), 0) FROM tiles"
            " WHERE layer = ? AND x = ? AND y = ? AND revision = ?",
            (layer, x, y, before),
        ).fetchone()[0]
        for layer, x, y, before, _ in changed
        if before is not None
    )
    return sum(sizes)


def trim(connection: sqlite3.Connection, budget: int) -> int:
    """Let the oldest steps lose what was before them until the rest fits; returns how many. The newest always stays."""
    kept = connection.execute(
        "SELECT id, bytes FROM steps WHERE NOT undone AND NOT dropped ORDER BY id DESC"
    ).fetchall()
    over = sum(size for _, size in kept) - budget
    count = 0
    for step, size in reversed(kept[1:]):
        if over <= 0:
            break
        thumbnails.keep_before_dropping(connection, step)
        connection.execute(
            "DELETE FROM tiles WHERE rowid IN (SELECT t.rowid FROM step_tiles c JOIN tiles t"
            " ON t.layer = c.layer AND t.x = c.x AND t.y = c.y AND t.revision = c.before WHERE c.step = ?)",
            (step,),
        )
        connection.execute("UPDATE steps SET dropped = 1, bytes = 0 WHERE id = ?", (step,))
        over -= size
        count += 1
    return count


def drop_redo(connection: sqlite3.Connection) -> None:
    """Forget the undone steps and the tile revisions only they led to; a new change makes them unreachable."""
    connection.execute(
        "DELETE FROM tiles WHERE rowid IN (SELECT t.rowid FROM steps s JOIN step_tiles c ON c.step = s.id"
        " JOIN tiles t ON t.layer = c.layer AND t.x = c.x AND t.y = c.y AND t.revision = c.after WHERE s.undone)"
    )
    connection.execute("DELETE FROM steps WHERE undone")


def undo(connection: sqlite3.Connection) -> Entry | None:
    """Show what was before the newest step; None where there is nothing to undo."""
    row = connection.execute("SELECT max(id) FROM steps WHERE NOT undone AND NOT dropped").fetchone()
    return _move(connection, row[0], "before", True)


def redo(connection: sqlite3.Connection) -> Entry | None:
    """Show again what the oldest undone step made; None where there is nothing to redo."""
    row = connection.execute("SELECT min(id) FROM steps WHERE undone").fetchone()
    return _move(connection, row[0], "after", False)


def go_to(connection: sqlite3.Connection, step: int) -> list[Entry]:
    """Undo or redo until `step` is the newest change that shows; 0 is before the first. Returns what moved.

    Raises SceneError where there is no such step, or what was before a step on the way was dropped.
    """
    if step != 0 and connection.execute("SELECT 1 FROM steps WHERE id = ?", (step,)).fetchone() is None:
        raise SceneError(_GONE)
    if connection.execute("SELECT 1 FROM steps WHERE id > ? AND dropped LIMIT 1", (step,)).fetchone():
        raise SceneError("The pixels from before this step were dropped to save space: choose a later one.")
    back = connection.execute("SELECT id FROM steps WHERE id > ? AND NOT undone ORDER BY id DESC", (step,)).fetchall()
    on = connection.execute("SELECT id FROM steps WHERE id <= ? AND undone ORDER BY id", (step,)).fetchall()
    moved = [_move(connection, number, "before", True) for (number,) in back]
    moved += [_move(connection, number, "after", False) for (number,) in on]
    return [one for one in moved if one is not None]


def counts(connection: sqlite3.Connection) -> tuple[int, int]:
    """How many steps can be undone, and how many redone."""
    back, forth = connection.execute("SELECT sum(NOT undone AND NOT dropped), sum(undone) FROM steps").fetchone()
    return back or 0, forth or 0


def has_content(connection: sqlite3.Connection) -> bool:
    """Whether any step shows."""
    return connection.execute("SELECT 1 FROM steps WHERE NOT undone LIMIT 1").fetchone() is not None


def newest_model(connection: sqlite3.Connection) -> str:
    """The fingerprint of the model of the newest step that shows; empty where none has one."""
    row = connection.execute(
        "SELECT model FROM steps WHERE NOT undone AND model != '' ORDER BY id DESC LIMIT 1"
    ).fetchone()
    return row[0] if row else ""


def request_of(connection: sqlite3.Connection, step: int) -> Request:
    """All that was asked for in a step, with its mask; SceneError where there is no such step."""
    row = connection.execute("SELECT request FROM steps WHERE id = ?", (step,)).fetchone()
    if row is None:
        raise SceneError(_GONE)
    return Request.from_json(row[0])


def _move(connection: sqlite3.Connection, step: int | None, side: str, undone: bool) -> Entry | None:
    if step is None:
        return None
    for layer, x, y, revision in connection.execute(
        f"SELECT layer, x, y, {side} FROM step_tiles WHERE step = ?", (step,)
    ).fetchall():
        tiles.set_head(connection, layer, x, y, revision)
    connection.execute("UPDATE steps SET undone = ? WHERE id = ?", (undone, step))
    return steps(connection, only=step)[0]


def steps(connection: sqlite3.Connection, newest: int | None = None, only: int | None = None) -> list[Entry]:
    """The history, oldest first: all of it, the `newest` so many steps, or `only` one."""
    where, values = ("", ()) if only is None else ("WHERE id = ?", (only,))
    rows = connection.execute(
        "SELECT id, json_remove(request, '$.mask'), x, y, w, h, created, undone, dropped"
        f" FROM steps {where} ORDER BY id DESC LIMIT ?",
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
        Entry(
            step,
            json.loads(request),
            Rect(x, y, w, h),
            tuple(touched.get(step, ())),
            created,
            bool(undone),
            bool(dropped),
        )
        for step, request, x, y, w, h, created, undone, dropped in reversed(rows)
    ]
