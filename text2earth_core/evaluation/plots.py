"""Plots as SVG text, to stand in a page without any other file."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass


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
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    with pyplot.rc_context({"svg.fonttype": "none", "font.size": 9, "axes.spines.top": False}):
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
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        pyplot.close(figure)
    text = buffer.getvalue()
    return text[text.index("<svg") :]
