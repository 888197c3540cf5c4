"""Rows of parquet tables of any size as a stream, from a file, a folder, or a data set on the hub."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from text2earth_core.data.texts import rows_of
from text2earth_core.errors import Text2EarthError, reason_of

BATCH = 256
"""Rows in memory at a time where they hold images."""

METADATA_BATCH = 8192
"""The same where they hold none."""

HUB = "hf://"


def tables_of(source: str) -> list[str]:
    """The parquet files of a file, a folder (and its folders), or `hf://datasets/OWNER/NAME`, in order.

    Raises:
        Text2EarthError: there are none.
    """
    if source.startswith(HUB):
        found = _hub_tables(source)
    else:
        path = Path(source)
        found = [source] if path.is_file() else sorted(map(str, path.rglob("*.parquet")))
    if not found:
        raise Text2EarthError(
            f"{source} holds no parquet files: give a file, a folder of them, or hf://datasets/OWNER/NAME."
        )
    return found


def _hub_tables(source: str) -> list[str]:
    from huggingface_hub import HfFileSystem

    try:
        found = HfFileSystem().glob(f"{source.removeprefix(HUB).rstrip('/')}/**/*.parquet")
    except Exception as error:  # its client lets through whatever the network's library raises
        raise Text2EarthError(
            f"{source} cannot be listed ({reason_of(error)}): without a network, give a folder with its parquet files."
        ) from None
    return sorted(f"{HUB}{name.lstrip('/')}" for name in found)


@contextmanager
def opened(table: str) -> Iterator[pq.ParquetFile]:
    """A parquet file, closed at the end.

    Raises:
        Text2EarthError: it is damaged or no parquet file.
    """
    try:
        if table.startswith(HUB):
            from huggingface_hub import HfFileSystem

            try:
                file = pq.ParquetFile(HfFileSystem().open(table.removeprefix(HUB)))
            except Exception as error:  # as above
                raise Text2EarthError(f"{table} cannot be read ({reason_of(error)}).") from None
        else:
            file = pq.ParquetFile(table)
    except (OSError, ValueError) as error:
        raise Text2EarthError(f"{table} is damaged or no parquet file ({reason_of(error)}).") from None
    with file:
        yield file


def count_rows(tables: Sequence[str]) -> int:
    """Rows of all tables, from their footers alone."""
    total = 0
    for table in tables:
        with opened(table) as file:
            total += file.metadata.num_rows
    return total


def columns_of(tables: Sequence[str]) -> set[str]:
    """Columns that all tables have."""
    shared: set[str] | None = None
    for table in tables:
        with opened(table) as file:
            names = set(file.schema_arrow.names)
        shared = names if shared is None else shared & names
    return shared or set()


def stream(tables: Sequence[str], columns: Sequence[str], batch: int = BATCH) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place, values) of each row in order; the place names file and row.

    Raises:
        Text2EarthError: a table cannot be read to its end.
    """
    for table in tables:
        with opened(table) as file:
            there = [name for name in columns if name in file.schema_arrow.names]
            number = 0
            try:
                for block in file.iter_batches(batch_size=batch, columns=there):
                    for values in rows_of(block):
                        yield f"Row {number} of {table}", values
                        number += 1
            except (OSError, ValueError, pa.ArrowException) as error:
                raise Text2EarthError(f"{table} is damaged after row {number} ({reason_of(error)}).") from None


def encoded(image: Any) -> bytes:
    """The bytes of an image column's value, a struct that holds them or the bytes; empty where it has none."""
    data = image.get("bytes") if isinstance(image, dict) else image
    return data if isinstance(data, bytes) else b""
