"""The one exception people see from this room, and the translation of SQLite's words into sentences."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

_FULL = "The disk is full: nothing was lost, the scene is as it was. Free some space and try again."


_SPARE = 1 << 20  # bytes: a disk with less than this is full for everybody


class SceneError(Exception):
    """One sentence saying what is wrong and what to do. Whoever catches it may rely on it: nothing was changed."""


class SceneConflict(SceneError):
    """What the change was made for is not there any more, or not as it was: asked for anew it may well be possible."""


def storage_error(error: sqlite3.Error | OSError, path: Path) -> SceneError:
    """The sentence for a failed read or write of the file at `path`.

    SQLite reports a quota or a size limit as an I/O error and only ENOSPC as "full"; both leave the file as it was,
    because the transaction is rolled back.
    """
    if isinstance(error, OSError):
        if error.errno == 28:  # ENOSPC
            return SceneError(_FULL)
        return SceneError(f"{path.name} cannot be written ({error.strerror or error}): choose another place.")
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if code is not None else None
    if primary == sqlite3.SQLITE_FULL:
        return SceneError(_FULL)
    if primary == sqlite3.SQLITE_READONLY:
        return SceneError(f"{path.name} is read-only: save a copy in a folder you can write to, and work on that.")
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return SceneError(f"{path.name} is being written by another program: wait for it to finish and try again.")
    if primary == sqlite3.SQLITE_IOERR:
        return SceneError(
            f"The disk refused to read or write {path.name}: nothing was lost. Check its free space and try again."
        )
    if primary == sqlite3.SQLITE_CANTOPEN:
        return SceneError(f"{path.name} cannot be opened: check that the folder exists and that you may write to it.")
    if primary in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return SceneError(f"{path.name} is damaged: restore it from a copy.")
    return SceneError(f"{path.name} cannot be used ({error}): restore it from a copy or start a new scene.")


def disk_full(error: Exception, folder: Path) -> SceneError | None:
    """The sentence for a disk without space where that is why a library failed to write into `folder`; else None.

    GDAL reports what the system said in words of its own, or only that a write failed.
    """
    if getattr(error, "errno", None) == 28 or "No space left" in str(error):
        return SceneError(_FULL)
    try:
        return SceneError(_FULL) if shutil.disk_usage(folder).free < _SPARE else None
    except OSError:
        return None
