"""`text2earth scene fill | recipe | replay`: whole regions at once, and scenes rebuilt from a small file."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.adapters import Adapters, add_adapters
from app.cli.output import DeviceOption, Follow, Json, ModelOption, Sampler, bar, emit, say, write_whole
from app.cli.scene import SceneFile
from app.errors import AppError, Conflict
from app.jobs.fill_estimate import ASK_SECONDS

if TYPE_CHECKING:
    from canvas.fill.region_fill import RegionFill
    from canvas.fill.request import FillRequest
    from canvas.fill.workers import RayWorkers
    from canvas.scene import Scene
    from canvas.scene_file.history import Entry
    from text2earth_core import Text2Earth

RayOption = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Work on a Ray cluster: its address, auto, or local.")
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask before a long fill.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to `text2earth scene`."""
    app.command()(fill)
    app.command()(recipe)
    app.command()(replay)


def fill(
    scene: SceneFile,
    recipe: Annotated[Path, typer.Option(metavar="FILE", help="What to fill with what: a recipe (JSON).")],
    sampler: Sampler = None,
    follow: Follow = None,
    layer: Annotated[str | None, typer.Option(help="rgb, pan, nir or sar; default: what the recipe says.")] = None,
    adapter: Adapters = None,
    ray: RayOption = None,
    model: ModelOption = None,
    device: DeviceOption = None,
    yes: YesOption = False,
    as_json: Json = False,
) -> None:
    """Fill a region of a scene as a recipe says; a SCENE that does not exist is made.

    What the scene has already stays and is continued. When stopped or killed, the same command goes on where it was.
    """
    from app.work import load_model
    from canvas.recipes.recipe import read
    from canvas.recipes.replay import fill_of

    asked = read(recipe)
    if asked.fill is None:
        raise AppError(f"{recipe} rebuilds a whole scene: use `text2earth scene replay {recipe} SCENE`.")
    with _scene_for(scene, asked.resolution) as opened:
        loaded = load_model(model, device)
        request = fill_of(asked, opened, loaded, sampler, follow, layer, add_adapters(loaded, adapter or ()))
        _say_notes(loaded, asked.fill["prompts"], opened.resolution)
        entry = run_fill(opened, loaded, request, "Filling", yes, ray, model)
        emit(entry.as_dict() if as_json else {"file": str(scene)} | opened.summary(), as_json)


def recipe(
    scene: SceneFile,
    out: Annotated[Path, typer.Option(help="JSON file to write.")],
    as_json: Json = False,
) -> None:
    """Write the recipe that rebuilds a scene from its history."""
    from canvas.recipes.recipe import recipe_of
    from canvas.scene import Scene

    with Scene.open(scene) as opened:
        found = recipe_of(opened)
    text = json.dumps(found, ensure_ascii=False, indent=1) + "\n"
    write_whole(lambda path: path.write_text(text, encoding="utf-8"), out)
    emit({"file": str(out), "steps": len(found.get("history", [None])), "bytes": len(text.encode())}, as_json)


def replay(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="A recipe (JSON).")],
    scene: Annotated[Path, typer.Argument(metavar="SCENE", help="The scene file to make (.t2e).")],
    model: ModelOption = None,
    device: DeviceOption = None,
    as_json: Json = False,
) -> None:
    """Rebuild a scene: the same pixels with the same model on the same kind of device.

    When stopped or killed, the same command goes on where it was.
    """
    from app.work import load_model
    from canvas.recipes import replay as replaying
    from canvas.recipes.recipe import read

    asked = read(recipe)
    with _scene_for(scene, asked.resolution) as opened:
        loaded = load_model(model, device)
        for note in replaying.notes(asked, loaded):
            say(note)
        steps = max(1, len(asked.history))
        with stoppable(), bar("Replaying") as advance:
            replaying.replay(
                asked, opened, loaded, lambda number, at: advance(number + at.step / max(1, at.total), steps)
            )
        emit({"file": str(scene)} | opened.summary(), as_json)


@contextmanager
def _scene_for(path: Path, resolution: float) -> Iterator[Scene]:
    """The scene at `path`; where there is none it is made, and goes again if nothing came of it."""
    from canvas.scene import Scene
    from canvas.scene_file.fill_state import any_begun

    made = not path.exists()
    scene = Scene.create(path, resolution, title=path.stem) if made else Scene.open(path)
    try:
        with scene:
            yield scene
            made = False
    except (Exception, KeyboardInterrupt):
        with Scene.open(path) as left:
            empty = made and left.bounds is None and not any_begun(left.database)
        if empty:
            path.unlink()
        raise


def run_fill(
    scene: Scene, model: Text2Earth, request: FillRequest, title: str, yes: bool, ray: str | None, source: str | None
) -> Entry:
    """Ask before a long fill, then do it or go on with it: here, or on the cluster `ray` with the model `source`."""
    from app.work import SHIPPED_MODEL
    from canvas.fill.region_fill import RegionFill

    job, workers = RegionFill(scene, model, request), None
    _confirm(job, yes)
    if ray is not None:
        workers = _ray_workers(ray, source or SHIPPED_MODEL, request)
        job = RegionFill(scene, model, request, workers)
    try:
        with stoppable(), bar(title) as advance:
            return job.run(lambda at: advance(at.step, at.total))
    finally:
        if workers is not None:
            workers.close()


def _confirm(job: RegionFill, yes: bool) -> None:
    """Say what a fill takes, and ask before a long one."""
    cost = job.cost
    seconds = cost.seconds(job.pace())
    say(
        f"{'Going on with' if job.resumed else 'To do:'} {cost.windows:,} windows"
        f" ({cost.cover:.2f} x the region), about {_duration(seconds)} in this process,"
        f" up to {cost.kept / 1e6:,.0f} MB on disk."
    )
    if yes or seconds < ASK_SECONDS:
        return
    if not sys.stdin.isatty():
        raise Conflict(f"This fill takes about {_duration(seconds)}: add --yes to begin it.")
    if not typer.confirm("Begin?", err=True):
        raise Conflict("Nothing was done.")


def _ray_workers(address: str, source: str | Path, request: FillRequest) -> RayWorkers:
    from canvas.fill.workers import RayWorkers

    local = Path(source).expanduser()
    return RayWorkers(address, str(local.resolve()) if local.is_dir() else str(source), request)


@contextmanager
def stoppable() -> Iterator[None]:
    """Tell somebody who presses Ctrl-C that nothing is lost."""
    try:
        yield
    except KeyboardInterrupt:
        say("What is done is kept: the same command goes on from here.")
        raise


def _say_notes(model: Text2Earth, prompts: list[dict[str, Any]], resolution: float) -> None:
    from app.work import prompt_notes

    for note in dict.fromkeys(note for prompt in prompts for note in prompt_notes(model, prompt["text"], resolution)):
        say(note)


def _duration(seconds: float) -> str:
    minutes, hours = seconds / 60, seconds / 3600
    return f"{seconds:.0f} s" if minutes < 2 else f"{minutes:.0f} min" if hours < 2 else f"{hours:.1f} h"
