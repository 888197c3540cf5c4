"""Figures as SVG text that takes its colours from the page: a histogram, a map of the world."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup, escape

from text2earth_core.data.statistics.figures import CELL

LAND = Path(__file__).with_name("land.json")

WIDTH, HEIGHT = 460, 180
LEFT, BELOW, ABOVE = 52, 22, 8
"""px around the columns, for what is written there."""


@dataclass(frozen=True)
class Series:
    """Columns of one colour. name: "" for the only one. columns: (from, to, count)."""

    name: str
    columns: Sequence[tuple[float, float, int]]


def histogram(several: Sequence[Series], low: float, high: float, top: int, ticks: dict[float, str]) -> Markup:
    """Columns over a number.

    Args:
        several: drawn over each other, see-through where there are two.
        low, high: of the axis. top: the count at its upper end.
        ticks: what is written below the axis, and where.
    """
    wide, tall = WIDTH - LEFT - 8, HEIGHT - BELOW - ABOVE

    def x(value: float) -> float:
        return LEFT + wide * (value - low) / (high - low)

    parts = []
    for step, label in numbers_along(0, top).items():
        y = ABOVE + tall * (1 - step / top)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}h{wide}"/>')
        parts.append(f'<text class="scale" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    for number, series in enumerate(several):
        named = f"{escape(series.name)}: " if series.name else ""
        for start, stop, count in series.columns:
            height = tall * count / top
            parts.append(
                f'<rect class="column s{number}" x="{x(start) + 0.5:.1f}" y="{ABOVE + tall - height:.1f}" '
                f'width="{max(0.8, x(stop) - x(start) - 1):.1f}" height="{height:.1f}">'
                f"<title>{named}{start:.6g} to {stop:.6g}: {count:,}</title></rect>"
            )
    for value, label in ticks.items():
        parts.append(f'<text x="{x(value):.1f}" y="{HEIGHT - 6}" text-anchor="middle">{escape(label)}</text>')
    kind = "two" if len(several) > 1 else "one"
    return Markup(f'<svg class="histogram {kind}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(parts)}</svg>')


def world(cells: Sequence[Sequence[int]], most: int) -> Markup:
    """Where the places are, on an equirectangular map; the more in a cell, the stronger its colour.

    Args:
        cells: (west, south, count), degrees. most: the count of the strongest colour.
    """
    land = "".join(
        "M" + "L".join(f"{ring[at] / 10 + 180:g} {90 - ring[at + 1] / 10:g}" for at in range(0, len(ring), 2)) + "Z"
        for ring in json.loads(LAND.read_text(encoding="utf-8"))["rings"]
    )
    parts = [f'<path class="land" d="{land}"/>']
    for west, south, count in cells:
        strength = 0.3 + 0.7 * (math.log(count) / math.log(most) if most > 1 else 1)
        title = f"{_degrees(south, 'NS')}, {_degrees(west, 'EW')}: {count:,}"
        parts.append(
            f'<rect class="cell" x="{west + 180}" y="{90 - south - CELL}" width="{CELL}" height="{CELL}" '
            f'fill-opacity="{strength:.2f}"><title>{title}</title></rect>'
        )
    return Markup(f'<svg class="world" viewBox="0 0 360 180" role="img">{"".join(parts)}</svg>')


def numbers_along(low: float, high: float) -> dict[float, str]:
    """Some round numbers of an axis."""
    reach = high - low
    ten = 10.0 ** math.floor(math.log10(reach / 4))
    step = next(factor * ten for factor in (1, 2, 2.5, 5, 10) if factor * ten >= reach / 7)
    first = math.ceil(low / step)
    return {one * step: f"{one * step:,.6g}" for one in range(first, math.floor(high / step) + 1)}


def _degrees(value: int, signs: str) -> str:
    return f"{abs(value)}° {signs[value < 0]}"
