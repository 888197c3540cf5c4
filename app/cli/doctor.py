"""`text2earth doctor`: what is here, what will run, and how fast."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.output import DeviceOption, Json, emit, say


def doctor(
    model: Annotated[
        str | None, typer.Option(help="Look at this folder or hub id; default: all that are here.")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where scenes and models are kept; default: your data folder.")
    ] = None,
    device: DeviceOption = None,
    as_json: Json = False,
) -> None:
    """Say what hardware, libraries and models are here, what will run, and how fast: measured in seconds."""
    from app.diagnosis import diagnose
    from app.network import set_unusable_aside
    from app.serve import default_data_dir

    set_unusable_aside()
    found = diagnose(data_dir or default_data_dir(), model, device, say)
    emit(found if as_json else _lines(found), as_json)


def _lines(found: dict[str, Any]) -> list[dict[str, Any]]:
    models = [{name: _words(value) for name, value in one.items()} for one in found["models"]]
    return [{name: _words(value) for name, value in found["machine"].items()}, found["libraries"], *models]


def _words(value: Any) -> Any:
    match value:
        case True | False:
            return "yes" if value else "no"
        case dict():
            return ", ".join(f"{name} {one}" for name, one in value.items())
        case list():
            return ", ".join(map(str, value)) or "none"
        case _:
            return value
