"""`text2earth zero-shot`: what an image-text model knows of images that it was never trained on."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.output import DeviceOption, Json, bar, emit


class Wording(StrEnum):
    """How classes are put into words (`text2earth_core.image_text.wordings`)."""

    PAPER = "paper"
    TEMPLATES = "templates"
    WORDINGS = "wordings"
    ENSEMBLE = "ensemble"


class Split(StrEnum):
    """Which images of a table count."""

    HELD_BACK = "val"
    TRAIN = "train"
    ALL = "all"


def zero_shot(
    images: Annotated[
        list[Path],
        typer.Option(help="Folder of class folders, parquet file, or folder of those; can be given several times."),
    ],
    model: Annotated[
        str | None,
        typer.Option(
            help="Folder or hub id of a SigLIP or CLIP (lcybuaa/Git-RSCLIP), an OpenCLIP name such as "
            "ViT-B-32/laion2b_s34b_b79k, or a model folder with towers; default: the shipped towers."
        ),
    ] = None,
    wording: Annotated[Wording, typer.Option(help="Whose confusions are told; all four are measured.")] = (
        Wording.WORDINGS
    ),
    split: Annotated[Split, typer.Option(help="Of tables with such a column.")] = Split.HELD_BACK,
    limit: Annotated[int | None, typer.Option(min=2, help="At most so many images of each set.")] = None,
    report: Annotated[
        Path | None, typer.Option(file_okay=False, help="Folder for a page with the confusion matrices.")
    ] = None,
    device: DeviceOption = None,
    as_json: Json = False,
) -> None:
    """Name images without training, and find captioned ones by their captions."""
    from app.network import set_unusable_aside
    from app.work import SHIPPED_MODEL
    from text2earth_core.image_text.images import find_sets
    from text2earth_core.image_text.measure import measure
    from text2earth_core.image_text.models import load_image_text_model
    from text2earth_core.image_text.report import write_report

    sets = [one for path in images for one in find_sets(path, split.value, limit)]
    if model is not None and not Path(model).expanduser().is_dir():
        set_unusable_aside()  # it may have to be fetched
    loaded = load_image_text_model(SHIPPED_MODEL if model is None else model, device)
    found: dict[str, Any] = {"model": model or SHIPPED_MODEL.name, "wording": wording.value, "sets": {}}
    namings = {}
    names = Counter(one.name for one in sets)
    for one in sets:
        name = one.name if names[one.name] == 1 else str(one.path)
        with bar(f"Looking at {name}") as advance:
            found["sets"][name], naming = measure(loaded, one, wording.value, advance)
        if naming is not None:
            namings[name] = naming
    if report is not None:
        found["report"] = str(write_report(report, found, namings))
    emit(found if as_json else _lines(found), as_json)


def _lines(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The figures for people: percent, one block for each set."""
    blocks: list[dict[str, Any]] = [{name: found[name] for name in ("model", "report") if name in found}]
    for name, one in found["sets"].items():
        block = {"set": name, "images": one["images"]}
        for way, share in one.get("accuracy", {}).items():
            block[f"right in %, {way}"] = (
                f"{100 * share['value']:.1f} ({100 * share['low']:.1f} to {100 * share['high']:.1f})"
            )
        for way in ("text_to_image", "image_to_text"):
            if "retrieval" in one:
                shares = [f"{100 * share:.1f}" for share in one["retrieval"][way].values()]
                block[f"recall at 1, 5, 10 in %, {way.replace('_', ' ')}"] = ", ".join(shares)
        blocks.append(block)
    return blocks
