"""What a worker is given and gives back, in this process, in another or on another machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from app.enhance.picture_file import enhance_file
from canvas.errors import SceneError
from text2earth_core.enhancement.tables import RowsJob, make_part

if TYPE_CHECKING:
    from text2earth_core.enhancement.enhancer import Enhancer


@dataclass(frozen=True)
class Recipe:
    """Which enhancer, and how it is used. `weights`: a folder or file that every machine can read."""

    weights: Path
    device: str | None
    allow_pth: bool
    same_size: bool

    def load(self) -> Enhancer:
        from text2earth_core.enhancement.enhancer import Enhancer

        return Enhancer.load(self.weights, self.device, self.allow_pth)


@dataclass(frozen=True)
class PictureJob:
    """One picture file of a folder."""

    source: Path
    out: Path
    count: int = 1


Job = PictureJob | RowsJob


@dataclass(frozen=True)
class Outcome:
    """What came of a job: how many images it had, and why some were left out."""

    count: int
    bad: Counter[str] = field(default_factory=Counter)


def do(job: Job, enhancer: Enhancer, recipe: Recipe, check: Callable[[], None]) -> Outcome:
    """Do a job; `check` is called often and may raise to stop.

    A picture that cannot be enhanced is left out, one table that cannot be read stops all: Text2EarthError.
    """
    if isinstance(job, RowsJob):
        return Outcome(job.count, make_part(job, enhancer, check))
    job.out.parent.mkdir(parents=True, exist_ok=True)
    try:
        enhance_file(enhancer, job.source, job.out, recipe.same_size, lambda done, total: check())
    except SceneError as error:  # the same words for all that have the same fault, so that they are counted together
        return Outcome(1, Counter({str(error).replace(job.source.name, "a picture"): 1}))
    return Outcome(1)
