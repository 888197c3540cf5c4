"""`text2earth finetune`: a model made a user's own, from a folder of images."""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.output import DeviceOption, Json, emit, say


class Protocol(StrEnum):
    """Whose protocol of training and measuring is followed."""

    RSICD = "rsicd"


def finetune(
    data: Annotated[
        Path,
        typer.Option(
            envvar="TEXT2EARTH_DATA",
            help="Folder of images with captions (metadata.jsonl, a .txt beside each, or folders named by what they "
            "show), of parquet tables, or of GeoTIFFs with class maps (NAME_map.tif).",
        ),
    ],
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder of the adapter; with --full, of the model.")],
    model: Annotated[
        str | None, typer.Option(help="Folder or hub id of what is fine-tuned; default: the shipped model.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="Time to train, over all calls (default: 10); call again to go on.")
    ] = None,
    samples: Annotated[int | None, typer.Option(min=1, help="Stop after so many images were seen.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Train all weights, into a model of its own.")] = False,
    protocol: Annotated[
        Protocol | None, typer.Option(help="Train on the data set of a protocol, and measure before and after.")
    ] = None,
    images: Annotated[
        int | None, typer.Option(min=30, help="Images a side that --protocol measures with (default: its 2,000).")
    ] = None,
    device: DeviceOption = None,
    as_json: Json = False,
) -> None:
    """Make a model your own: an adapter (or a model) that makes pictures like those of a folder.

    Samples are drawn into OUT/runs/finetune/grid.png every few minutes; a stopped run goes on when it is called again.
    """
    from app.network import set_unusable_aside
    from app.work import SHIPPED_MODEL
    from text2earth_core.training.finetune import finetune

    set_unusable_aside()
    start: str | Path = model or SHIPPED_MODEL
    options: dict[str, Any] = {"minutes": minutes, "samples": samples, "full": full, "device": device}
    if protocol is not None:
        from app.cli.evaluate import Bars
        from text2earth_core.evaluation.tuning import finetune_by_protocol

        emit(finetune_by_protocol(data, out, start, images, progress=Bars(), **options), as_json)
        return
    from text2earth_core.data.own.folder import read_folder

    pictures = read_folder(data)
    said = sum(bool(picture.captions or picture.label) for picture in pictures)
    say(f"{len(pictures)} images, {said} of them with words, from {data}.")
    result = finetune(pictures, out, start=start, **options)
    words = next((text for picture in pictures for text in (*picture.captions, picture.label) if text), "a lake")
    use = shlex.join(["text2earth", "generate", "--adapter", str(out), "--prompt", words, "--out", "a.png"])
    if full:
        use = shlex.join(["python", "launch.py", "--model", str(out)])
    emit(result | {"out": str(out), "samples drawn": str(out / "runs" / "finetune" / "grid.png"), "use": use}, as_json)
