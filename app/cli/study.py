"""`text2earth study`: what a model is good for in other people's work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.output import DeviceOption, Json, ModelOption, Sampler, emit

app = typer.Typer(help="Studies of what a model is good for.", no_args_is_help=True)


@app.callback()
def _studies() -> None:
    """Studies of what a model is good for."""


@app.command()
def augmentation(
    data: Annotated[Path, typer.Option(envvar="TEXT2EARTH_DATA", help="Folder of parquet files with RSICD in it.")],
    report: Annotated[Path, typer.Option(file_okay=False, help="Folder of the report; a stopped study goes on in it.")],
    small: Annotated[bool, typer.Option("--small", help="Small networks at 64 px: an hour on two cores.")] = False,
    real: Annotated[
        str | None,
        typer.Option(metavar="N:COPIES,...", help="Real images and generated ones for each; default: 1027, 300, 100."),
    ] = None,
    network: Annotated[list[str] | None, typer.Option(help="Only this one (can be given several times).")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, max=100, help="Trainings of each kind; default: 3.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Of each training.")] = None,
    pretrained: Annotated[
        bool, typer.Option("--pretrained", help="Begin with weights from ImageNet, where they can be fetched.")
    ] = False,
    sampler: Sampler = None,
    model: ModelOption = None,
    device: DeviceOption = None,
    as_json: Json = False,
) -> None:
    """Train classifiers on a few real images, with and without generated ones of the same captions (Table V)."""
    from app.cli.evaluate import Bars
    from app.work import SHIPPED_MODEL
    from text2earth_core.errors import Text2EarthError
    from text2earth_core.study.augmentation import study_augmentation
    from text2earth_core.study.backbones import NAMES
    from text2earth_core.study.plan import Plan, read_copies

    unknown = set(network or ()) - set(NAMES)
    if unknown:
        raise Text2EarthError(f"There is no network {min(unknown)} here: use {', '.join(NAMES)}.")
    plan = Plan.reduced() if small else Plan()
    changes: dict[str, Any] = {"seeds": seeds, "steps": steps, "networks": tuple(network) if network else None}
    changes["copies"] = None if real is None else read_copies(real)
    plan = replace(plan, **{name: value for name, value in changes.items() if value is not None})
    found = study_augmentation(
        Path(model) if model else SHIPPED_MODEL, data, report, plan, sampler=sampler, pretrained=pretrained,
        device=device, progress=Bars(),
    )  # fmt: skip
    lines = [
        {"network": row["network"], "real": row["real"], "gain in points": round(100 * row["gain"]["value"], 1)}
        for row in found["table"]
    ]
    emit(found if as_json else [{"report": str(report / "report.html")}, *lines], as_json)


@app.command()
def counting(
    data: Annotated[Path, typer.Option(envvar="TEXT2EARTH_DATA", help="Folder of parquet files with RSICD in it.")],
    report: Annotated[Path, typer.Option(file_okay=False, help="Folder of the report; a stopped study goes on in it.")],
    small: Annotated[
        bool, typer.Option("--small", help="A small counter and few pictures: an hour on two cores.")
    ] = False,
    kind: Annotated[list[str] | None, typer.Option(help="Only this object (can be given several times).")] = None,
    numbers: Annotated[str | None, typer.Option(metavar="N,N,...", help="How many; default: 1 to 20.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, max=100, help="Pictures of each prompt; default: 5.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Of the counter's training.")] = None,
    sampler: Sampler = None,
    model: ModelOption = None,
    device: DeviceOption = None,
    as_json: Json = False,
) -> None:
    """Count what prompts with a number give, as drawn and with places laid out first (generate --count-places)."""
    from app.cli.evaluate import Bars
    from app.work import SHIPPED_MODEL
    from text2earth_core.study.counting.plan import Plan, kind_of, read_numbers
    from text2earth_core.study.counting.study import study_counting

    plan = Plan.reduced() if small else Plan()
    changes: dict[str, Any] = {
        "seeds": seeds,
        "steps": steps,
        "numbers": None if numbers is None else read_numbers(numbers),
    }
    changes["kinds"] = tuple(kind_of(name).name for name in kind) if kind else None
    plan = replace(plan, **{name: value for name, value in changes.items() if value is not None})
    found = study_counting(
        Path(model) if model else SHIPPED_MODEL, data, report, plan, towers=SHIPPED_MODEL, sampler=sampler,
        device=device, progress=Bars(),
    )  # fmt: skip
    lines = [
        {"object": row["kind"], "pictures": row["pictures"]}
        | {f"right {way}, percent": round(100 * row[way]["exact"]["value"], 1) for way in ("as drawn", "with places")}
        for row in found["table"]
    ]
    emit(found if as_json else [{"report": str(report / "report.html")}, *lines], as_json)
