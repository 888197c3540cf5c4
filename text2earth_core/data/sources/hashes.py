"""Rows of tables with the perceptual hash of their image and what is wrong with it, as work of `data.runner`.

A check or a conversion of what comes of it decodes no image again.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from text2earth_core.data.runner.parts import BadRow, Row
from text2earth_core.data.sources.faults import FAULT, HASH, look_at
from text2earth_core.data.sources.likeness import SEA_DEVIATION
from text2earth_core.data.sources.tables import encoded


class Hashing:
    """Every row is kept."""

    facts: dict[str, Any] = {"hash": "64 signs of frequencies", "sea": SEA_DEVIATION}  # noqa: RUF012 - nobody writes it

    def schema(self, before: pa.Schema) -> pa.Schema:
        kept = [field for field in before if field.name not in (HASH, FAULT)]
        return pa.schema([*kept, pa.field(HASH, pa.string()), pa.field(FAULT, pa.string())], before.metadata)

    def change(self, row: Row) -> Row:
        hashed, faults = look_at(encoded(row.get("image")), "The image")
        made = row | {HASH: None if hashed is None else f"{hashed:016x}", FAULT: faults[0] if faults else None}
        if faults:
            raise BadRow(faults[0], made)
        return made
