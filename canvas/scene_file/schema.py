"""The layout of a scene file: who it says it is, its tables, and how older files are brought up to date."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from canvas.errors import SceneError, storage_error

APPLICATION_ID = 0x54324543  # "T2EC", at byte 68 of the file: what `file` and we recognise a scene by
_MAGIC = b"SQLite format 3\x00"

# tiles:    every revision of every tile, never changed once written. Undo, redo and a browser's cache rely on that.
# heads:    which revision of a tile is shown now, and where its known pixels lie (so that the bounds of a huge scene
#           need no pixel). A tile without a head is empty.
# steps:    what was asked and accepted; `undone` ones do not show (see `_BRANCHES`).
# pyramid:  zoomed-out tiles, a cache: image NULL = to be drawn again.
_VERSION_1 = """
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tiles (
    layer TEXT NOT NULL,
    x INTEGER NOT NULL,
    y INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    known INTEGER NOT NULL,
    left INTEGER NOT NULL,
    top INTEGER NOT NULL,
    right INTEGER NOT NULL,
    bottom INTEGER NOT NULL,
    latent_model TEXT NOT NULL,
    valid BLOB,
    latent_valid BLOB,
    latents BLOB,
    pixels BLOB NOT NULL,
    UNIQUE (layer, x, y, revision)
) STRICT;

CREATE TABLE heads (
    layer TEXT NOT NULL,
    x INTEGER NOT NULL,
    y INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    known INTEGER NOT NULL,
    left INTEGER NOT NULL,
    top INTEGER NOT NULL,
    right INTEGER NOT NULL,
    bottom INTEGER NOT NULL,
    PRIMARY KEY (layer, x, y)
) STRICT, WITHOUT ROWID;

