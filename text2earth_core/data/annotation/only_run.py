"""One run at a time writes into a journal."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from text2earth_core.errors import Text2EarthError

ATTEMPTS = 10
"""At a lock that others take away while it is opened."""


@contextmanager
def only_run(path: Path) -> Iterator[None]:
    """Hold a journal for one run; the system lets go of it when the process ends, however it does.

    The lock is a file beside the journal, which goes when the run ends; a killed one leaves it, and it hinders nobody.

    Raises:
        Text2EarthError: another process writes captions into it, or the lock cannot be written.
    """
    lock = path.with_name(f"{path.name}.lock")
    held = _held(lock, path)
    try:
        yield
    finally:
        with suppress(OSError):  # a system that does not delete open files leaves it
            lock.unlink(missing_ok=True)
        held.close()


def _held(lock: Path, path: Path) -> sqlite3.Connection:
    """The lock's file, locked, and still the one that is called so: its last holder may have deleted it meanwhile."""
    for _ in range(ATTEMPTS):
        before = _number(lock)
        try:
            beside = sqlite3.connect(lock, timeout=0, isolation_level=None)
        except sqlite3.Error:
            raise Text2EarthError(f"{lock} cannot be written: choose another folder for the captions.") from None
        try:
            beside.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error:
            beside.close()
            raise Text2EarthError(f"Another run writes into {path} just now: wait for it, or stop it.") from None
        if before is not None and _number(lock) == before:
            return beside
        beside.close()  # it is made now, or was another one: look again
    raise Text2EarthError(f"Other runs begin and end on {path} all the time: stop them.")


def _number(file: Path) -> int | None:
    """By which the file system knows a file; None where there is none."""
    try:
        return file.stat().st_ino
    except OSError:
        return None
