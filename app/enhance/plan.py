"""What there is to do: the pictures of a folder, or the parts of tables, without what is there already."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.enhance.work import Job, PictureJob
from app.enhance.writers import SUFFIXES
from app.errors import AppError, NotFound
from text2earth_core.enhancement.tables import RowsJob, Table, join_parts, table_of
from text2earth_core.whole_file import whole_file

NOTE = ".text2earth-enhance.json"
"""In a folder of pictures: which enhancer made them, and how."""


@dataclass
class Plan:
    """Many images: `jobs` are to be done; `finish` is told of each that was.

    total: images in all. done: there already, the ones left out included. bad: why those were left out.
    """

    total: int
    done: int = 0
    bad: Counter[str] = field(default_factory=Counter)
    jobs: list[Job] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._table_of: dict[Path, Table] = {job.part: table for table in self.tables for job in table.jobs}
        self._missing = Counter(self._table_of[job.part].out for job in self.jobs if isinstance(job, RowsJob))

    def finish(self, job: Job) -> None:
        """A job is done; the last one of a table joins its parts."""
        if not isinstance(job, RowsJob):
            return
        table = self._table_of[job.part]
        self._missing[table.out] -= 1
        if self._missing[table.out] == 0:
            join_parts(table)


def is_many(source: Path) -> bool:
    """Whether IN is a folder or a table, and not one picture; NotFound where there is neither."""
    if not source.exists():
        raise NotFound(f"There is no file or folder {source}: check its name.")
    return source.is_dir() or source.suffix.lower() == ".parquet"


def plan(source: Path, out: Path, enhancer: str, same_size: bool, anew: bool) -> Plan:
    """For a folder of pictures or tables, or one table; `enhancer` is its fingerprint, `anew` does all once more.

    Raises:
        AppError: nothing is there to do, or IN and OUT cannot be so.
        Text2EarthError: a table cannot be read, or OUT holds what another enhancer made.
    """
    if source.resolve() == out.resolve():
        raise AppError(f"--out is {source} itself: choose another place, for the pictures there stay as they are.")
    if source.is_file():
        return _tables(
            {source: out if out.suffix.lower() == ".parquet" else out / source.name}, enhancer, same_size, anew
        )
    if out.is_file():
        raise AppError(f"{out} is a file, and {source} a folder: choose a folder for --out.")
    tables = sorted(source.glob("*.parquet"))
    if tables:
        return _tables({table: out / table.name for table in tables}, enhancer, same_size, anew)
    return _pictures(source, out, {"enhancer": enhancer, "same_size": same_size}, anew)


def _pictures(source: Path, out: Path, facts: dict[str, Any], anew: bool) -> Plan:
    found = [path for path in _files(source, out) if path.suffix.lower() in SUFFIXES]
    if not found:
        raise AppError(f"{source} holds no picture and no table: files that end in {', '.join(SUFFIXES)} or .parquet.")
    jobs = [PictureJob(path, out / path.relative_to(source)) for path in found]
    note = out / NOTE
    try:
        there = json.loads(note.read_bytes())
    except (OSError, ValueError):
        there = None
    missing = jobs if anew else [job for job in jobs if not job.out.is_file()]
    if there not in (None, facts) and not anew:
        raise AppError(f"{out} holds pictures that another enhancer made: choose another --out, or add --anew.")
    out.mkdir(parents=True, exist_ok=True)
    with whole_file(note) as path:
        path.write_text(json.dumps(facts))
    return Plan(len(jobs), len(jobs) - len(missing), jobs=list(missing))


def _files(source: Path, out: Path) -> Iterator[Path]:
    """Files below a folder in the order of their names, hidden ones left out, and what was made of them."""
    made = out.resolve()
    inside = made if source.resolve() in made.parents else None
    for path in sorted(source.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(source).parts)
        if path.is_file() and not hidden and inside not in path.resolve().parents:
            yield path


def _tables(places: dict[Path, Path], enhancer: str, same_size: bool, anew: bool) -> Plan:
    made, jobs, bad, done = [], [], Counter[str](), 0
    for source, out in places.items():
        table = table_of(source, out, enhancer, same_size)
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
            join_parts(table)
        jobs += missing
    return Plan(sum(table.rows for table in made), done, bad, list(jobs), made)
