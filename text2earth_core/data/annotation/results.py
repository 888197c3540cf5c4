"""What a run leaves: a file of captions, a file of rows without one, and a summary."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from text2earth_core.data.annotation.journal import DOUBTFUL, KEPT, UNUSABLE, Journal, Line
from text2earth_core.data.annotation.limits import Limits
from text2earth_core.data.annotation.run import Outcome
from text2earth_core.errors import Text2EarthError
from text2earth_core.whole_file import whole_file


def journal_of(out: Path) -> Path:
    """The journal beside an output."""
    return out.with_name(f"{out.name}.journal")


def left_out_of(out: Path) -> Path:
    """Rows of an output that have no caption that passed, with their faults."""
    return out.with_name(f"{out.stem}.left_out{out.suffix or '.jsonl'}")


def write(journal: Journal, out: Path) -> None:
    """Write both files as the journal has them now; every row of the journal is in one of them.

    Raises:
        Text2EarthError: they cannot be written; the journal has everything.
    """
    kept = (line.keys | {"caption": line.caption} for line in journal.lines("state = ?", (KEPT,)))
    left = (_left_out(line) for line in journal.lines("state != ?", (KEPT,)))
    for path, lines in ((out, kept), (left_out_of(out), left)):
        try:
            with whole_file(path) as part:
                _write_lines(part, lines)
        except OSError as error:
            raise Text2EarthError(
                f"{path} cannot be written ({error.strerror}); nothing is lost: run the same command again."
            ) from None


def summary(journal: Journal, out: Path, limits: Limits, outcome: Outcome) -> dict[str, Any]:
    """{"file", "captions", "doubtful", "unusable", "to_ask", "spent", "troubles", "reviewed", "stopped"}."""
    counts, spent = journal.counts(), journal.spent()
    cost = limits.cost_of(spent["tokens_in"], spent["tokens_out"])
    return {
        "file": str(out), "captions": counts[KEPT], "doubtful": counts[DOUBTFUL], "unusable": counts[UNUSABLE],
        "to_ask": outcome.left, "spent": spent | ({"cost": round(cost, 6)} if cost else {}),
        "troubles": journal.troubles(), "reviewed": journal.verdicts(), "stopped": outcome.stopped,
    }  # fmt: skip


def _left_out(line: Line) -> dict[str, Any]:
    told = line.keys | {"state": line.state, "caption": line.caption, "faults": line.faults}
    return told | ({"remark": line.remark} if line.remark else {})


def _write_lines(path: Path, lines: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for line in lines:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
