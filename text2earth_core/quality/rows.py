"""Rows of tables with a quality score and who gave it, as work of `data.runner`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from text2earth_core.data.corpus import QUALITY, decode_image
from text2earth_core.data.runner.parts import BadRow, Row
from text2earth_core.data.sources.tables import encoded
from text2earth_core.data.statistics.columns import BEFORE
from text2earth_core.errors import Text2EarthError
from text2earth_core.quality.scorers import AESTHETIC, GIVEN

if TYPE_CHECKING:
    from text2earth_core.quality.scorers import Scorer

SCORE, SCORED_BY = "img_quality_score", "img_quality_by"


def column_of(names: list[str]) -> str:
    """Where a table keeps its scores: training's tables, which have a split, elsewhere than Git-10M's."""
    return QUALITY if "split" in names else SCORE


@dataclass(frozen=True)
class Scoring:
    """Every row is kept, and keeps a score that it has; of an image that cannot be read there is none.

    scorer: None where rows without a score stay so. rescore: rows are scored anew; the former score becomes the one
    before, where both are of one kind.
    """

    scorer: Scorer | None
    rescore: bool = False

    @property
    def facts(self) -> dict[str, Any]:
        made_by = (self.scorer.name, self.scorer.fingerprint) if self.scorer else (GIVEN, "")
        return {"quality": list(made_by), "rescore": self.rescore}

    def schema(self, before: pa.Schema) -> pa.Schema:
        wanted = {column_of(before.names): pa.float64(), SCORED_BY: pa.string()}
        if self.rescore:
            wanted[BEFORE] = pa.float64()
        kept = [field for field in before if field.name not in wanted]
        return pa.schema([*kept, *(pa.field(name, kind) for name, kind in wanted.items())], before.metadata)

    def change(self, row: Row) -> Row:
        column = column_of(list(row))
        former = _number(row.get(column))
        scored = row | {column: former, SCORED_BY: row.get(SCORED_BY) or (None if former is None else GIVEN)}
        if self.rescore:
            scored |= {BEFORE: former if self._compares(row) else None, column: None, SCORED_BY: None}
        elif former is not None or self.scorer is None:
            if former is None:
                raise BadRow("no score", scored)
            return scored
        assert self.scorer is not None
        data = encoded(row.get("image"))
        if not data:
            raise BadRow("no image", scored)
        try:
            pixels = decode_image(data, "The image")
        except Text2EarthError:
            raise BadRow("image cannot be decoded", scored) from None
        return scored | {column: self.scorer.score(pixels), SCORED_BY: self.scorer.name}

    def _compares(self, row: Row) -> bool:
        """Whether a row's former score is of this scorer's kind: that of Git-10M is the aesthetic predictor's."""
        assert self.scorer is not None
        return (row.get(SCORED_BY) or GIVEN) in (self.scorer.name, GIVEN if self.scorer.name == AESTHETIC else "")


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
