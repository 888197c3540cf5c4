"""The report of a study of counting: one HTML page beside its pictures, and the same figures as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from text2earth_core.study.page import write_page

TEMPLATE = Path(__file__).with_name("report.html")


def write_report(report: dict[str, Any], out: Path) -> None:
    """Write `report.html` and `report.json` into the study's folder."""
    write_page(TEMPLATE, report, out)
