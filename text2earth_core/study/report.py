"""The report of a study of augmentation: one HTML page without any other file, and the same figures as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup

from text2earth_core.evaluation.plots import Curve, plot_curves
from text2earth_core.study.page import write_page

TEMPLATE = Path(__file__).with_name("report.html")


def write_report(report: dict[str, Any], out: Path) -> None:
    """Write `report.html` and `report.json` into the study's folder."""
    plots = {name: Markup(plot) for name, plot in plots_of(report["table"]).items()}
    write_page(TEMPLATE, report, out, plots=plots)


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
