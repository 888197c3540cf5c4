"""Rows of a large data set in a shuffled order that only a number tells: any place of it can be gone to at once.

Of all rows the metadata are read once, which says what can be used, and why not; images are read block by block. An
epoch is the row groups in an order by chance, several together a block, and the rows of a block in an order by chance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from text2earth_core.data.sources.git10m import COLUMNS, IMAGE, METADATA, Row, read_row
from text2earth_core.data.sources.tables import columns_of, encoded, opened, tables_of
from text2earth_core.errors import Text2EarthError, reason_of

BUFFER = 8_192
"""Rows at least that are shuffled among each other; with images of 20 kB some 160 MB."""

NO_LEVEL, LOW = "no level", "below the quality asked for"

HARMLESS = ("no name", "caption length is no number")
"""Faults of a row that can be trained on all the same; they are counted, too."""


@dataclass(frozen=True)
class Group:
    """A row group of a table, with those of its rows that can be used."""

    table: str
    number: int
    usable: np.ndarray


class Rows:
    """The usable rows of a data set, by position in an endless shuffled order.

    Attributes:
        total: rows of the data set. count: those that can be used, one epoch. faults: rows by reason; a row may have
            several. skipped: rows that cannot be used.

    Args:
        quality: only rows whose aesthetic score is higher; None takes all (the paper's second stage has 4.8).
        buffer: rows at least that are shuffled among each other.

    Raises:
        Text2EarthError: there are no tables, one cannot be read, a column is missing, or no row can be used.
    """

    def __init__(self, source: str, seed: int = 0, quality: float | None = None, buffer: int = BUFFER) -> None:
        tables = tables_of(source)
        missing = {IMAGE, "caption", "img_quality_score"} - columns_of(tables)
        if missing:
            raise Text2EarthError(
                f"{source} is no Git-10M: of its columns ({', '.join(COLUMNS)}) its tables lack "
                f"{', '.join(sorted(missing))}."
            )
        self.seed, self.buffer = seed, buffer
        self.total, self.skipped = 0, 0
        self.faults: Counter[str] = Counter()
        self._groups = [self._survey(table, number, quality) for table, number in _groups_of(tables)]
        self.count = sum(len(group.usable) for group in self._groups)
        if not self.count:
            told = ", ".join(f"{reason} ({count})" for reason, count in self.faults.most_common(3))
            raise Text2EarthError(f"No row of {source} can be used: {told or 'there are none'}.")
        self._order: tuple[int, list[tuple[int, list[int]]]] = (-1, [])
        self._block: tuple[tuple[int, int], np.ndarray, dict[int, np.ndarray]] = ((-1, -1), np.empty(0), {})
        self._images: dict[tuple[int, int], tuple[str, dict[str, Any]]] = {}

    def _survey(self, table: str, number: int, quality: float | None) -> Group:
        """What of a row group can be used, by its metadata."""
        usable = []
        values = _read(table, number, METADATA)
        for at, row in enumerate(values):
            seen = read_row(row)
            faults = [*seen.faults]
            if seen.resolution is None and "level and resolution disagree" not in faults:
                faults.append(NO_LEVEL)
            self.faults.update(faults)
            if set(faults) - set(HARMLESS):
                self.skipped += 1
            elif quality is not None and (seen.quality is None or seen.quality <= quality):
                self.faults[LOW] += 1
                self.skipped += 1
            else:
                usable.append(at)
        self.total += len(values)
        return Group(table, number, np.array(usable, dtype=np.int64))

    def at(self, positions: Sequence[int]) -> list[tuple[str, Row, bytes]]:
        """(place, metadata, encoded image) of rows by their positions, from 0, in the endless order.

        Positions that rise are fast; others read a block again. Not for several threads at once.

        Raises:
            Text2EarthError: a table cannot be read any more.
        """
        found = []
        for position in positions:
            epoch, place = divmod(position, self.count)
            start, groups = self._block_of(epoch, place)
            key = (epoch, start)
            if self._block[0] != key:
                pairs = np.array([(g, row) for g in groups for row in self._groups[g].usable], dtype=np.int64)
                shuffled = np.random.default_rng((self.seed, epoch, start)).permutation(len(pairs))
                self._block, self._images = (key, pairs[shuffled], {}), {}
            group, row = map(int, self._block[1][place - start])
            found.append(self._row(group, row))
        return found

    def _row(self, group: int, row: int) -> tuple[str, Row, bytes]:
        """One row; a row group is read once for as long as its block lasts."""
        if (group, row) not in self._images:
            where = self._groups[group]
            values = _read(where.table, where.number, COLUMNS)
            for at in map(int, where.usable):
                place = f"Row {at} of group {where.number} of {where.table}"
                self._images[group, at] = (place, values[at])
        place, raw = self._images[group, row]
        return place, read_row(raw), encoded(raw.get(IMAGE))

    def _block_of(self, epoch: int, place: int) -> tuple[int, list[int]]:
        """The first position of the block that holds `place` of an epoch, and its row groups."""
        if self._order[0] != epoch:
            self._order = (epoch, list(self._blocks(epoch)))
        return next((start, groups) for start, groups in reversed(self._order[1]) if start <= place)

    def _blocks(self, epoch: int) -> Iterator[tuple[int, list[int]]]:
        start, size, groups = 0, 0, list[int]()
        for group in map(int, np.random.default_rng((self.seed, epoch)).permutation(len(self._groups))):
            if not len(self._groups[group].usable):
                continue
            groups.append(group)
            size += len(self._groups[group].usable)
            if size >= self.buffer:
                yield start, groups
                start, size, groups = start + size, 0, []
        if groups:
            yield start, groups


def _groups_of(tables: Sequence[str]) -> Iterator[tuple[str, int]]:
    for table in tables:
        with opened(table) as file:
            count = file.num_row_groups
        yield from ((table, number) for number in range(count))


def _read(table: str, number: int, columns: Sequence[str]) -> list[dict[str, Any]]:
    with opened(table) as file:
        there = [name for name in columns if name in file.schema_arrow.names]
        try:
            return file.read_row_group(number, columns=there).to_pylist()
        except (OSError, ValueError, pa.ArrowException) as error:
            raise Text2EarthError(f"{table} is damaged in its row group {number} ({reason_of(error)}).") from None
