"""Work on rows that needs nothing of the app, as the runner's recipes: quality scores and hashes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.runner.work import RowsWorker

if TYPE_CHECKING:
    from text2earth_core.quality.scorers import Scorer


@dataclass(frozen=True)
class QualityRecipe:
    """head, clip: weights that every machine can read; no head: sharpness. keep: rows without a score stay so."""

    head: Path | None
    clip: str | None
    device: str | None
    allow_pth: bool
    rescore: bool
    keep: bool

    def load(self) -> RowsWorker:
        from text2earth_core.quality.rows import Scoring

        return RowsWorker(Scoring(None if self.keep else self._scorer(), self.rescore))

    def _scorer(self) -> Scorer:
        if self.head is None:
            from text2earth_core.quality.scorers import Sharpness

            return Sharpness()
        from text2earth_core.quality.aesthetic import DEFAULT_CLIP, Aesthetic

        return Aesthetic.load(self.head, self.clip or DEFAULT_CLIP, self.device, self.allow_pth)


@dataclass(frozen=True)
class HashRecipe:
    """Hashes are made on processors."""

    device: str | None = "cpu"

    def load(self) -> RowsWorker:
        from text2earth_core.data.sources.hashes import Hashing

        return RowsWorker(Hashing())
