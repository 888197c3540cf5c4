"""Parquet tables of any size, worked on part by part: each part is a file that is there as a whole or not at all.

Rows are read as a stream, a few at a time. A part holds at most `PART_ROWS` of one row group; when all parts of a table
are there they become the table, and go. What was bad, and by which work a part was made, stands in its notes, so that
an interrupted table goes on with what is missing and knows what it counted: every row is worked on once.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from text2earth_core.data.texts import rows_of
from text2earth_core.errors import Text2EarthError, reason_of
from text2earth_core.whole_file import whole_file

PART_ROWS = 64
"""What is lost when the power goes, and what a worker takes at a time."""

READ_ROWS = 8
"""Rows that are held at a time."""

NOTES = b"text2earth.made"

Row = dict[str, Any]


class BadRow(Exception):
    """A row that cannot be worked on; its text is the reason, the same for all that are bad for it.

    kept: the row as it is kept; None where it is left out.
    """

    def __init__(self, reason: str, kept: Row | None = None) -> None:
        super().__init__(reason)
        self.kept = kept


class Work(Protocol):
    """What is done with each row of a table.

    facts: what the result depends on, for JSON: another program, other weights, another setting. schema: the columns of
    the result, of those before. change: a row of the result; it may raise `BadRow`.
    """

    @property
    def facts(self) -> dict[str, Any]: ...

    def schema(self, before: pa.Schema) -> pa.Schema: ...

    def change(self, row: Row) -> Row: ...


@dataclass(frozen=True)
class Mark:
    """What a part and a table were made by and of: the facts of the work, and bytes of the table before."""

    facts: dict[str, Any]
    source_bytes: int


@dataclass(frozen=True)
class RowsJob:
    """Rows `start` to `stop` of a row group of the table `source`, which become the file `part`."""

    source: Path
    group: int
    start: int
    stop: int
    part: Path
    mark: Mark

    @property
    def count(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True)
class Table:
    """One table to be made: `jobs` are those of all its parts, in order."""

    source: Path
    out: Path
    mark: Mark
    rows: int
    jobs: tuple[RowsJob, ...]

    @property
    def parts(self) -> Path:
        """The folder in which parts wait for each other."""
        return self.out.with_name(f".{self.out.name}.parts")

    def counted(self, file: Path) -> Counter[str] | None:
        """Why rows of a part, or of the table, were bad; None where it is not there.

        Raises:
            Text2EarthError: it was made by other work, or of another table.
        """
        if not file.is_file():
            return None
        try:
            notes = json.loads((pq.read_schema(file).metadata or {})[NOTES])
            mark, bad = Mark(**notes["mark"]), Counter(notes["bad"])
        except (OSError, ValueError, KeyError, TypeError):
            mark, bad = None, Counter()
        if mark != self.mark:
            raise Text2EarthError(
                f"{file} is there already, but was not made of this table in this way: choose another place for it, or "
                "make all anew with --anew."
            )
        return bad


def table_of(source: Path, out: Path, facts: dict[str, Any]) -> Table:
    """What work with such facts makes of a parquet file; Text2EarthError where it is none, or has no images."""
    try:
        with pq.ParquetFile(source) as file:
            groups = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
            names = file.schema_arrow.names
    except (OSError, ValueError) as error:
        raise Text2EarthError(f"{source} cannot be read as a parquet table: {reason_of(error)}.") from None
    if "image" not in names:
        raise Text2EarthError(f"{source} has no column `image`: it holds {', '.join(names)}.")
    table = Table(source, out, Mark(facts, source.stat().st_size), sum(groups), ())
    jobs = tuple(
        RowsJob(source, group, start, min(start + PART_ROWS, rows), table.parts / f"{group:05d}-{start:09d}.parquet",
                table.mark)
        for group, rows in enumerate(groups)
        for start in range(0, rows, PART_ROWS)
    )  # fmt: skip
    return Table(source, out, table.mark, table.rows, jobs)


def make_part(job: RowsJob, work: Work, before_each: Callable[[], None]) -> Counter[str]:
    """Write one part; returns why rows were bad. `before_each` row is called and may raise to stop."""
    bad: Counter[str] = Counter()
    rows: list[Row] = []
    with pq.ParquetFile(job.source, pre_buffer=False, buffer_size=1 << 20) as file:
        schema = work.schema(file.schema_arrow)
        for row in _rows(file, job):
            before_each()
            try:
                rows.append(work.change(row))
            except BadRow as reason:
                bad[str(reason)] += 1
                if reason.kept is not None:
                    rows.append(reason.kept)
    table = pa.Table.from_pylist(rows, schema=_noted(schema, job.mark, bad))
    job.part.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(job.part) as path:
        pq.write_table(table, path)
    return bad


def join_parts(table: Table, work: Work) -> None:
    """Make a table of its parts, which must all be there, and delete them."""
    bad: Counter[str] = Counter()
    for job in table.jobs:
        bad += table.counted(job.part) or Counter()
    with pq.ParquetFile(table.source) as file:
        schema = _noted(work.schema(file.schema_arrow), table.mark, bad)
    table.out.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(table.out) as path, pq.ParquetWriter(path, schema) as writer:
        for job in table.jobs:
            writer.write_table(pq.read_table(job.part, partitioning=None).replace_schema_metadata(schema.metadata))
    shutil.rmtree(table.parts, ignore_errors=True)


def _rows(file: pq.ParquetFile, job: RowsJob) -> Iterator[Row]:
    """Rows `start` to `stop` of the job's row group."""
    at, batches = 0, file.iter_batches(READ_ROWS, row_groups=[job.group])
    while at < job.stop:
        try:
            batch = next(batches)
        except (OSError, ValueError, StopIteration) as error:
            raise Text2EarthError(f"{job.source} is damaged in row group {job.group}: {reason_of(error)}.") from None
        if at + len(batch) > job.start:
            yield from rows_of(batch.slice(max(0, job.start - at), job.stop - max(at, job.start)))
        at += len(batch)


def _noted(schema: pa.Schema, mark: Mark, bad: Counter[str]) -> pa.Schema:
    notes = json.dumps({"mark": vars(mark), "bad": dict(bad)}).encode()
    return schema.with_metadata((schema.metadata or {}) | {NOTES: notes})
