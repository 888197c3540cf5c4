"""What a worker is given and gives back, in this process, in another or on another machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from text2earth_core.data.runner.parts import RowsJob, Work, make_part

Job = Any
"""Something to do that can be sent to another process; `RowsJob` for tables."""


@dataclass(frozen=True)
class Outcome:
    """What came of a job: how many images it had, and why some were bad."""

    count: int
    bad: Counter[str] = field(default_factory=Counter)


class Worker(Protocol):
    """Does jobs; `check` is called often and may raise to stop."""

    def do(self, job: Job, check: Callable[[], None]) -> Outcome: ...


class Recipe(Protocol):
    """How a worker is made where it works; small, and can be sent there. device: of its networks, None for the best."""

    @property
    def device(self) -> str | None: ...

    def load(self) -> Worker: ...


@dataclass(frozen=True)
class RowsWorker:
    """Does parts of tables; a table that cannot be read stops all: Text2EarthError."""

    work: Work

    def do(self, job: RowsJob, check: Callable[[], None]) -> Outcome:
        return Outcome(job.count, make_part(job, self.work, check))
