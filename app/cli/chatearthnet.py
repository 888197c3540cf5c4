"""`text2earth data chatearthnet`: ChatEarthNet's six lists and its folders of images, read and written."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.data import write_lines
from app.cli.output import Json, emit, write_whole
from app.errors import AppError

app = typer.Typer(help="ChatEarthNet's own files, read and written.", no_args_is_help=True)


@app.command()
def read(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Folder with its lists, and its images where they are.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="File of JSON lines, one for each record.")],
    as_json: Json = False,
) -> None:
    """Bring all records into one file; missing images and other faults are counted, and lose no record."""
    from text2earth_core.data.chatearthnet.reading import Findings
    from text2earth_core.data.chatearthnet.reading import read as read_records

    findings = Findings()
    records = (record.as_json() for record in read_records(source, findings))
    write_whole(lambda part: write_lines(part, records), out)
    emit({"file": str(out)} | findings.as_json(), as_json)


@app.command()
def write(
    captions: Annotated[Path, typer.Argument(metavar="IN", help="File of JSON lines, from data caption or read.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder; it may hold the other version already.")],
    version: Annotated[str, typer.Option(help="35 or 4v: which lists are written.")],
    images: Annotated[Path | None, typer.Option(help="Folder in which images are looked for; they are copied.")] = None,
    as_json: Json = False,
) -> None:
    """Write the three lists of a version, 60 % train, 10 % val and 30 % test where the captions say no split."""
    from text2earth_core.data.chatearthnet.layout import VERSIONS
    from text2earth_core.data.chatearthnet.writing import captions_in
    from text2earth_core.data.chatearthnet.writing import write as write_lists

    if version not in VERSIONS:
        raise AppError(f"--version is {' or '.join(VERSIONS)}.")
    emit(write_lists(captions_in(captions), out, version, images), as_json)
