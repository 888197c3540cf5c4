"""`text2earth translate` and `text2earth scene translate`: a picture, or a layer of a scene, made from another."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.fill import RayOption, YesOption, run_fill
from app.cli.output import DeviceOption, Guidance, Json, ModelOption, Sampler, Steps, bar, emit, say
from app.cli.scene import SceneFile
from app.errors import AppError, NotFound
from app.maps import parse_bands, parse_box, parse_range
from canvas.errors import SceneError
from text2earth_core.sampling.settings import Sampling
from text2earth_core.translation.tasks import TASKS, Task, get_task

if TYPE_CHECKING:
    from canvas.scene import Scene
    from canvas.scene_file.history import Entry
    from text2earth_core import Text2Earth

TaskOption = Annotated[
    str,
    typer.Option(
        metavar="TASK", help="; ".join(f"{task.name}: {task.title}" for task in TASKS.values())
    ),
]  # fmt: skip
TranslatorOption = Annotated[
    Path | None, typer.Option(file_okay=False, help="Folder of `train translator`; default: the model's own.")
]
PromptOption = Annotated[str, typer.Option(help="What is there, where you know it.")]
SeedOption = Annotated[int, typer.Option(help="The same seed gives the same pixels.")]

WORKING = ".translating.t2e"
"""How the scene file is called, after the result's name, in which a file is worked on."""


def translate(
    file: Annotated[Path, typer.Argument(metavar="IN", help="GeoTIFF, PNG, JPEG or WebP.")],
    task: TaskOption,
    out: Annotated[Path, typer.Option(help="GeoTIFF to write.")],
    prompt: PromptOption = "",
    seed: SeedOption = 0,
    steps: Steps = None,
    guidance: Guidance = None,
    sampler: Sampler = None,
    resolution: Annotated[float | None, typer.Option(help="Metres per pixel of IN; default: what it says.")] = None,
    bands: Annotated[
        str | None, typer.Option(metavar="R,G,B", help="Which bands of IN, from 1; one for a single band.")
    ] = None,
    value_range: Annotated[
        str | None, typer.Option("--range", metavar="LOW,HIGH", help="Values that become black and white.")
    ] = None,
    translator: TranslatorOption = None,
    ray: RayOption = None,
    model: ModelOption = None,
    device: DeviceOption = None,
    yes: YesOption = False,
    as_json: Json = False,
) -> None:
    """Make a picture from another one of the same place, of any size: 8 bits a band, on the same grid.

    Coordinates, nodata and masks stay; a finer picture has smaller pixels in the same place. When stopped or killed,
    the same command goes on where it was: the work lies in a scene file beside OUT until it is done.
    """
    from canvas.maps.same_grid import export_grid, import_grid, scene_resolution
    from canvas.scene import Scene

    chosen, picked, values = get_task(task), parse_bands(bands), parse_range(value_range)
    sampling = Sampling(seed=seed, steps=steps, guidance=guidance, sampler=sampler)
    if out.suffix.lower() not in (".tif", ".tiff"):
        raise AppError(f"{out.name} must be a GeoTIFF: choose a name that ends in .tif.")
    if not out.absolute().parent.is_dir():
        raise NotFound(f"There is no folder {out.parent}; make it or choose another one.")
    metres = scene_resolution(file, resolution, chosen.finer)
    loaded = _model(model, device, translator, chosen)
    working = out.with_name(out.name + WORKING)
    goes_on = working.exists()
    done = False
    try:
        with Scene.open(working) if goes_on else Scene.create(working, metres, title=out.stem) as scene:
            if not goes_on or not scene.history():
                with bar("Reading") as advance:
                    made = import_grid(scene, file, chosen.source, chosen.finer, picked, values, advance)
                for note in made.notes:
                    say(note)
            _check_same(scene, file, chosen, metres, working)
            entry = _fill(scene, loaded, chosen, None, prompt, sampling, ray, model, yes)
            tags = {"TASK": chosen.name, "MADE_FROM": file.name, "SEED": str(seed), "PROMPT": prompt}
            with bar("Writing") as advance:
                rect = export_grid(scene, file, out, chosen.target, chosen.finer, tags, advance)
        done = True
    finally:
        if done or (not goes_on and _nothing_done(working)):
            for left in working.parent.glob(f"{working.name}*"):
                left.unlink(missing_ok=True)
    result = {"file": str(out), "task": chosen.name, "layer": chosen.target, "width": rect.w, "height": rect.h}
    emit(entry.as_dict() | result if as_json else result, as_json)


