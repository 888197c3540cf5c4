"""Rows for a person to look at: drawn by chance from those of a kind, the same ones for the same seed."""

from __future__ import annotations

from itertools import islice
from typing import Any

from text2earth_core.data.annotation.journal import DOUBTFUL, KEPT, Journal, Line
from text2earth_core.errors import Text2EarthError

KINDS = {
    "doubtful": f"state = '{DOUBTFUL}'", "unseen": f"state = '{KEPT}' AND verdict = ''", "all": "caption != ''",
    "accepted": "verdict = 'accepted'", "corrected": "verdict = 'corrected'", "rejected": "verdict = 'rejected'",
}  # fmt: skip
"""Name: which rows of the journal."""

_PRIME = 2_147_483_647


def sample(journal: Journal, kind: str, count: int, seed: int = 0, fault: str = "") -> list[Line]:
    """Up to `count` rows of a kind, in an order that `seed` decides.

    Args:
        fault: only rows that have it.

    Raises:
        Text2EarthError: there is no such kind.
    """
    if kind not in KINDS:
        raise Text2EarthError(f"Rows are {', '.join(KINDS)}.")
    where, values = KINDS[kind], []
    if fault:
        where += " AND EXISTS (SELECT 1 FROM json_each(faults) WHERE value = ?)"
        values.append(fault)
    # A multiple of the number modulo a prime: an order by chance that needs no table of all rows.
    factor = 1 + (seed * 48_271 + 1_103_515_245) % (_PRIME - 1)
    order = f"((number + 1) % {_PRIME}) * {factor} % {_PRIME}, number"
    return list(islice(journal.lines(where, values, order), count))


def numbers(journal: Journal) -> dict[str, Any]:
    """How many rows there are of each kind, and the faults of the doubtful ones."""
    return {"kinds": {kind: journal.count(where) for kind, where in KINDS.items()},
            "faults": journal.count_faults(KINDS["doubtful"])}  # fmt: skip
