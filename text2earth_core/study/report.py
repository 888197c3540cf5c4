"""The report of a study of augmentation: one HTML page without any other file, and the same figures as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from text2earth_core.evaluation.plots import Curve, plot_curves
from text2earth_core.whole_file import whole_file

TEMPLATE = Path(__file__).with_name("report.html")


def write_report(report: dict[str, Any], out: Path) -> None:
    """Write `report.html` and `report.json` into the study's folder."""
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.filters["percent"] = percent
    page = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    html = page.render(report=report, plots={k: Markup(v) for k, v in plots_of(report["table"]).items()})
    for name, text in (("report.html", html), ("report.json", json.dumps(report, indent=1, ensure_ascii=False))):
        with whole_file(out / name, durable=False) as part:
            part.write_text(text, encoding="utf-8")


def plots_of(table: list[dict[str, Any]]) -> dict[str, str]:
    """For each network its accuracy over the number of real images, with and without generated ones."""
    plots = {}
    for network in dict.fromkeys(row["network"] for row in table):
        rows = sorted((row for row in table if row["network"] == network), key=lambda row: row["real"])
        real = [float(row["real"]) for row in rows]
        curves = [
            Curve("with generated images", real, [row["with"]["value"] for row in rows]),
            Curve("real images alone", real, [row["without"]["value"] for row in rows], dashed=True),
        ]
        plots[network] = plot_curves(curves, "real training images", "accuracy on held-back images")
    return plots


def percent(interval: dict[str, float]) -> str:
    """A share in percent with its bounds, where it has some."""
    value, low, high = (100 * interval[name] for name in ("value", "low", "high"))
    return f"{value:.1f}" if low != low else f"{value:.1f} ({low:.1f} to {high:.1f})"
