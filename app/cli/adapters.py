"""What commands that generate have in common: the modality, and adapters from files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.errors import AppError
from text2earth_core.modalities import MODALITIES

if TYPE_CHECKING:
    from text2earth_core import Text2Earth

Modality = Annotated[str, typer.Option(help=f"What kind of picture: {', '.join(MODALITIES)}.")]
Layer = Annotated[str, typer.Option(help=f"Layer that is made: {', '.join(MODALITIES)}.")]
Adapters = Annotated[
    list[str] | None,
    typer.Option(
        "--adapter",
        metavar="FILE[:WEIGHT]",
        help="A LoRA to use: a file, a folder, or the name of one that came with the model; the weight is 1 unless "
        "given, from -2 to 2 (can be given several times).",
    ),
]


def add_adapters(model: Text2Earth, given: Iterable[str]) -> tuple[tuple[str, float], ...]:
    """Load the adapters that options name: names and weights, as `Sampling` takes them.

    Raises Text2EarthError for one that does not fit the model, and AppError for one that is named twice.
    """
    known = {info.name for info in model.adapters}
    found: dict[str, float] = {}
    for text in given:
        place, weight = split_weight(text)
        name = place if place in known and not Path(place).exists() else model.load_adapter(place).name
        if name in found:
            raise AppError(f"The adapter {name} is given twice; give it once, with one weight.")
        found[name] = weight
    return tuple(found.items())


def split_weight(text: str) -> tuple[str, float]:
    """A file and its weight, 1 where none is given; a colon that no number follows is the file's own."""
    place, colon, number = text.rpartition(":")
    try:
        return (place, float(number)) if colon else (text, 1.0)
    except ValueError:
        return text, 1.0