def translate_scene(
    scene: SceneFile,
    task: TaskOption,
    bbox: Annotated[str | None, typer.Option(metavar="X0,Y0,X1,Y1", help="Region in px; default: all of it.")] = None,
    prompt: PromptOption = "",
    seed: SeedOption = 0,
    steps: Steps = None,
    guidance: Guidance = None,
    sampler: Sampler = None,
    translator: TranslatorOption = None,
    ray: RayOption = None,
    model: ModelOption = None,
    device: DeviceOption = None,
    yes: YesOption = False,
    as_json: Json = False,
) -> None:
    """Make a layer of a scene from another one; what the layer has already stays, and undo takes it back.

    When stopped or killed, the same command goes on where it was.
    """
    from canvas.scene import Scene

    chosen, region = get_task(task), parse_box(bbox)
    sampling = Sampling(seed=seed, steps=steps, guidance=guidance, sampler=sampler)
    with Scene.open(scene) as opened:
        if not opened.writable:
            raise SceneError(f"{scene} is read-only; copy it to a place where you may write.")
        loaded = _model(model, device, translator, chosen)
        box = None if region is None else [region.x, region.y, region.x1, region.y1]
        entry = _fill(opened, loaded, chosen, box, prompt, sampling, ray, model, yes)
        emit(entry.as_dict() if as_json else {"file": str(scene)} | opened.summary(), as_json)


def _model(source: str | None, device: str | None, translator: Path | None, task: Task) -> Text2Earth:
    from app.work import load_model

    loaded = load_model(source, device)
    if translator is not None:
        loaded.translators.load(translator)
    loaded.translators.get(task)
    return loaded


def _fill(
    scene: Scene,
    model: Text2Earth,
    task: Task,
    box: Sequence[int] | None,
    prompt: str,
    sampling: Sampling,
    ray: str | None,
    source: str | None,
    yes: bool,
) -> Entry:
    """Translate a box (px; None: the whole source); what was begun goes on, and what was finished is there."""
    from canvas.fill.region_fill import fill_request
    from canvas.fill.request import source_bounds

    content = source_bounds(scene, task)
    corners = box or [content.x, content.y, content.x1, content.y1]
    request = fill_request(model, scene, corners, [{"text": model.lexicon.worded(prompt)}], sampling, task=task.name)
    newest = next((step for step in reversed(scene.history()) if not step.undone and not step.aside), None)
    if newest is not None and newest.request == json.loads(request.to_json()):
        return newest  # a kill came between this and what follows
    return run_fill(scene, model, request, "Translating", yes, ray, source)


def _check_same(scene: Scene, file: Path, task: Task, resolution: float, working: Path) -> None:
    """SceneError where the work that was found is that of another file or another task."""
    from canvas.maps.import_image import sha256_of

    first = scene.history()[0].request
    source = first.get("source") or {}
    wanted = (sha256_of(file), task.source, resolution)
    if (source.get("sha256"), first.get("layer"), scene.resolution) != wanted:
        raise SceneError(f"{working} holds unfinished work on something else: finish or delete it, or change --out.")


def _nothing_done(working: Path) -> bool:
    """Whether what was begun would only be begun again."""
    from canvas.scene import Scene
    from canvas.scene_file.fill_state import any_begun

    if not working.exists():
        return False
    with Scene.open(working) as left:
        return not any_begun(left.database) and len(left.history()) < 2
