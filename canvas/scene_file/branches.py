"""Side branches of the history: what was undone before something else was made, kept while there is room.

Every step knows the step it was made on (`parent`). The steps that show are one line from the first on; of the others
`undone` says whether redo leads to them or whether they lie on a side branch, where `history.go_to` finds them.
"""

from __future__ import annotations

import sqlite3

UNDONE, ASIDE = 1, 2

_OF_STEP = "t.layer = c.layer AND t.x = c.x AND t.y = c.y AND t.revision = c.after WHERE c.step = steps.id"
_SUBTREE = (
    "WITH RECURSIVE branch (id) AS (SELECT ? UNION ALL SELECT s.id FROM steps s JOIN branch ON s.parent = branch.id)"
)


def set_aside(connection: sqlite3.Connection) -> None:
    """A new change begins a line of its own: what was undone stays beside it, and redo leads there no more."""
    connection.execute(
        "UPDATE steps SET undone = ?, made = coalesce((SELECT sum(length(t.pixels) + coalesce(length(t.latents), 0))"
        f" FROM step_tiles c JOIN tiles t ON {_OF_STEP}), 0) WHERE undone = ?",
        (ASIDE, UNDONE),
    )


def is_aside(connection: sqlite3.Connection, step: int) -> bool:
    """Whether a step lies on a side branch."""
    return connection.execute("SELECT 1 FROM steps WHERE id = ? AND undone = ?", (step, ASIDE)).fetchone() is not None


def line_to(connection: sqlite3.Connection, step: int) -> list[int]:
    """The steps from the first to `step`, each made on the one before; none for 0."""
    rows = connection.execute(
        "WITH RECURSIVE line (id) AS (SELECT ? UNION ALL"
        " SELECT s.parent FROM steps s JOIN line ON s.id = line.id WHERE s.parent IS NOT NULL)"
        " SELECT id FROM line ORDER BY id",
        (step,),
    )
    return [number for (number,) in rows if number]


def take_up(connection: sqlite3.Connection, step: int) -> None:
    """After a jump to `step` on a side branch: redo follows that branch, and the line that was left lies aside."""
    set_aside(connection)
    child: int | None = step
    while child is not None:
        child = connection.execute("SELECT max(id) FROM steps WHERE parent = ?", (child,)).fetchone()[0]
        connection.execute("UPDATE steps SET undone = ? WHERE id = ?", (UNDONE, child))


def size(connection: sqlite3.Connection) -> int:
    """Bytes of the tiles that are kept for side branches alone."""
    total = connection.execute("SELECT sum(made) FROM steps WHERE undone = ?", (ASIDE,)).fetchone()[0]
    return int(total or 0)


def forget(connection: sqlite3.Connection, over: int) -> int:
    """Let the oldest side branches go, with what was asked in them, until `over` bytes are free; returns how many."""
    roots = connection.execute(
        "SELECT id FROM steps s WHERE undone = ? AND NOT EXISTS"
        " (SELECT 1 FROM steps p WHERE p.id = s.parent AND p.undone = ?) ORDER BY id",
        (ASIDE, ASIDE),
    ).fetchall()
    freed = 0
    for (root,) in roots:
        if freed >= over:
            break
        freed += connection.execute(
            f"{_SUBTREE} SELECT sum(made) FROM steps WHERE id IN (SELECT id FROM branch)", (root,)
        ).fetchone()[0]
        ids = [number for (number,) in connection.execute(f"{_SUBTREE} SELECT id FROM branch", (root,))]
        _delete(connection, ids)
    return freed


def forget_all(connection: sqlite3.Connection) -> None:
    """Forget every step that does not show."""
    _delete(connection, [number for (number,) in connection.execute("SELECT id FROM steps WHERE undone")])


def _delete(connection: sqlite3.Connection, steps: list[int]) -> None:
    """Delete steps and the tile revisions that only they led to."""
    for step in steps:
        connection.execute(
            "DELETE FROM tiles WHERE rowid IN (SELECT t.rowid FROM step_tiles c JOIN tiles t ON t.layer = c.layer"
            " AND t.x = c.x AND t.y = c.y AND t.revision = c.after WHERE c.step = ?)",
            (step,),
        )
        connection.execute("DELETE FROM steps WHERE id = ?", (step,))