CREATE TABLE steps (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    revision INTEGER NOT NULL,
    created TEXT NOT NULL,
    program TEXT NOT NULL,
    model TEXT NOT NULL,
    request TEXT NOT NULL,
    x INTEGER NOT NULL,
    y INTEGER NOT NULL,
    w INTEGER NOT NULL,
    h INTEGER NOT NULL,
    undone INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE step_tiles (
    step INTEGER NOT NULL REFERENCES steps (id) ON DELETE CASCADE,
    layer TEXT NOT NULL,
    x INTEGER NOT NULL,
    y INTEGER NOT NULL,
    before INTEGER,
    after INTEGER,
    PRIMARY KEY (step, layer, x, y)
) STRICT, WITHOUT ROWID;

CREATE TABLE pyramid (
    layer TEXT NOT NULL,
    z INTEGER NOT NULL,
    x INTEGER NOT NULL,
    y INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    image BLOB,
    UNIQUE (layer, z, x, y)
) STRICT;

CREATE INDEX pyramid_dirty ON pyramid (layer, z, x, y, revision) WHERE image IS NULL;
"""

# fills:      region fills on their way, one row each, so that a killed one goes on where it was. `phase` is the step to
#             take next (-1: the ground is not surveyed yet), `revision` the one reserved for its tiles.
# fill_rows:  rows of latent cells, by the phase that starts from them; phase -1 is the survey.
# fill_bands: rows of windows that a phase has finished.
# fill_tiles: finished tiles that wait in `tiles` to be shown all at once, and where they changed.
_FILLS = """
CREATE TABLE fills (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    request TEXT NOT NULL UNIQUE,
    created TEXT NOT NULL,
    phase INTEGER NOT NULL,
    revision INTEGER,
    x INTEGER NOT NULL,
    y INTEGER NOT NULL,
    w INTEGER NOT NULL,
    h INTEGER NOT NULL
) STRICT;

CREATE TABLE fill_rows (
    fill INTEGER NOT NULL REFERENCES fills (id) ON DELETE CASCADE,
    phase INTEGER NOT NULL,
    y INTEGER NOT NULL,
    data BLOB NOT NULL,
    UNIQUE (fill, phase, y)
) STRICT;

CREATE TABLE fill_bands (
    fill INTEGER NOT NULL REFERENCES fills (id) ON DELETE CASCADE,
    phase INTEGER NOT NULL,
    band INTEGER NOT NULL,
    PRIMARY KEY (fill, phase, band)
) STRICT, WITHOUT ROWID;

CREATE TABLE fill_tiles (
    fill INTEGER NOT NULL REFERENCES fills (id) ON DELETE CASCADE,
    layer TEXT NOT NULL,
    x INTEGER NOT NULL,
    y INTEGER NOT NULL,
    before INTEGER,
    left INTEGER NOT NULL,
    top INTEGER NOT NULL,
    right INTEGER NOT NULL,
    bottom INTEGER NOT NULL,
    PRIMARY KEY (fill, layer, x, y)
) STRICT, WITHOUT ROWID;
"""

# candidates: changes that wait to be accepted: `place` is the fingerprint of what was there, `image` WebP with alpha 0
#             where nothing changes.
# thumbnails: small pictures of steps, a cache until the pixels of a step are dropped, and then all that is left.
# steps:      `bytes` of tiles kept only to take the step back; `dropped` = they are gone.
_EDITING = """
CREATE TABLE candidates (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    batch TEXT NOT NULL,
    number INTEGER NOT NULL,
    created TEXT NOT NULL,
    request TEXT NOT NULL,
    layer TEXT NOT NULL,
    x INTEGER NOT NULL,
    y INTEGER NOT NULL,
    w INTEGER NOT NULL,
    h INTEGER NOT NULL,
    place BLOB NOT NULL,
    latents BLOB NOT NULL,
    latent_valid BLOB NOT NULL,
    image BLOB NOT NULL,
    UNIQUE (batch, number)
) STRICT;

CREATE TABLE thumbnails (
    step INTEGER PRIMARY KEY REFERENCES steps (id) ON DELETE CASCADE,
    image BLOB NOT NULL
) STRICT;

ALTER TABLE steps ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;

ALTER TABLE steps ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0;

UPDATE steps SET bytes = coalesce((
    SELECT sum(length(t.pixels) + coalesce(length(t.latents), 0)) FROM step_tiles c
    JOIN tiles t ON t.layer = c.layer AND t.x = c.x AND t.y = c.y AND t.revision = c.before WHERE c.step = steps.id
), 0);
"""

# steps: `parent` is the step it was made on, `undone` 1 where redo leads to it and 2 on a side branch (`branches.py`),
#        where `made` counts the bytes of the tiles that only it leads to.
_BRANCHES = """
ALTER TABLE steps ADD COLUMN parent INTEGER;

ALTER TABLE steps ADD COLUMN made INTEGER NOT NULL DEFAULT 0;

UPDATE steps SET parent = (SELECT max(former.id) FROM steps AS former WHERE former.id < steps.id);

CREATE INDEX steps_parent ON steps (parent);
"""

# vectors: what an image tower (named by its fingerprint) makes of a revision of a tile, float16; a cache.
_SEARCH = """
CREATE TABLE vectors (
    tower TEXT NOT NULL,
    layer TEXT NOT NULL,
    x INTEGER NOT NULL,
    y INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    vector BLOB NOT NULL,
    PRIMARY KEY (tower, layer, x, y, revision)
) STRICT, WITHOUT ROWID;
"""

# MIGRATIONS[n] brings a file of version n to version n + 1. Append; never edit one that was released.
MIGRATIONS: list[str] = [_VERSION_1, _FILLS, _EDITING, _BRANCHES, _SEARCH]


def program_version() -> str:
    """The version of the installed program, as recorded in every step."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("text2earth-canvas")
    except PackageNotFoundError:
        return "0"  # run from a source tree that was never installed


def check_header(path: Path) -> None:
    """Say what is wrong with a file that is not a scene of this program, without letting SQLite touch it."""
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except FileNotFoundError:
        raise SceneError(f"There is no scene at {path.name}: check the name, or create it first.") from None
    except IsADirectoryError:
        raise SceneError(f"{path.name} is a folder: name a scene file.") from None
    except OSError as error:
        raise SceneError(f"{path.name} cannot be read ({error.strerror}): check its permissions.") from error
    if len(header) < 100 or header[:16] != _MAGIC or int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise SceneError(f"{path.name} is not a Text2Earth scene: choose a .t2e file made by this program.")
    check_version(int.from_bytes(header[60:64], "big"), path)


def check_version(version: int, path: Path) -> None:
    """Refuse a file from the future: writing to it could destroy what this program does not know."""
    if version > len(MIGRATIONS):
        raise SceneError(
            f"{path.name} was made by a newer version of the program (format {version}, this one reads up to "
            f"{len(MIGRATIONS)}): update the program to open it."
        )


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring an open file to the newest version, each step in a transaction of its own: all of it or nothing."""
    while (version := user_version(connection)) < len(MIGRATIONS):
        try:
            connection.execute("BEGIN IMMEDIATE")
            # A second program may have migrated between the look and the lock.
            if user_version(connection) == version:
                for statement in MIGRATIONS[version].split(";"):
                    if statement.strip():
                        connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise storage_error(error, path) from error
    check_version(user_version(connection), path)


def user_version(connection: sqlite3.Connection) -> int:
    """The version of the layout, as this connection sees it."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
