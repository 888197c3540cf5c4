"""Parquet tables of any size, enhanced part by part: each part is a file that is there as a whole or not at all.

Rows are read as a stream, a few at a time. A part holds at most `PART_ROWS` of one row group; when all parts of a table
are there they become the table, and go. What was left out, and by which enhancer a part was made, stands in its notes,
so that an interrupted table goes on with what is missing and knows what it counted.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from text2earth_core.enhancement.rows import BadRow, better_schema, enhance_row
from text2earth_core.errors import Text2EarthError, reason_of
from text2earth_core.whole_file import whole_file

if TYPE_CHECKING:
    from text2earth_core.enhancement.enhancer import Enhancer

PART_ROWS = 64
"""What is lost when the power goes, and what a worker takes at a time."""

READ_ROWS = 8
"""Rows that are held at a time."""

NOTES = b"text2earth.enhance"


@dataclass(frozen=True)
class Mark:
    """What a part and a table were made by and of: an enhancer's fingerprint, and bytes of the table before."""

    enhancer: str
    same_size: bool
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
        """Why rows were left out of a part, or of the table; None where it is not there.

        Raises:
            Text2EarthError: it was made by another enhancer, or of another table.
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
                f"{file} is there already, but was not made by this enhancer of this table in this way: choose another "
                "--out, or make all anew with --anew."
            )
        return bad


def table_of(source: Path, out: Path, enhancer: str, same_size: bool) -> Table:
    """What is to be made of a parquet file; Text2EarthError where it is none, or has no column of images."""
    try:
        with pq.ParquetFile(source) as file:
            groups = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
            names = file.schema_arrow.names
    except (OSError, ValueError) as error:
        raise Text2EarthError(f"{source} cannot be read as a parquet table: {reason_of(error)}.") from None
    if "image" not in names:
        raise Text2EarthError(f"{source} has no column `image`: it holds {', '.join(names)}.")
    table = Table(source, out, Mark(enhancer, same_size, source.stat().st_size), sum(groups), ())
    jobs = tuple(
        RowsJob(source, group, start, min(start + PART_ROWS, rows), table.parts / f"{group:05d}-{start:09d}.parquet",
                table.mark)
        for group, rows in enumerate(groups)
        for start in range(0, rows, PART_ROWS)
    )  # fmt: skip
    return Table(source, out, table.mark, table.rows, jobs)


def make_part(job: RowsJob, enhancer: Enhancer, before_each: Callable[[], None]) -> Counter[str]:
    """Write one part; returns why rows were left out. `before_each` row is called and may raise to stop."""
    bad: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    with pq.ParquetFile(job.source, pre_buffer=False, buffer_size=1 << 20) as file:
        schema = better_schema(file.schema_arrow, job.mark.same_size)
        for row in _rows(file, job):
            before_each()
            try:
                rows.append(enhance_row(row, enhancer, job.mark.same_size))
            except BadRow as reason:
                bad[str(reason)] += 1
    table = pa.Table.from_pylist(rows, schema=_noted(schema, job.mark, bad))
    job.part.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(job.part) as path:
        pq.write_table(table, path)
    return bad


def join_parts(table: Table) -> None:
    """Make a table of its parts, which must all be there, and delete them."""
    bad: Counter[str] = Counter()
    for job in table.jobs:
        bad += table.counted(job.part) or Counter()
    with pq.ParquetFile(table.source) as file:
        schema = _noted(better_schema(file.schema_arrow, table.mark.same_size), table.mark, bad)
    table.out.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(table.out) as path, pq.ParquetWriter(path, schema) as writer:
        for job in table.jobs:
            writer.write_table(pq.read_table(job.part, partitioning=None).replace_schema_metadata(schema.metadata))
    shutil.rmtree(table.parts, ignore_errors=True)


def _rows(file: pq.ParquetFile, job: RowsJob) -> Iterator[dict[str, Any]]:
    """Rows `start` to `stop` of the job's row group."""
    at, batches = 0, file.iter_batches(READ_ROWS, row_groups=[job.group])
    while at < job.stop:
        try:
            batch = next(batches)
        except (OSError, ValueError, StopIteration) as error:
            raise Text2EarthError(f"{job.source} is damaged in row group {job.group}: {reason_of(error)}.") from None
        if at + len(batch) > job.start:
            yield from batch.slice(max(0, job.start - at), job.stop - max(at, job.start)).to_pylist()
        at += len(batch)


def _noted(schema: pa.Schema, mark: Mark, bad: Counter[str]) -> pa.Schema:
    notes = json.dumps({"mark": vars(mark), "bad": dict(bad)}).encode()
    return schema.with_metadata((schema.metadata or {}) | {NOTES: notes})
