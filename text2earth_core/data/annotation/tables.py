"""Items from parquet tables with Git-10M's columns or those of training."""

from __future__ import annotations

import hashlib
import io
import struct
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa
from PIL import Image

from text2earth_core.data.annotation.items import Item, Settled
from text2earth_core.data.annotation.template import Template
from text2earth_core.data.sources.git10m import IMAGE, METADATA, Row, read_row
from text2earth_core.data.sources.tables import BATCH, HUB, columns_of, encoded, opened, tables_of
from text2earth_core.data.texts import rows_of
from text2earth_core.errors import Text2EarthError, reason_of
from text2earth_core.pictures import as_rgb

OTHERS = ("name", "label", "captions", "longitude", "latitude")
"""Columns of training that Git-10M has under other names, or not at all."""

SAID = ("no name", "no caption")
"""Faults of a row that do not matter here."""

MAX_SIDE = 1024
"""Pixels of an image that is sent; a larger one is shrunk."""

MAX_PIXELS = 100_000_000

UNREADABLE = (OSError, ValueError, SyntaxError, TypeError, KeyError, struct.error, Image.DecompressionBombError)
"""What Pillow raises on damaged files."""


class TableSource:
    """A parquet file, a folder of them, or `hf://datasets/OWNER/NAME`, read a batch at a time.

    Raises:
        Text2EarthError: there are no tables, or they have no images.
    """

    def __init__(self, source: str, template: Template | None = None) -> None:
        self._source = source
        self._template = template or Template()
        self._tables = tables_of(source)
        there = columns_of(self._tables)
        if IMAGE not in there:
            without = next(table for table in self._tables if IMAGE not in columns_of([table]))
            raise Text2EarthError(f'{without} has no column "{IMAGE}": a model needs images to describe.')
        self._columns = [name for name in (IMAGE, *METADATA, *OTHERS) if name in there]

    @cached_property
    def _starts(self) -> list[int]:
        """Number of the first row of each table, and of the one behind the last."""
        counts = []
        for table in self._tables:
            with opened(table) as file:
                counts.append(file.metadata.num_rows)
        return [0, *accumulate(counts)]

    @property
    def identity(self) -> dict[str, Any]:
        """Source, rows, and what the model is told."""
        told = hashlib.blake2b(self._template.text.encode(), digest_size=8).hexdigest()
        return {"source": _absolute(self._source), "rows": self.total, "template": told}

    @property
    def total(self) -> int:
        """Rows of all tables."""
        return self._starts[-1]

    def items(self, settled: Settled) -> Iterator[Item]:
        """Rows that are not settled; groups of rows that are, are not read."""
        for table, start in zip(self._tables, self._starts, strict=False):
            with opened(table) as file:
                groups = [file.metadata.row_group(one).num_rows for one in range(file.metadata.num_row_groups)]
                for group, (first, stop) in enumerate(_pairs(accumulate(groups, initial=start))):
                    if not settled(first, stop):
                        yield from self._rows(file, table, group, first, settled, self._columns)

    def item(self, number: int) -> Item:
        """One row, by its place in all tables."""
        return self._one(number, self._columns)

    def told(self, number: int) -> str:
        """What the model is told of a row, without reading its image."""
        return self._one(number, [name for name in self._columns if name != IMAGE]).text

    def _one(self, number: int, columns: list[str]) -> Item:
        if 0 <= number < self.total:
            table = bisect_right(self._starts, number) - 1
            first = self._starts[table]
            with opened(self._tables[table]) as file:
                for group in range(file.metadata.num_row_groups):
                    stop = first + file.metadata.row_group(group).num_rows
                    if number < stop:
                        place = self._tables[table], group, first
                        return next(self._rows(file, *place, lambda start, _: start != number, columns))
                    first = stop
        raise Text2EarthError(f"{self._source} has no row {number}.")

    def picture(self, number: int) -> bytes | None:
        """The image, as the model sees it."""
        return self.item(number).image

    def _rows(
        self, file: Any, table: str, group: int, first: int, settled: Settled, columns: list[str]
    ) -> Iterator[Item]:
        try:
            for block in file.iter_batches(batch_size=BATCH, row_groups=[group], columns=columns):
                for offset in range(block.num_rows):
                    if not settled(first + offset, first + offset + 1):
                        yield self._item(first + offset, rows_of(block.slice(offset, 1))[0])
                first += block.num_rows
        except (OSError, ValueError, pa.ArrowException) as error:
            if isinstance(error, Text2EarthError):
                raise
            raise Text2EarthError(f"{table} is damaged after row {first} ({reason_of(error)}).") from None

    def _item(self, number: int, values: Mapping[str, Any]) -> Item:
        row = read_row(values)
        name = row.name or str(values.get("name") or "")
        image, problem = sendable(encoded(values.get(IMAGE)))
        notes = tuple(fault for fault in row.faults if fault not in SAID)
        return Item(number, {"row": number, "name": name}, self._template.fill(_told(row, values)), image,
                    problem=problem, notes=notes)  # fmt: skip


def _absolute(source: str) -> str:
    """A source as it is called from everywhere."""
    return source if source.startswith(HUB) else str(Path(source).absolute())


def sendable(data: bytes) -> tuple[bytes | None, str]:
    """An image as every endpoint takes it, PNG or JPEG with sides up to `MAX_SIDE`, or None and what is wrong."""
    if not data:
        return None, "no image"
    try:
        with Image.open(io.BytesIO(data)) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                return None, "image is too large"
            kind = picture.format
            pixels = as_rgb(picture)
    except UNREADABLE:
        return None, "image cannot be read"
    if kind in ("PNG", "JPEG") and max(pixels.shape[:2]) <= MAX_SIDE:
        return data, ""
    shown = Image.fromarray(pixels)
    shown.thumbnail((MAX_SIDE, MAX_SIDE))
    buffer = io.BytesIO()
    shown.save(buffer, "PNG")
    return buffer.getvalue(), ""


def _told(row: Row, values: Mapping[str, Any]) -> dict[str, str]:
    """What is known of a row, by the template's fields; a resolution that contradicts the place is not."""
    longitude, latitude = row.place.centre if row.place else (values.get("longitude"), values.get("latitude"))
    captions = values.get("captions") or []
    return {
        "place": _place(longitude, latitude),
        "resolution": f"{row.resolution:g} m" if row.resolution else "",
        "class": str(values.get("label") or ""),
        "caption": row.caption or (str(captions[0]) if isinstance(captions, list) and captions else ""),
    }


def _place(longitude: Any, latitude: Any) -> str:
    try:
        east, north = float(longitude), float(latitude)
    except (TypeError, ValueError):
        return ""
    if not (abs(east) <= 180 and abs(north) <= 90):
        return ""
    return f"{abs(north):.2f}° {'N' if north >= 0 else 'S'}, {abs(east):.2f}° {'E' if east >= 0 else 'W'}"


def _pairs(borders: Iterator[int]) -> Iterator[tuple[int, int]]:
    first = next(borders)
    for stop in borders:
        yield first, stop
        first = stop
