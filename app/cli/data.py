"""`text2earth data`: look at published data sets, and bring them into the columns of training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.output import Json, bar, emit

app = typer.Typer(help="Data sets of images and words: check, convert.", no_args_is_help=True)

Source = Annotated[
    str, typer.Argument(metavar="IN", help="A parquet file, a folder of them, or hf://datasets/OWNER/NAME.")
]


@app.command()
def check(source: Source, as_json: Json = False) -> None:
    """Look at every row of a data set with Git-10M's columns, and count what is wrong by reason."""
    from text2earth_core.data.sources.faults import check

    with bar("Checking") as advance:
        found = check(source, advance)[0].as_json()
    emit(found, as_json)


@app.command()
def convert(
    source: Source,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="New folder, for --data of training.")],
    name: Annotated[str, typer.Option(help="Name of the data set in that folder.")] = "git10m",
    held_back: Annotated[float, typer.Option(min=0, max=1, help='Share of the images in the split "val".')] = 0.02,
    as_json: Json = False,
) -> None:
    """Bring Git-10M's columns into those of training.

    Rows without a readable image, open sea and copies of other images are left out, and named in left_out.jsonl; what
    contradicts itself is left empty.
    """
    from text2earth_core.data.sources.convert import convert

    with bar("Converting") as advance:
        found = convert(source, out, name, held_back, lambda what, done, total: advance(done, total))
    emit(found, as_json)
