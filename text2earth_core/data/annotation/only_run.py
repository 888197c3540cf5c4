"""One run at a time writes into a journal."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from text2earth_core.errors import Text2EarthError


@contextmanager
def only_run(path: Path) -> Iterator[None]:
    """Hold a journal for one run; the system lets go of it when the process ends, however it does.

    Raises:
        Text2EarthError: another process writes captions into it.
    """
    beside = sqlite3.connect(path.with_name(f"{path.name}.lock"), timeout=0, isolation_level=None)
    try:
        beside.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error:
        beside.close()
        raise Text2EarthError(f"Another run writes into {path} just now: wait for it, or stop it.") from None
    try:
        yield
    finally:
        beside.close()
