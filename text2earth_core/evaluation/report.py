"""The report of an evaluation: one HTML page without any other file, and the same figures as JSON beside it."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from PIL import Image

from text2earth_core.evaluation.modalities import grid, layers_of
from text2earth_core.evaluation.plots import Curve, plot_bars, plot_curves
from text2earth_core.evaluation.targets import check_all
from text2earth_core.evaluation.translation import sheet_of
from text2earth_core.structure.measures import FROM_NOISE_SHEET
from text2earth_core.whole_file import whole_file

if TYPE_CHECKING:
    from text2earth_core.evaluation.context import Context

TEMPLATE = Path(__file__).with_name("report.html")
SHOWN = 8
THUMBNAIL = 160


def write_report(report: dict[str, Any], context: Context) -> None:
    """Write `report.html` and `report.json` into the evaluation's folder."""
    figures = report["figures"]
    report["checks"] = [check.as_dict() for check in check_all(figures, report["samplers"])]
    plots, sheets, wide = {}, [], []
    if "missing" not in figures.get("structure", {"missing": ""}):
        picture = Image.open(context.images / FROM_NOISE_SHEET)
        title = "From noise: real thumbnails, and denoised from SNR " + ", ".join(figures["structure"]["from_noise"])
        wide.append((title, data_uri(np.asarray(picture), picture.width)))
    if "guidance" in figures:
        plots["guidance"] = guidance_plot(figures["guidance"])
    if "by_class" in figures.get("towers", {}):
        plots["towers"] = towers_plot(figures["towers"])
    if "resolution" in figures:
        plots["resolution"] = resolution_plot(figures["resolution"])
    if "text_control" in figures:
        for sampler in report["samplers"]:
            sheets.append((f"One prompt a class ({sampler})", class_rows(context, sampler)))
    if "missing" not in figures.get("outpainting", {"missing": ""}):
        sheets.append(("Outpainting: the real image, then half of it made anew", outpainting_rows(context)))
    if "missing" not in figures.get("modalities", {"missing": ""}):
        layers = ", ".join(name.upper() for name in layers_of(context))
        for sampler in report["samplers"]:
            rows = [(prompt, [data_uri(one) for one in row]) for prompt, row in grid(context, sampler)]
            sheets.append((f"{layers} of one prompt and seed ({sampler})", rows))
    if "missing" not in figures.get("translation", {"missing": ""}):
        picture = Image.open(sheet_of(context))
        shown = ", ".join(["source", *report["samplers"], "untrained", "target"])
        wide.append((f"Translations: {shown}", data_uri(np.asarray(picture), picture.height)))
    if "copies" in figures:
        sheets.append(("Generated images and their nearest training images", pair_rows(context, figures["copies"])))
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.filters["number"] = number
    page = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    html = page.render(
        report=report, figures=figures, plots={k: Markup(v) for k, v in plots.items()}, sheets=sheets, wide=wide
    )
    for name, text in (("report.html", html), ("report.json", json.dumps(report, indent=1, ensure_ascii=False))):
        with whole_file(context.out / name, durable=False) as part:
            part.write_text(text, encoding="utf-8")


def guidance_plot(found: dict[str, Any]) -> str:
    """Distance and prompt agreement over omega."""
    curves = [
        Curve("Fréchet distance", found["omega"], found["frechet"]),
        Curve("judge agrees", found["omega"], found["top1"], right=True, dashed=True),
    ]
    if found["clip"]:
        cosines = [score / 100 for score in found["clip"]]
        curves.append(Curve("CLIP score / 100", found["omega"], cosines, right=True, dashed=True))
    return plot_curves(curves, "guidance omega = s - 1", "Fréchet distance", "share, cosine")


def towers_plot(found: dict[str, Any]) -> str:
    """Share of RSICD's held-back images, and of their human captions, whose nearest class is the right one."""
    series = {"images": found["by_class"]}
    if "by_class" in found["captions"]:
        series["human captions"] = found["captions"]["by_class"]
    return plot_bars(series, "nearest class is right")


def resolution_plot(found: dict[str, Any]) -> str:
    """Scale of things over ground resolution, generated and real, class by class."""
    curves = []
    for label, made, real in zip(found["classes"], found["made"], found["real"], strict=True):
        curves.append(Curve(label, [float(r) for r in made], list(made.values())))
        if real:
            curves.append(Curve(f"{label}, real", [float(r) for r in real], list(real.values()), dashed=True))
    return plot_curves(curves, "m/px", "scale of things, px", logarithmic=True)


def class_rows(context: Context, sampler: str) -> list[tuple[str, list[str]]]:
    """For each class the first images of its prompt."""
    from text2earth_core.evaluation.measurements import control_prompts

    rows: dict[str, list[str]] = {}
    for number_, want in enumerate(control_prompts(context)):
        row = rows.setdefault(want.prompt, [])
        path = context.images / f"prompts-{sampler}" / f"{number_:05d}.png"
        if len(row) < SHOWN and path.is_file():
            row.append(data_uri(np.asarray(Image.open(path).convert("RGB"))))
    return list(rows.items())


def outpainting_rows(context: Context) -> list[tuple[str, list[str]]]:
    """Some outpainted images."""
    folder = context.outpainted(context.samplers[0])
    made = [data_uri(np.asarray(Image.open(path).convert("RGB"))) for path in sorted(folder.glob("*.png"))[:SHOWN]]
    return [("", made)]


def pair_rows(context: Context, found: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """The generated images nearest to a training image, each beside it."""
    generated, training = context.generated(context.samplers[0]), context.training
    return [
        (f"distance {distance:.1f} of 255", [data_uri(generated[mine].pixels), data_uri(training[theirs].pixels)])
        for mine, theirs, distance in found["pairs"]
    ]


def data_uri(pixels: np.ndarray, side: int = THUMBNAIL) -> str:
    """A picture as the text of an <img> source, shrunk until it fits into a square of `side` px."""
    image = Image.fromarray(pixels)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, format="WEBP", quality=85)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def number(value: Any) -> str:
    """A figure for people: three significant digits, an interval with its bounds."""
    if isinstance(value, dict) and {"value", "low", "high"} <= set(value):
        return f"{value['value']:.3g} ({value['low']:.3g} to {value['high']:.3g})"
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(number(item) for item in value)
    return str(value)
