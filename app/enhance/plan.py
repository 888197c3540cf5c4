"""What there is to do: the pictures of a folder, or the parts of tables, without what is there already."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.enhance.work import PictureJob
from app.enhance.writers import SUFFIXES
from app.errors import AppError, NotFound
from app.runner.tables import Plan, places, plan_tables
from text2earth_core.enhancement.rows import Enhancement
from text2earth_core.whole_file import whole_file

NOTE = ".text2earth-enhance.json"
"""In a folder of pictures: which enhancer made them, and how."""


def is_many(source: Path) -> bool:
    """Whether IN is a folder or a table, and not one picture; NotFound where there is neither."""
    if not source.exists():
        raise NotFound(f"There is no file or folder {source}: check its name.")
    return source.is_dir() or source.suffix.lower() == ".parquet"


def plan(source: Path, out: Path, work: Enhancement, anew: bool) -> Plan:
    """For a folder of pictures or tables, or one table; `anew` does all once more.

    Raises:
        AppError: nothing is there to do, or IN and OUT cannot be so.
        Text2EarthError: a table cannot be read, or OUT holds what another enhancer made.
    """
    tables = places(source, out)
    if tables:
        return plan_tables(tables, work, anew)
    return _pictures(source, out, work.facts, anew)


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
