"""The report of a study of counting: one HTML page beside its pictures, and the same figures as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from text2earth_core.study.report import percent
from text2earth_core.whole_file import whole_file

TEMPLATE = Path(__file__).with_name("report.html")


def write_report(report: dict[str, Any], out: Path) -> None:
    """Write `report.html` and `report.json` into the study's folder."""
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.filters["percent"] = percent
    html = environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(report=report)
    for name, text in (("report.html", html), ("report.json", json.dumps(report, indent=1, ensure_ascii=False))):
        with whole_file(out / name, durable=False) as part:
            part.write_text(text, encoding="utf-8")
