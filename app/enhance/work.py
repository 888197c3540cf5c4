"""Enhancement as work of the runner: of pictures in a folder, and of rows of tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.enhance.picture_file import enhance_file
from app.runner.work import Outcome, RowsWorker
from canvas.errors import SceneError
from text2earth_core.data.runner.parts import RowsJob
from text2earth_core.enhancement.rows import Enhancement

if TYPE_CHECKING:
    from text2earth_core.enhancement.enhancer import Enhancer


@dataclass(frozen=True)
class PictureJob:
    """One picture file of a folder."""

    source: Path
    out: Path
    count: int = 1


@dataclass(frozen=True)
class EnhanceRecipe:
    """Which enhancer, and how it is used. `weights`: a folder or file that every machine can read."""

    weights: Path
    device: str | None
    allow_pth: bool
    same_size: bool

    def load(self) -> EnhanceWorker:
        from text2earth_core.enhancement.enhancer import Enhancer

        return EnhanceWorker(Enhancer.load(self.weights, self.device, self.allow_pth), self.same_size)


@dataclass(frozen=True)
class EnhanceWorker:
    """Enhances both; a picture that cannot be enhanced is left out."""

    enhancer: Enhancer
    same_size: bool

    @property
    def on_rows(self) -> Enhancement:
        return Enhancement(self.enhancer, self.same_size)

    def do(self, job: PictureJob | RowsJob, check: Callable[[], None]) -> Outcome:
        if isinstance(job, RowsJob):
            return RowsWorker(self.on_rows).do(job, check)
        job.out.parent.mkdir(parents=True, exist_ok=True)
        try:
            enhance_file(self.enhancer, job.source, job.out, self.same_size, lambda done, total: check())
        except (
            SceneError
        ) as error:  # the same words for all that have the same fault, so that they are counted together
            return Outcome(1, Counter({str(error).replace(job.source.name, "a picture"): 1}))
        return Outcome(1)
