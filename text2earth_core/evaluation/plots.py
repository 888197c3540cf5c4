"""Plots as SVG text, to stand in a page without any other file."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

STYLE = {"svg.fonttype": "none", "font.size": 9, "axes.spines.top": False}


@dataclass(frozen=True)
class Curve:
    """A named line; `right` puts it on the axis at the right."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    right: bool = False
    dashed: bool = False


def plot_curves(curves: Sequence[Curve], x: str, left: str, right: str = "", logarithmic: bool = False) -> str:
    """Lines over a common x axis as an <svg> element.

    Args:
        x, left, right: labels of the axes. logarithmic: both axes to base 2.
    """
    pyplot = _pyplot()
    with pyplot.rc_context(STYLE):
        figure, axes = pyplot.subplots(figsize=(6.4, 3.4), layout="constrained")
        other = axes.twinx() if right else None
        for index, curve in enumerate(curves):
            target = other if curve.right and other is not None else axes
            style = "--" if curve.dashed else "-"
            target.plot(curve.x, curve.y, style, marker="o", ms=3, color=f"C{index}", label=curve.name)
        axes.set_xlabel(x)
        axes.set_ylabel(left)
        if other is not None:
            other.set_ylabel(right)
        if logarithmic:
            axes.set_xscale("log", base=2)
            axes.set_yscale("log", base=2)
        figure.legend(loc="outside right upper", frameon=False)
        return _svg(figure)


def plot_bars(series: dict[str, dict[str, float]], left: str) -> str:
    """Named bars side by side as an <svg> element, in the order of the first series' heights.

    Args:
        series: for each series its heights in [0, 1] by name; a name that a series lacks has no bar there.
        left: label of the axis.
    """
    pyplot = _pyplot()
    first = next(iter(series.values()))
    names = sorted(first, key=lambda name: -first[name])
    with pyplot.rc_context(STYLE):
        figure, axes = pyplot.subplots(figsize=(9.6, 3.6), layout="constrained")
        wide = 0.8 / len(series)
        for index, (title, heights) in enumerate(series.items()):
            places = [place + (index - (len(series) - 1) / 2) * wide for place in range(len(names))]
            axes.bar(places, [heights.get(name, 0.0) for name in names], wide, color=f"C{index}", label=title)
        axes.set_xticks(range(len(names)), names, rotation=60, ha="right", rotation_mode="anchor")
        axes.set_ylim(0, 1)
        axes.margins(x=0.01)
        axes.set_ylabel(left)
        figure.legend(loc="outside right upper", frameon=False)
        return _svg(figure)


def plot_confusion(names: Sequence[str], counts: np.ndarray) -> str:
    """Who is taken for whom as an <svg> element: rows are true classes, columns found ones.

    Args:
        names: of the classes. counts: (classes, classes); shades are shares of a row, figures are percent from 5 on.
    """
    pyplot = _pyplot()
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    side = 2.2 + 0.26 * len(names)
    with pyplot.rc_context(STYLE):
        figure, axes = pyplot.subplots(figsize=(side, side), layout="constrained")
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for row, column in np.argwhere(shares >= 0.05):
            colour = "white" if shares[row, column] > 0.5 else "black"
            text = f"{100 * shares[row, column]:.0f}"
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=7)
        axes.set_xticks(range(len(names)), names, rotation=60, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(names)), names)
        axes.set_xlabel("found")
        axes.set_ylabel("true")
        return _svg(figure)


def _pyplot() -> Any:
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    return pyplot


def _svg(figure: Any) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    _pyplot().close(figure)
    text = buffer.getvalue()
    return text[text.index("<svg") :]
