"""`text2earth data`: look at published data sets, and bring them into the columns of training."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli import data_rows
from app.cli.output import Json, bar, emit, say, write_whole
from app.errors import AppError

app = typer.Typer(help="Data sets of images and words: checked, converted, described.", no_args_is_help=True)

Source = Annotated[
    str, typer.Argument(metavar="IN", help="A parquet file, a folder of them, or hf://datasets/OWNER/NAME.")
]
Convertible = Annotated[str, typer.Argument(metavar="IN", help="As for check, or a folder with ChatEarthNet's lists.")]
Codes = Annotated[
    str, typer.Option(help="What the map's values mean: worldcover, paper, or auto, which looks at all of them.")
]


app.command()(data_rows.quality)
app.command("hash")(data_rows.hash_)


@app.command()
def check(source: Source, as_json: Json = False) -> None:
    """Look at every row of a data set with Git-10M's columns, and count what is wrong by reason."""
    from text2earth_core.data.sources.faults import check

    with bar("Checking") as advance:
        found = check(source, advance)[0].as_json()
    emit(found, as_json)


@app.command()
def convert(
    source: Convertible,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="New folder, for --data of training.")],
    name: Annotated[
        str | None, typer.Option(help="Name of the data set in that folder; default: git10m or chatearthnet.")
    ] = None,
    held_back: Annotated[
        float, typer.Option(min=0, max=1, help='Share of the images in the split "val"; ChatEarthNet has its own.')
    ] = 0.02,
    as_json: Json = False,
) -> None:
    """Bring Git-10M's columns, or ChatEarthNet's lists and images, into the columns of training.

    Rows without a readable image are left out, of Git-10M also open sea and copies of other images; left_out.jsonl
    names them. What contradicts itself is left empty.
    """
    from text2earth_core.data.chatearthnet import converting
    from text2earth_core.data.sources.convert import convert

    with bar("Converting") as advance:

        def tell(what: str, done: int, total: int) -> None:
            advance(done, total)

        if converting.holds_lists(source):
            found = converting.convert_lists(Path(source), out, name or converting.NAME, tell)
        else:
            found = convert(source, out, name or "git10m", held_back, tell)
    emit(found, as_json)


@app.command()
def stats(
    source: Annotated[
        str,
        typer.Argument(metavar="IN", help="As for check; tables of training's columns; or captions as JSON lines."),
    ],
    report: Annotated[Path, typer.Option(file_okay=False, help="Folder for stats.html and stats.json.")],
    beside: Annotated[str | None, typer.Option(metavar="OTHER", help="A second data set, to compare.")] = None,
    as_json: Json = False,
) -> None:
    """What a data set holds: places, resolutions, quality, captions, words, classes, as a page and as figures."""
    from text2earth_core.data.statistics.figures import figures_of
    from text2earth_core.data.statistics.report import write_report

    sources = [source] if beside is None else [source, beside]
    try:
        report.mkdir(parents=True, exist_ok=True)  # now, not after the work
        with bar("Reading") as advance:
            figures = figures_of(sources, lambda what, done, total: advance(done, total))
        page = write_report(figures, report)
    except OSError as error:
        raise AppError(f"{report} cannot be written ({error.strerror}): choose another folder.") from None
    emit([{"source": one["source"], "rows": one["rows"], "report": str(page)} for one in figures], as_json)


@app.command()
def score(
    references: Annotated[
        Path, typer.Argument(metavar="REFERENCES", help='JSON: {"id": ["sentence", ...]}, several for an image.')
    ],
    candidates: Annotated[Path, typer.Argument(metavar="CANDIDATES", help="JSON of the same kind, one for an image.")],
    as_json: Json = False,
) -> None:
    """How near captions come to references: BLEU-1 to 4, METEOR, ROUGE-L, CIDEr and SPICE, as the COCO tools do it.

    METEOR needs Java, SPICE Java and Stanford's models too; what cannot run is named.
    """
    from text2earth_core.data.scores.metrics import score
    from text2earth_core.data.scores.sentences import read_sentences

    wanted, given = read_sentences(references), read_sentences(candidates)
    found = score(wanted, given)
    left = len(set(wanted) - set(given))
    if left:
        say(f"{left:,} images with references have no candidate, and are left out.")
    for name, reason in found["not_run"].items():
        say(f"{name} was not run: {reason}.")
    emit(found, as_json)


@app.command()
def landcover(
    source: Annotated[Path, typer.Argument(metavar="MAP", help="GeoTIFF: WorldCover's codes, or the paper's classes.")],
    algorithm: Annotated[int, typer.Option(min=1, max=3, help="Of ChatEarthNet: 1 size words, 2 patches, 3 classes.")],
    out: Annotated[Path | None, typer.Option(help="Write a JSON line for each tile instead of printing.")] = None,
    codes: Codes = "auto",
    as_code: Annotated[
        bool, typer.Option("--as-code", help="Algorithms 2 and 3 as the authors' program counts, not the paper.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Decides the nouns of Algorithm 1.")] = 0,
) -> None:
    """What a language model is told of a land-cover map: a text for each tile of 256 px."""
    from text2earth_core.data.landcover.algorithms import prompt
    from text2earth_core.data.landcover.maps import tiles_of

    check_codes(codes)
    told = ((tile, prompt(tile.classes, algorithm, as_code, seed)) for tile in tiles_of(source, codes))
    first, second = next(told, None), next(told, None)
    if first is None:
        raise AppError(f"{source} holds no class at all, only pixels without data.")
    if out is not None:
        all_told = chain((first,), () if second is None else (second,), told)
        lines = ({"row": tile.row, "column": tile.column, "prompt": text} for tile, text in all_told)
        write_whole(lambda part: write_lines(part, lines), out)
        return
    if second is None:
        print(first[1])
        return
    for tile, text in chain((first, second), told):
        print(f"# tile {tile.row}, {tile.column}\n{text}\n")


def check_codes(codes: str) -> None:
    """AppError for what `--codes` does not know."""
    from text2earth_core.data.landcover.classes import CODES

    if codes not in CODES:
        raise AppError(f"--codes is one of {', '.join(CODES)}.")


def write_lines(path: Path, lines: Iterable[dict[str, Any]]) -> None:
    """Write a file of JSON lines."""
    with path.open("w", encoding="utf-8") as file:
        for line in lines:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
