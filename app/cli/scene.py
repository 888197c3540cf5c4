"""`text2earth scene`: make, grow, take back and export scene files."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.adapters import Adapters, Layer, add_adapters
from app.cli.edit import clouds, edit
from app.cli.output import (
    DeviceOption,
    Follow,
    Guidance,
    Json,
    ModelOption,
    NegativePrompt,
    Sampler,
    Seed,
    Steps,
    bar,
    emit,
    say,
)
from app.errors import Conflict
from canvas.errors import SceneError
from text2earth_core.sampling.settings import Sampling

app = typer.Typer(help="Scene files: make, grow, edit, take back, export.", no_args_is_help=True)
app.command()(edit)
app.command()(clouds)

SceneFile = Annotated[Path, typer.Argument(metavar="SCENE", help="A scene file (.t2e).")]


class Direction(StrEnum):
    """Where a scene can grow."""

    RIGHT = "right"
    LEFT = "left"
    UP = "up"
    DOWN = "down"


@app.command()
def new(
    scene: SceneFile,
    resolution: Annotated[float, typer.Option(help="Metres per pixel, fixed once the scene has content.")],
    title: Annotated[str | None, typer.Option(help="Default: the file's name.")] = None,
    as_json: Json = False,
) -> None:
    """Make an empty scene."""
    from canvas.scene import Scene

    with Scene.create(scene, resolution, title=title or scene.stem) as made:
        emit(_info(made, scene), as_json)


@app.command()
def info(scene: SceneFile, as_json: Json = False) -> None:
    """Show what a scene file holds."""
    from canvas.scene import Scene

    with Scene.open(scene) as opened:
        emit(_info(opened, scene), as_json)


@app.command()
def extend(
    scene: SceneFile,
    direction: Annotated[Direction, typer.Option(help="Where to grow; an empty scene gets its first window.")],
    prompt: Annotated[str, typer.Option(help="What shall be there; empty for anything.")],
    negative_prompt: NegativePrompt = "",
    seed: Seed = None,
    steps: Steps = None,
    guidance: Guidance = None,
    sampler: Sampler = None,
    follow: Follow = None,
    layer: Layer = "rgb",
    adapter: Adapters = None,
    model: ModelOption = None,
    device: DeviceOption = None,
    as_json: Json = False,
) -> None:
    """Grow a scene by half a window."""
    from app import work
    from canvas.paint.extend import extension_frame
    from canvas.scene import Scene

    seed = work.random_seed() if seed is None else seed
    sampling = Sampling(negative_prompt, seed, steps, guidance, sampler, follow, layer=layer)
    with Scene.open(scene) as opened:
        if not opened.writable:
            raise SceneError(f"{scene} is read-only; copy it to a place where you may write.")
        loaded = work.load_model(model, device)
        sampling = replace(sampling, adapters=add_adapters(loaded, adapter or ()))
        for note in work.prompt_notes(loaded, prompt, opened.resolution):
            say(note)
        frame = extension_frame(opened, direction.value, loaded.info.window, layer=layer)
        request = work.make_request(opened, loaded, frame, prompt, sampling)
        with bar(f"Extending {direction.value}") as advance:
            entry = work.extend(opened, loaded, request, lambda at: advance(at.step, at.total))
        emit(entry.as_dict() if as_json else _info(opened, scene), as_json)


@app.command()
def undo(scene: SceneFile, as_json: Json = False) -> None:
    """Take the last change back."""
    from canvas.scene import Scene

    with Scene.open(scene) as opened:
        if opened.undo() is None:
            raise Conflict("There is nothing to undo.")
        emit(_info(opened, scene), as_json)


@app.command()
def redo(scene: SceneFile, as_json: Json = False) -> None:
    """Bring back the change that was undone last."""
    from canvas.scene import Scene

    with Scene.open(scene) as opened:
        if opened.redo() is None:
            raise Conflict("There is nothing to redo.")
        emit(_info(opened, scene), as_json)


def _info(scene: Any, path: Path) -> dict[str, Any]:
    return {"file": str(path)} | scene.summary()
