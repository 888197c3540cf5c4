"""Rebuilds a scene from a recipe: the same pixels with the same model, device and precision."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from canvas.errors import SceneError
from canvas.fill.region_fill import RegionFill, fill_request
from canvas.fill.request import FillRequest
from canvas.fill.workers import Workers
from canvas.geometry import LIMIT, TILE, Rect
from canvas.layers import bands_of
from canvas.paint.painter import Painter, Progress
from canvas.prompt_json import reworded
from canvas.recipes.recipe import MADE_BY_MODEL, Recipe, entry_of
from canvas.request import Request
from canvas.scene import Scene
from canvas.scene_file import codec
from canvas.scene_file.history import Entry
from canvas.scene_file.spool import Piece
from text2earth_core import Text2Earth, Text2EarthError
from text2earth_core.sampling.settings import QUALITY, Sampling

Callback = Callable[[int, Progress], None]
"""(step of the recipe from 0, progress within it); it may raise `Cancelled`."""


def fill_of(
    recipe: Recipe,
    scene: Scene,
    model: Text2Earth,
    sampler: str | None = None,
    follow: float | None = None,
    layer: str | None = None,
    adapters: Sequence[tuple[str, float]] = (),
) -> FillRequest:
    """The fill that a recipe asks for, on a scene and with a model it fits; SceneError otherwise.

    `sampler` takes the place of the recipe's own, with that sampler's steps and guidance; so do `follow`, `layer`
    and `adapters`.
    """
    if recipe.fill is None:
        raise SceneError("This recipe rebuilds a whole scene: use `text2earth scene replay` with it.")
    recipe.check_scene(scene.resolution)
    recipe.check_model(model.info.fingerprint, model.info.name)
    fill = dict(recipe.fill)
    if not recipe.model:  # written by somebody; what was recorded is repeated as it was asked
        fill["prompts"] = reworded(fill["prompts"], model.lexicon.worded)
    if sampler is not None and sampler != (fill.get("sampler") or QUALITY):
        fill |= {"sampler": sampler, "steps": None, "guidance": None}
    if follow is not None:
        fill["follow"] = follow
    if layer is not None:
        fill["layer"] = layer
    if adapters:
        fill["adapters"] = adapters
    return fill_request(model, scene, **fill)


def notes(recipe: Recipe, model: Text2Earth) -> list[str]:
    """Sentences about why the pixels may not be quite the same."""
    info = model.info
    here = {"device": info.device, "dtype": info.dtype}
    if any(recipe.made_on.get(name, value) != value for name, value in here.items()):
        there = " ".join(recipe.made_on.values())
        return [f"This recipe was made on {there}, this is {info.device} {info.dtype}: pixels may differ a little."]
    return []


def replay(
    recipe: Recipe, scene: Scene, model: Text2Earth, callback: Callback | None = None, workers: Workers | None = None
) -> int:
    """Repeat every step of a recipe on a scene; how many there were.

    What the scene has of the recipe already (after a kill) is not done again. Raises SceneError where the scene holds
    anything else, and where recipe, scene and model do not fit.
    """
    recipe.check_scene(scene.resolution)
    recipe.check_model(model.info.fingerprint, model.info.name)
    if recipe.fill is not None:
        if scene.history():
            raise SceneError("The scene is not empty: name a new file, or use `text2earth scene fill`.")
        _fill(scene, model, fill_of(recipe, scene, model), _of_step(callback, 0), workers)
        return 1
    for number in range(_done(recipe, scene), len(recipe.history)):
        try:
            _repeat(recipe, recipe.history[number], scene, model, _of_step(callback, number), workers)
        except Text2EarthError:
            raise
        except (TypeError, KeyError, ValueError) as error:
            raise SceneError(f"Step {number + 1} of this recipe cannot be read: write the recipe again.") from error
    return len(recipe.history)


def _done(recipe: Recipe, scene: Scene) -> int:
    """How many steps of a recipe a scene has already; SceneError where it holds anything else."""
    steps = [step for step in scene.history() if not step.aside]
    if any(step.undone for step in steps) or len(steps) > len(recipe.history):
        raise SceneError("The scene holds something else than this recipe: name a new file.")
    for number, (step, wanted) in enumerate(zip(steps, recipe.history, strict=False), 1):
        mask = scene.request(step.id).mask
        found = entry_of(step.request | ({"mask": mask} if mask else {}))
        names = ["kind", *sorted({*found, *wanted} - {"tiles"})]
        other = next((name for name in names if found.get(name) != wanted.get(name)), None)
        if other is not None:
            raise SceneError(
                f"Step {number} of the scene is not that of this recipe, its {other} is another: name a new file."
            )
    return len(steps)


def _repeat(
    recipe: Recipe,
    step: dict[str, Any],
    scene: Scene,
    model: Text2Earth,
    callback: Callable[[Progress], None] | None,
    workers: Workers | None,
) -> Entry:
    info = model.info
    fields = {key: value for key, value in step.items() if key != "tiles"} | {"resolution": scene.resolution}
    if step.get("mask"):
        fields["mask"] = base64.b64encode(recipe.files[step["mask"]]).decode("ascii")
    if step["kind"] in MADE_BY_MODEL:
        fields |= {"model": info.fingerprint, "device": info.device, "dtype": info.dtype}
    match step["kind"]:
        case "erase":
            return scene.erase(Rect(*step["frame"]), step["layer"])
        case "fill":
            x, y, w, h = step["frame"]
            rest = {name: step[name] for name in ("prompts", "region", "feather")}
            rest["task"] = step.get("task", "")
            again = fill_request(model, scene, [x, y, x + w, y + h], sampling=Sampling.of(step), **rest)
            return _fill(scene, model, again, callback, workers)
        case "import":
            return scene.accept_tiles([(Request.from_dict(fields), _pieces(recipe, step))])[0]
        case _:
            return scene.accept(Painter(model).paint(scene, Request.from_dict(fields), callback))


def _fill(
    scene: Scene,
    model: Text2Earth,
    request: FillRequest,
    callback: Callable[[Progress], None] | None,
    workers: Workers | None,
) -> Entry:
    return RegionFill(scene, model, request, workers).run(callback)


def _pieces(recipe: Recipe, step: dict[str, Any]) -> Iterator[Piece]:
    for x, y, name in step["tiles"]:
        if max(abs(x), abs(y)) > LIMIT // TILE:
            raise SceneError("An import of this recipe lies too far from the origin: write the recipe again.")
        pixels = codec.decode_image(recipe.files[name])
        valid = pixels[..., 3] > 0 if pixels.shape[2] == 4 else np.ones(pixels.shape[:2], bool)
        yield Piece(x, y, pixels[..., : bands_of(step["layer"])], valid)


def _of_step(callback: Callback | None, number: int) -> Callable[[Progress], None] | None:
    return None if callback is None else lambda progress: callback(number, progress)
