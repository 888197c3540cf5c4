"""`text2earth evaluate`: measure a model against real images and write a report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.output import Json, emit, say

if TYPE_CHECKING:
    from rich.progress import Progress


def evaluate(
    report: Annotated[
        Path, typer.Option(file_okay=False, help="Folder of the report; an interrupted evaluation goes on in it.")
    ],
    data: Annotated[Path, typer.Option(envvar="TEXT2EARTH_DATA", help="Folder of parquet files with real images.")],
    model: Annotated[Path | None, typer.Option(help="Model folder; default: the shipped model.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Shrink the counts to this time; 3 gives a first look.")] = None,
    images: Annotated[int | None, typer.Option(help="Images a side (default: 2,000, after the protocol).")] = None,
    student: Annotated[bool, typer.Option("--student", help="Measure the few-step student as well.")] = False,
    networks: Annotated[
        Path | None,
        typer.Option(
            file_okay=False, help="Folder of the measuring networks, to share them; default: in the report's."
        ),
    ] = None,
    pretrained: Annotated[
        bool, typer.Option("--pretrained", help="Also measure with Inception and CLIP, fetched from the hub.")
    ] = False,
    modalities: Annotated[bool, typer.Option("--modalities", help="Also measure PAN, NIR and SAR.")] = False,
    translation: Annotated[bool, typer.Option("--translation", help="Also measure the translator.")] = False,
    only: Annotated[list[str] | None, typer.Option(help="Only this measurement (can be given several times).")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, mps; default: the best there is.")] = None,
    as_json: Json = False,
) -> None:
    """Measure a model after the RSICD protocol: distances, Cls-OA, text control, outpainting, resolution, speed."""
    from app.work import SHIPPED_MODEL
    from text2earth_core.errors import Text2EarthError
    from text2earth_core.evaluation.run import Budget, evaluate

    if minutes is not None and images is not None:
        raise Text2EarthError("Give --minutes or --images, not both.")
    found = evaluate(
        model or SHIPPED_MODEL, data, report, Budget(minutes, images), student=student, hub=pretrained,
        modalities=modalities, translation=translation, networks=networks, only=only or (),
        device=device, progress=Bars(),
    )  # fmt: skip
    judged = not found["below_protocol"]
    if not judged:
        say("Counts are below the protocol: take the figures as a first indication.")
    checks = [
        {"what": check["name"], "measured": check["value"], "required": check["target"]}
        | ({"met": check["met"]} if judged else {})
        for check in found["checks"]
    ]
    emit(found if as_json else [{"report": str(report / "report.html")}, *checks], as_json)


class Bars:
    """One bar on stderr at a time: training draws its own, and two would overwrite each other."""

    def __init__(self) -> None:
        self._bar: Progress | None = None

    def __call__(self, what: str, done: int, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        if total == 0:
            say(what)
            return
        if self._bar is None:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
            self._bar.add_task(what)
        task = self._bar.tasks[0].id
        self._bar.update(task, description=what, completed=done, total=total)
        if done >= total:
            self._bar.stop()
            self._bar = None
