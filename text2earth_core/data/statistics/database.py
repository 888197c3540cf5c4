"""A database for one look at tables of any size: memory bounded, what does not fit lies in a folder of its own."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from text2earth_core.data.sources.tables import HUB
from text2earth_core.errors import Text2EarthError, reason_of

MEMORY = "256MB"
"""Of the database alone; Python and its libraries come to it."""

THREADS = 4
"""Each holds a block of rows of its own."""

_LOOK = 0.2
"""Seconds between two looks at how far a question is."""


class Database:
    """Answers questions about parquet tables; a long one tells how far it is, and stops when its asker is stopped."""

    def __init__(self, folder: Path) -> None:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": MEMORY, "threads": min(THREADS, os.cpu_count() or 1),
            "temp_directory": str(folder / "spill"), "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
        }  # fmt: skip
        self._connection = duckdb.connect(str(folder / "figures.duckdb"), config=settings)

    def close(self) -> None:
        self._connection.close()

    def can_read(self, tables: Sequence[str]) -> None:
        """Let the database open tables on the hub."""
        if any(table.startswith(HUB) for table in tables):
            from huggingface_hub import HfFileSystem

            self._connection.register_filesystem(HfFileSystem())

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """All rows of a small answer; Text2EarthError where a table cannot be read."""
        try:
            return self._connection.execute(question).fetchall()
        except (duckdb.IOException, duckdb.InvalidInputException) as error:
            raise Text2EarthError(f"The tables cannot be read ({reason_of(error)}).") from None

    def run(self, question: str, report: Callable[[float], None] = lambda share: None) -> None:
        """Do something long; `report` is told which share of it is done.

        Raises:
            Text2EarthError: a table is damaged, or the disk is full.
        """
        failed: list[BaseException] = []

        def work() -> None:
            try:
                self._connection.execute(question)
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        try:
            while thread.is_alive():
                thread.join(_LOOK)
                report(min(1.0, max(0.0, self._connection.query_progress() / 100)))
        except BaseException:
            self._connection.interrupt()
            thread.join()
            raise
        if failed and isinstance(failed[0], duckdb.Error | OSError):
            if "not valid UTF8" in str(failed[0]):
                raise Text2EarthError(
                    f"The tables hold texts that are no UTF-8 ({reason_of(failed[0])}): text2earth data convert writes "
                    "tables without them, which can be counted."
                ) from None
            raise Text2EarthError(f"The tables cannot be read to their end ({reason_of(failed[0])}).") from None
        if failed:
            raise failed[0]
        report(1.0)


@contextmanager
def database() -> Iterator[Database]:
    """An empty database, whose files go at the end."""
    with tempfile.TemporaryDirectory(prefix="text2earth-") as folder:
        opened = Database(Path(folder))
        try:
            yield opened
        finally:
            opened.close()
