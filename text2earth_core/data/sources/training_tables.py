"""A data folder as training reads it: numbered parquet files with its columns, there as a whole or not at all."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from text2earth_core.errors import Text2EarthError

SHARD_BYTES = 256 << 20
"""Encoded images in one file of the output."""

BLOCK = 256
"""Rows written at a time."""

LEFT_OUT = "left_out.jsonl"
"""What could not be used, with its place and its faults."""

SCHEMA = pa.schema(
    {
        "image": pa.struct({"bytes": pa.binary(), "path": pa.string()}),
        "label": pa.string(), "captions": pa.list_(pa.string()), "resolution": pa.float64(), "split": pa.string(),
        "name": pa.string(), "quality": pa.float64(), "longitude": pa.float64(), "latitude": pa.float64(),
    }
)  # fmt: skip
"""The columns that training reads, and after them what else is known; longitude and latitude are the centre's."""


def check_output(out: Path, name: str) -> None:
    """Say before the work what would be wrong with an output; Text2EarthError."""
    if not re.fullmatch(r"\w[\w.-]{0,99}", name):
        raise Text2EarthError(f'"{name}" cannot name a data set: use letters, digits, ".", "-" and "_".')
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise Text2EarthError(f"{out} {'is not empty' if out.is_dir() else 'is a file'}: give a new folder.")


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Lend a folder beside `out`, which is called so once all went well, and goes where it did not.

    Raises:
        Text2EarthError: it cannot be written.
    """
    part = out.with_name(out.name + ".part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        yield part
        if out.exists():
            out.rmdir()
        part.rename(out)
    except OSError as error:
        raise Text2EarthError(f"{out} cannot be written ({error.strerror}): choose another folder.") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


class TrainingTables:
    """Writes numbered parquet files into a folder, a new one whenever `SHARD_BYTES` of images are in the last."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._block: list[dict[str, Any]] = []
        self._file: pq.ParquetWriter | None = None
        self._count = self._bytes = 0

    def __enter__(self) -> TrainingTables:
        return self

    def __exit__(self, *error: object) -> None:
        self._flush()
        if self._file is not None:
            self._file.close()

    def write(self, row: dict[str, Any], size: int) -> None:
        """Add a row of `SCHEMA` whose image has so many bytes."""
        if self._file is not None and self._bytes + size > SHARD_BYTES:
            self._flush()
            self._file.close()
            self._file = None
        if self._file is None:
            path = self._folder / f"{self._name}-{self._count:05d}.parquet"
            self._file = pq.ParquetWriter(path, SCHEMA, compression="zstd")
            self._count, self._bytes = self._count + 1, 0
        self._block.append(row)
        self._bytes += size
        if len(self._block) >= BLOCK:
            self._flush()

    def _flush(self) -> None:
        if self._block and self._file is not None:
            self._file.write_table(pa.Table.from_pylist(self._block, schema=SCHEMA))
        self._block = []
