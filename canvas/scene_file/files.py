"""A scene file as a whole: copying it while it is open, and looking at one that came from elsewhere."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from canvas.anchor import MAX_COORDINATE, MAX_EPSG
from canvas.errors import SceneError, storage_error
from canvas.geometry import CELL, LIMIT, TILE
from canvas.layers import LAYERS
from canvas.scene_file import schema
from canvas.scene_file.meta import RESOLUTIONS
from canvas.scene_file.staging import MAX_PLACE, MAX_WAITING
from canvas.scene_file.vectors import MAX_DIMENSIONS
from text2earth_core.whole_file import whole_file

MAX_BYTES = 8 * 2**30  # of an upload
STAGED = ".import.tif"  # how the name of an import's temporary file ends


def size(path: Path) -> int:
    """Bytes on the disk, with the log that is not folded in yet."""
    log = path.with_name(path.name + "-wal")
    return path.stat().st_size + (log.stat().st_size if log.exists() else 0)


def backup(connection: sqlite3.Connection, destination: Path) -> None:
    """Copy what `connection` sees into a new file that needs no log beside it; it appears complete or not at all."""
    if destination.exists():
        raise SceneError(f"{destination.name} already exists: choose another name for the copy.")
    try:
        with whole_file(destination) as part:
            try:
                with closing(sqlite3.connect(part, isolation_level=None)) as copy:
                    connection.backup(copy)
                    copy.execute("PRAGMA journal_mode = DELETE")
            finally:
                with suppress(OSError):
                    part.with_name(part.name + "-journal").unlink(missing_ok=True)
    except (sqlite3.Error, OSError) as error:
        raise storage_error(error, destination) from error


def check(path: Path, max_bytes: int = MAX_BYTES) -> None:
    """Raise SceneError where a file from elsewhere is too large, damaged, newer, or not a scene; it is only read."""
    schema.check_header(path)
    if size(path) > max_bytes:
        raise SceneError(f"{path.name} is larger than {max_bytes / 2**30:.1f} GB: send a smaller one.")
    damaged = SceneError(f"{path.name} is damaged: export or copy it again where it came from.")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA cell_size_check = ON")
            if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise damaged
            version = schema.user_version(connection)
            if _layout(connection) != _expected_layout(version):
                raise SceneError(f"{path.name} is not laid out like a Text2Earth scene: choose another file.")
            if not _sound(connection, version):
                raise damaged
    except sqlite3.Error as error:
        raise damaged from error


# What must hold for the rest of the program to read a file without surprises.
_META = {
    "title": ("text",), "resolution": ("real", "integer"), "revision": ("integer",), "created": ("text",),
    "modified": ("text",), "program": ("text",),
}  # fmt: skip
MAX_REVISION = 2**48  # there is room for more, and a page can still count it
_ANCHOR = {"epsg": ("integer",), "east": ("real", "integer"), "north": ("real", "integer")}  # where there is one
_UNSOUND = (
    f"SELECT 1 FROM meta WHERE key = 'epsg' AND NOT value BETWEEN 1 AND {MAX_EPSG}",
    f"SELECT 1 FROM meta WHERE key IN ('east', 'north') AND NOT abs(value) <= {MAX_COORDINATE}",
    f"SELECT 1 FROM meta WHERE key = 'resolution' AND NOT value BETWEEN {RESOLUTIONS[0]} AND {RESOLUTIONS[1]}",
    f"SELECT 1 FROM meta WHERE key = 'revision' AND NOT value BETWEEN 0 AND {MAX_REVISION}",
    "SELECT 1 FROM steps WHERE NOT json_valid(request) OR json_type(request) != 'object'"
    " OR coalesce(json_type(request, '$.kind'), '') != 'text' OR coalesce(json_type(request, '$.prompt'), '') != 'text'"
    " OR coalesce(json_type(request, '$.source'), 'null') NOT IN ('object', 'null')"
    " OR coalesce(json_type(request, '$.source.file'), 'text') != 'text'",
    "SELECT 1 FROM heads LEFT JOIN tiles t USING (layer, x, y, revision) WHERE t.pixels IS NULL",
    f"SELECT 1 FROM heads WHERE NOT (0 <= left AND left < right AND right <= {TILE}"
    f" AND 0 <= top AND top < bottom AND bottom <= {TILE} AND max(abs(x), abs(y)) <= {LIMIT // TILE})",
)
# The same of tables that came later: the version they came with, and the query.
_UNSOUND_SINCE = (
    (2, "SELECT 1 FROM fills WHERE NOT json_valid(request) OR json_type(request) != 'object'"),
    (2, f"SELECT 1 FROM fills WHERE NOT (w BETWEEN 1 AND {LIMIT} AND h BETWEEN 1 AND {LIMIT}"
        f" AND max(abs(x), abs(y)) <= {LIMIT})"),
    (3, "SELECT 1 FROM candidates WHERE NOT json_valid(request) OR json_type(request) != 'object'"),
    (3, f"SELECT 1 FROM candidates WHERE NOT (w BETWEEN {CELL} AND {MAX_PLACE} AND h BETWEEN {CELL} AND {MAX_PLACE}"
        f" AND (x | y | w | h) % {CELL} = 0 AND max(abs(x), abs(y)) <= {LIMIT} AND length(place) = 32"
        f" AND number >= 0 AND layer IN ({', '.join(map(repr, LAYERS))}))"),
    (3, f"SELECT 1 FROM (SELECT count(*) AS n FROM candidates) WHERE n > {MAX_WAITING}"),
    (4, "SELECT 1 FROM steps s LEFT JOIN steps p ON p.id = s.parent WHERE s.undone NOT IN (0, 1, 2)"
        " OR s.parent IS NOT NULL AND (p.id IS NULL OR p.id >= s.id OR p.undone AND NOT s.undone)"),
    (5, f"SELECT 1 FROM vectors WHERE length(vector) > {2 * MAX_DIMENSIONS}"),
)  # fmt: skip


def _sound(connection: sqlite3.Connection, version: int) -> bool:
    """Whether the rows mean something: known values in `meta`, readable requests, a tile under every head."""
    kinds = dict(connection.execute("SELECT key, typeof(value) FROM meta"))
    if any(kinds.get(key) not in allowed for key, allowed in _META.items()):
        return False
    if any(kinds[key] not in allowed for key, allowed in _ANCHOR.items() if key in kinds):
        return False
    queries = [*_UNSOUND, *(query for since, query in _UNSOUND_SINCE if version >= since)]
    return not any(connection.execute(query + " LIMIT 1").fetchone() for query in queries)


def _layout(connection: sqlite3.Connection) -> set[tuple[str, str, str]]:
    """Every table, index, view and trigger with its definition; anything extra in a foreign file could run code."""
    rows = connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master")
    return {(kind, name, sql) for kind, name, sql in rows if not name.startswith("sqlite_")}


def _expected_layout(version: int) -> set[tuple[str, str, str]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        for script in schema.MIGRATIONS[:version]:
            connection.executescript(script)
        return _layout(connection)
