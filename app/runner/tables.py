"""What there is to do with tables: their parts, without what is there already."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from app.errors import AppError, NotFound
from app.runner.work import Job
from text2earth_core.data.runner.parts import RowsJob, Table, Work, join_parts, table_of


@dataclass
class Plan:
    """Many images: `jobs` are to be done; `finish` is told of each that was.

    total: images in all. done: there already, the bad ones included. bad: why those are bad.
    """

    total: int
    done: int = 0
    bad: Counter[str] = field(default_factory=Counter)
    jobs: list[Job] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    work: Work | None = None

    def __post_init__(self) -> None:
        self._table_of: dict[Path, Table] = {job.part: table for table in self.tables for job in table.jobs}
        self._missing = Counter(self._table_of[job.part].out for job in self.jobs if isinstance(job, RowsJob))

    def finish(self, job: Job) -> None:
        """A job is done; the last one of a table joins its parts."""
        if not isinstance(job, RowsJob) or self.work is None:
            return
        table = self._table_of[job.part]
        self._missing[table.out] -= 1
        if self._missing[table.out] == 0:
            join_parts(table, self.work)


def places(source: Path, out: Path) -> dict[Path, Path]:
    """The tables of a file or a folder, and what is to be made of each; none where the folder holds no tables.

    Raises:
        AppError: there is nothing, IN is OUT, or a folder is to become a file.
    """
    if not source.exists():
        raise NotFound(f"There is no file or folder {source}: check its name.")
    if source.resolve() == out.resolve():
        raise AppError(
            f"What is made of {source} cannot be called so too: choose another place, for it stays as it is."
        )
    if source.is_file():
        return {source: out if out.suffix.lower() == ".parquet" else out / source.name}
    if out.is_file():
        raise AppError(f"{out} is a file, and {source} a folder: choose a folder for what is made of it.")
    return {table: out / table.name for table in sorted(source.glob("*.parquet"))}


def plan_tables(places: dict[Path, Path], work: Work, anew: bool) -> Plan:
    """The parts that are missing, or with `anew` all.

    Raises:
        Text2EarthError: a table cannot be read, or what is there was made by other work.
    """
    made, jobs, bad, done = [], [], Counter[str](), 0
    for source, out in places.items():
        table = table_of(source, out, work.facts)
        made.append(table)
        whole = None if anew else table.counted(out)
        if whole is not None:
            bad, done = bad + whole, done + table.rows
            continue
        missing = []
        for job in table.jobs:
            part = None if anew else table.counted(job.part)
            if part is None:
                missing.append(job)
            else:
                bad, done = bad + part, done + job.count
        if not missing:  # it was stopped when only this was to be done, or it has no rows
            join_parts(table, work)
        jobs += missing
    return Plan(sum(table.rows for table in made), done, bad, list(jobs), made, work)
