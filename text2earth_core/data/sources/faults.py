"""Looking at every row of a data set: faults counted by reason, with examples, and whether the row can be used."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from text2earth_core.data.corpus import decode_image
from text2earth_core.data.sources.git10m import COLUMNS, IMAGE, METADATA, Row, read_row
from text2earth_core.data.sources.likeness import copies, is_open_sea, perceptual_hash
from text2earth_core.data.sources.tables import (
    BATCH,
    METADATA_BATCH,
    columns_of,
    count_rows,
    encoded,
    stream,
    tables_of,
)
from text2earth_core.errors import Text2EarthError

EXAMPLES = 3
"""Of each reason, shown to people."""

NO_IMAGE, DAMAGED, SEA, COPY = "no image", "image is damaged", "near-uniform sea", "copy of another image"
UNUSABLE = (NO_IMAGE, DAMAGED, SEA, COPY)
"""Rows with one of these are left out by a conversion; with other faults they stay, with what is known of them."""

HASH, FAULT = "img_hash", "img_fault"
"""Columns of `data hash`: 16 hexadecimal digits, and what is wrong with the image; each may be empty."""

Progress = Callable[[int, int], None]


@dataclass
class Findings:
    """What a look at all rows found. good: rows without any fault. images: whether there were images to look at."""

    rows: int = 0
    good: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    images: bool = True

    def add(self, place: str, faults: tuple[str, ...]) -> None:
        """Count a row."""
        self.rows += 1
        self.good += not faults
        for reason in faults:
            self._count(reason, place)

    def add_copy(self, place: str, was_good: bool) -> None:
        """A row that was added already turned out to be a copy."""
        self.good -= was_good
        self._count(COPY, place)

    def _count(self, reason: str, place: str) -> None:
        self.faults[reason] += 1
        shown = self.examples.setdefault(reason, [])
        if len(shown) < EXAMPLES:
            shown.append(place)

    def as_json(self) -> dict[str, Any]:
        """{"rows", "good", "faults": {reason: count}, "examples": {reason: [place]}, "images"}."""
        faults = dict(self.faults.most_common())
        return {
            "rows": self.rows, "good": self.good, "faults": faults,
            "examples": {reason: self.examples[reason] for reason in faults}, "images": self.images,
        }  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """A row that was looked at. image: its bytes, empty where there are none. hash: of its image,
    None where there is none to compare."""

    place: str
    row: Row
    image: bytes
    faults: tuple[str, ...]
    hash: int | None


def look(source: str, progress: Progress) -> Iterator[Seen]:
    """Every row of a data set in order; copies are not known yet.

    Raises:
        Text2EarthError: there are no tables, they have none of Git-10M's columns, or one cannot be read.
    """
    tables = tables_of(source)
    there = {table: columns_of([table]) for table in tables}
    for table, names in there.items():
        if "captions" in names and not names & {"caption", "Google_location"}:
            raise Text2EarthError(f"{table} has the columns of training already: text2earth data stats describes it.")
        if not names & {IMAGE, "caption", "Google_location"}:
            raise Text2EarthError(
                f"{table} is no Git-10M: it lacks the main ones of its columns ({', '.join(COLUMNS)})."
            )
    with_images = any(IMAGE in names for names in there.values())
    total = count_rows(tables)
    columns, batch = ((*COLUMNS, HASH, FAULT), BATCH) if with_images else (METADATA, METADATA_BATCH)
    for number, (place, values) in enumerate(stream(tables, columns, batch)):
        row = read_row(values)
        image = encoded(values.get(IMAGE))
        hashed, wrong = (looked_at(values) or look_at(image, place)) if with_images else (None, ())
        yield Seen(place, row, image, (*row.faults, *wrong), hashed)
        if number % 256 == 0:
            progress(number, total)
    progress(total, total)


def looked_at(values: Mapping[str, Any]) -> tuple[int | None, tuple[str, ...]] | None:
    """What `data hash` wrote of an image; None where it did not."""
    hashed, fault = values.get(HASH), values.get(FAULT)
    if isinstance(hashed, str) and re.fullmatch("[0-9a-f]{16}", hashed) and not fault:
        return int(hashed, 16), ()
    return (None, (fault,)) if fault in (NO_IMAGE, DAMAGED, SEA) and not hashed else None


def look_at(image: bytes, place: str) -> tuple[int | None, tuple[str, ...]]:
    """The hash of an image and its faults."""
    if not image:
        return None, (NO_IMAGE,)
    try:
        pixels = decode_image(image, place)
    except Text2EarthError:
        return None, (DAMAGED,)
    if is_open_sea(pixels):
        return None, (SEA,)  # all seas look alike: they are no copies
    return perceptual_hash(pixels), ()


def check(source: str, progress: Progress = lambda done, total: None) -> tuple[Findings, bytearray]:
    """Look at all rows of a data set, in the memory of one batch, 2 bytes a row, and some 50 an image to find copies.

    Returns:
        What was found, and for each row 1 where a conversion can use it, else 0.

    Raises:
        Text2EarthError: as `look`.
    """
    found = Findings(images=False)
    hashes, hashed = array("Q"), array("Q")
    usable, good = bytearray(), bytearray()
    starts: list[tuple[int, str]] = []  # of the tables: number of its first row, name
    for number, seen in enumerate(look(source, progress)):
        found.add(seen.place, seen.faults)
        found.images |= bool(seen.image)
        usable.append(not set(seen.faults) & set(UNUSABLE))
        good.append(not seen.faults)
        row, _, table = seen.place.removeprefix("Row ").partition(" of ")
        if row == "0":
            starts.append((number, table))
        if seen.hash is not None:
            hashes.append(seen.hash)
            hashed.append(number)
    for position in np.flatnonzero(copies(np.array(hashes, dtype=np.uint64))):
        number = hashed[int(position)]
        usable[number] = 0
        first, table = starts[bisect_right(starts, number, key=lambda start: start[0]) - 1]
        found.add_copy(f"Row {number - first} of {table}", bool(good[number]))
    return found, usable
