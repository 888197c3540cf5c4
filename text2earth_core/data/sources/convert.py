"""From Git-10M's columns to those of training, with what cannot be used left out and named."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from text2earth_core.data.sources.faults import COPY, UNUSABLE, Seen, check, look
from text2earth_core.errors import Text2EarthError

SHARD_BYTES = 256 << 20
"""Encoded images in one file of the output."""

BLOCK = 256
"""Rows written at a time."""

LEFT_OUT = "left_out.jsonl"

SCHEMA = pa.schema(
    {
        "image": pa.struct({"bytes": pa.binary(), "path": pa.string()}),
        "label": pa.string(), "captions": pa.list_(pa.string()), "resolution": pa.float64(), "split": pa.string(),
        "name": pa.string(), "quality": pa.float64(), "longitude": pa.float64(), "latitude": pa.float64(),
    }
)  # fmt: skip
"""The columns that training reads, and after them what else is known; longitude and latitude are the centre's."""


def convert(
    source: str,
    out: Path,
    name: str = "git10m",
    held_back: float = 0.02,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> dict[str, Any]:
    """Write a data set with Git-10M's columns as a data folder of `corpus.load_corpus`.

    Every row of the source is either in the tables or in `left_out.jsonl`, with its place and its faults.

    Args:
        name: of the data set in the folder.
        held_back: share of the images in the split "val", chosen by the hash of their bytes.

    Returns:
        What `check` found, with "written" and "left_out".

    Raises:
        Text2EarthError: `out` is there already, the source cannot be read, or nothing of it can be used.
    """
    if out.exists() and any(out.iterdir()):
        raise Text2EarthError(f"{out} is not empty: give a new folder.")
    found, usable = check(source, lambda done, total: progress("Checking", done, total))
    written = sum(usable)
    if not found.images:
        raise Text2EarthError(f"{source} holds no images, only what is said of them: there is nothing to train on.")
    if not written:
        raise Text2EarthError(f"No row of {source} can be used: text2earth data check tells why.")
    part = out.with_name(out.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    with _Tables(part, name) as tables, (part / LEFT_OUT).open("w", encoding="utf-8") as left_out:
        for kept, seen in zip(usable, look(source, lambda done, total: progress("Writing", done, total)), strict=True):
            if kept:
                tables.write(_converted(seen, held_back), len(seen.image))
            else:
                faults = [*seen.faults] if set(seen.faults) & set(UNUSABLE) else [*seen.faults, COPY]
                told = {"place": seen.place, "name": seen.row.name, "caption": seen.row.caption, "faults": faults}
                left_out.write(json.dumps(told, ensure_ascii=False) + "\n")
    if out.exists():
        out.rmdir()
    part.rename(out)
    return found.as_json() | {"written": written, "left_out": len(usable) - written}


def _converted(seen: Seen, held_back: float) -> dict[str, Any]:
    row = seen.row
    longitude, latitude = row.place.centre if row.place else (None, None)
    chance = int.from_bytes(hashlib.blake2b(seen.image, digest_size=8).digest(), "big") / 2**64
    return {
        "image": {"bytes": seen.image, "path": row.name}, "label": "", "captions": [row.caption] if row.caption else [],
        "resolution": row.resolution, "split": "val" if chance < held_back else "train",
        "name": row.name, "quality": row.quality, "longitude": longitude, "latitude": latitude,
    }  # fmt: skip


class _Tables:
    """Numbered parquet files of a folder, a new one whenever `SHARD_BYTES` of images are in the last."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._block: list[dict[str, Any]] = []
        self._file: pq.ParquetWriter | None = None
        self._count = self._bytes = 0

    def __enter__(self) -> _Tables:
        return self

    def __exit__(self, *error: object) -> None:
        self._flush()
        if self._file is not None:
            self._file.close()

    def write(self, row: dict[str, Any], size: int) -> None:
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
