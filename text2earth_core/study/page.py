"""A study's report on disk: one HTML page from a template, and the same figures as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from text2earth_core.whole_file import whole_file


def write_page(template: Path, report: dict[str, Any], out: Path, **more: Any) -> None:
    """Write `report.html` and `report.json` into the study's folder; the template is given the report and `more`."""
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.filters["percent"] = percent
    html = environment.from_string(template.read_text(encoding="utf-8")).render(report=report, **more)
    for name, text in (("report.html", html), ("report.json", json.dumps(report, indent=1, ensure_ascii=False))):
        with whole_file(out / name, durable=False) as part:
            part.write_text(text, encoding="utf-8")


def percent(interval: dict[str, float]) -> str:
    """A share in percent with its bounds, where it has some."""
    value, low, high = (100 * interval[name] for name in ("value", "low", "high"))
    return f"{value:.1f}" if low != low else f"{value:.1f} ({low:.1f} to {high:.1f})"
