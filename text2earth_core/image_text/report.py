"""The report of zero-shot figures: one HTML page without any other file, and the same figures as JSON beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from text2earth_core.evaluation.plots import plot_confusion
from text2earth_core.image_text.naming import Naming
from text2earth_core.image_text.wordings import WAYS
from text2earth_core.whole_file import whole_file

TEMPLATE = Path(__file__).with_name("report.html")


def write_report(out: Path, figures: dict[str, Any], namings: dict[str, Naming]) -> Path:
    """Write `zero-shot.html` and `zero-shot.json` into a folder; returns the page.

    Args:
        figures: {"model", "wording", "sets": {name: what `measure` returns}}. namings: of the sets that have classes.
    """
    pictures = {name: Markup(plot_confusion(naming.classes, naming.confusion)) for name, naming in namings.items()}
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    page = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    html = page.render(figures=figures, ways=list(WAYS), pictures=pictures)
    out.mkdir(parents=True, exist_ok=True)
    texts = {"zero-shot.html": html, "zero-shot.json": json.dumps(figures, indent=1, ensure_ascii=False)}
    for name, text in texts.items():
        with whole_file(out / name, durable=False) as part:
            part.write_text(text, encoding="utf-8")
    return out / "zero-shot.html"
