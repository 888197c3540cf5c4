"""The figures of data sets as one HTML page without any other file, and as JSON beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from text2earth_core.data.statistics.drawing import Series, histogram, numbers_along, world
from text2earth_core.data.statistics.figures import CELL, STAGE_TWO
from text2earth_core.whole_file import whole_file

TEMPLATE = Path(__file__).with_name("report.html")

CLOUD, LISTED, CLASSES = 100, 20, 60
"""Words in the cloud and in the list, classes in the list."""

LONG = 40
"""Columns of caption lengths, at most."""


def write_report(figures: Sequence[dict[str, Any]], folder: Path) -> Path:
    """Write `stats.html` and `stats.json`; returns the page.

    Args:
        figures: of `figures_of`, one data set or several to compare.

    Raises:
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    sets = [
        one | {"name": _name(one["source"]), "drawn": drawn, "bars": bars}
        for one, drawn, bars in zip(figures, _drawn(figures), _bars(figures), strict=True)
    ]
    html = page.render(sets=sets, cell=CELL, stage_two=STAGE_TWO, shown=CLASSES)
    for name, text in (
        ("stats.json", json.dumps({"sets": list(figures)}, ensure_ascii=False)), ("stats.html", html),
    ):  # fmt: skip
        with whole_file(folder / name, durable=False) as part:
            part.write_text(text, encoding="utf-8")
    return folder / "stats.html"


def _name(source: str) -> str:
    return source.rstrip("/\\").replace("\\", "/").rpartition("/")[2].removesuffix(".parquet") or source


def _bars(figures: Sequence[dict[str, Any]]) -> list[dict[str, list[dict[str, Any]]]]:
    """Counts as bars, whose lengths are shares of each data set, so that a large one compares with a small one."""
    counted = []
    for one in figures:
        levels = [[f"{level['resolution']:g} m/px", level["count"]] for level in one["resolution"]["levels"]]
        words = one["captions"]["words"]
        counted.append(
            {
                "levels": (levels, one["resolution"]["known"]), "words": (one["words"]["most"][:LISTED], words),
                "land_cover": (one["land_cover"], words), "sizes": (one["sizes"], words),
                "shapes": (one["shapes"], words), "classes": (one["classes"]["most"][:CLASSES], one["rows"]),
            }
        )  # fmt: skip
    longest = {
        key: max((count / all_ for one in counted for _, count in one[key][0] if (all_ := one[key][1])), default=1.0)
        for key in counted[0]
    }
    return [
        {
            key: [
                {
                    "name": name,
                    "count": count,
                    "percent": 100 * count / all_,
                    "width": 100 * count / all_ / longest[key],
                }
                for name, count in rows
            ]
            for key, (rows, all_) in one.items()
        }
        for one in counted
    ]


def _drawn(figures: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the page shows of each data set; all have the same axes, but for counts, which are each one's own."""
    quality, lengths = _quality(figures), _lengths(figures)
    return [
        {
            "world": world(one["places"]["cells"], max((count for *_, count in one["places"]["cells"]), default=1)),
            "quality": quality(one), "lengths": lengths(one), "cloud": _cloud(one["words"]["most"][:CLOUD]),
        }
        for one in figures
    ]  # fmt: skip


Draw = Callable[[dict[str, Any]], Markup | None]


def _quality(figures: Sequence[dict[str, Any]]) -> Draw:
    """Scores now, and before enhancement where they are known."""
    scores = [one[key] for one in figures for key in ("quality", "quality_before") if one[key]]
    low = min((score["steps"][0][0] for score in scores), default=0.0)
    high = max((score["steps"][-1][0] + score["width"] for score in scores), default=1.0)

    def draw(one: dict[str, Any]) -> Markup | None:
        both = [(name, one[key]) for name, key in (("now", "quality"), ("before", "quality_before")) if one[key]]
        if not both:
            return None
        several = [
            Series(name if len(both) > 1 else "", [(start, start + score["width"], n) for start, n in score["steps"]])
            for name, score in both
        ]
        top = max(count for series in several for *_, count in series.columns)
        return histogram(several, low, high, top, numbers_along(low, high))

    return draw


def _lengths(figures: Sequence[dict[str, Any]]) -> Draw:
    """Captions by their words, some lengths together where there are many."""
    longest = max((one["captions"]["lengths"][-1][0] for one in figures if one["captions"]["lengths"]), default=0)
    width = max(1, -(-(longest + 1) // LONG))

    def draw(one: dict[str, Any]) -> Markup | None:
        counts: dict[int, int] = {}
        for words, count in one["captions"]["lengths"]:
            counts[words // width] = counts.get(words // width, 0) + count
        if not counts:
            return None
        columns = [(bin_ * width, (bin_ + 1) * width, count) for bin_, count in counts.items()]
        high = width * (longest // width + 1)
        return histogram([Series("", columns)], 0, high, max(counts.values()), numbers_along(0, high))

    return draw


def _cloud(words: Sequence[Sequence[Any]]) -> list[tuple[str, float]]:
    """Words by their letters, with sizes that grow with the root of how often they are there."""
    most = max((count for _, count in words), default=1)
    return sorted((word, 0.75 + 1.85 * (count / most) ** 0.5) for word, count in words)
