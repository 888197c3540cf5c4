"""Recipes: small JSON files that rebuild a scene, or fill a region.

Version 1 has two forms. A fill, made by hand or by a program:

    {"version": 1, "resolution": 1.0, "seed": 5, "bbox": [x0, y0, x1, y1],
     "prompts": [{"text": "...", "region": [x0, y0, x1, y1] or [[x, y], ...], "feather": px}]}

and optionally `region` (only this part of the bbox, in the same form or a list of several), `negative_prompt`, `steps`,
`guidance`, `sampler` ("quality" or "fast"), `feather` (px, at known ground), `follow` (0 to 1, see `Request`),
`layer`, `adapters` ([[fingerprint, weight]]) and `model` (a fingerprint). And a scene's history, as `recipe_of` makes
it: `resolution`, `model`, `made_on`, `history` (requests, oldest first) and `files` (masks and imported pixels in
base64, named by their SHA-256).
Coordinates are scene pixels, y down; `resolution` is in m/px.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from canvas.errors import SceneError
from canvas.fill.request import MAX_PROMPTS, FillRequest, checked_box
from canvas.geometry import LIMIT, TILE
from canvas.prompt_json import parse_prompt, parse_region
from canvas.request import Request, checked_feather, complaint
from canvas.scene import Scene
from canvas.scene_file.meta import RESOLUTIONS
from canvas.scene_file.recall import pixels_written, requests_shown
from text2earth_core.sampling.settings import SETTINGS
from text2earth_core.values import is_number, is_whole

VERSION = 1
MAX_BYTES = 512 * 2**20  # of a file: it is read as a whole
MADE_BY_MODEL = ("generate", "edit", "fill")
REPLAYABLE = (*MADE_BY_MODEL, "erase", "import")
_ELSEWHERE = ("version", "resolution", "model", "device", "dtype")  # of a request: said once for a whole recipe

_FILL = {"version", "resolution", "seed", "bbox", "prompts"}
_FILL_MORE = {
    "region",
    "negative_prompt",
    "steps",
    "guidance",
    "sampler",
    "feather",
    "follow",
    "model",
    "layer",
    "adapters",
}
_HISTORY = {"version", "resolution", "history"}
_HISTORY_MORE = {"files", "model", "made_on"}


@dataclass(frozen=True, slots=True)
class Recipe:
    """A checked recipe. Exactly one of `fill` (the JSON fields of a fill) and `history` says what to do.

    `model` is the fingerprint of the model it was made with, empty for any. `made_on` holds `device` and `dtype` of the
    machine, empty where unknown. `files` maps SHA-256 to bytes.
    """

    resolution: float
    model: str = ""
    made_on: Mapping[str, str] = field(default_factory=dict)
    fill: Mapping[str, Any] | None = None
    history: tuple[dict[str, Any], ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)

    def check_scene(self, resolution: float) -> None:
        """Raise SceneError where a scene of `resolution` m/px cannot take this recipe."""
        if resolution != self.resolution:
            raise SceneError(
                f"The recipe is for {self.resolution:g} m/px and the scene has {resolution:g} m/px: use another scene, "
                "or change `resolution` in the recipe if you want it at the scene's scale."
            )

    def check_model(self, fingerprint: str, name: str) -> None:
        """Raise SceneError where the recipe was made with another model."""
        if self.model and self.model != fingerprint:
            raise SceneError(
                f"The recipe was made with the model {self.model}, this one is {name} ({fingerprint}): name that one "
                "with --model, or remove `model` from the recipe to get other pixels with this one."
            )


def read(path: str | Path) -> Recipe:
    """The recipe in a file; SceneError with one sentence where it is not a possible one."""
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SceneError(f"{path.name} is larger than {MAX_BYTES // 2**20} MB: that is not a recipe.")
        data = _json(path.read_bytes())
    except OSError as error:
        raise SceneError(f"{path} cannot be read ({error.strerror}): check the name and its permissions.") from error
    except (ValueError, RecursionError):
        raise SceneError(f"{path.name} is not JSON: choose a recipe file, or correct it.") from None
    return parse(data)


def _json(raw: bytes) -> Any:
    """The value in a text file as any editor leaves it."""
    try:
        return json.loads(raw)  # which knows UTF-8 and UTF-16, with their marks, by themselves
    except UnicodeDecodeError:
        return json.loads(raw.decode("cp1252"))  # what editors under Windows write where they are not told


def parse(data: Any) -> Recipe:
    """The recipe in a JSON value; SceneError where it is not a possible one."""
    if not isinstance(data, dict):
        raise SceneError(
            "A recipe is a JSON object with version, resolution, seed, bbox and prompts: correct the file."
        )
    version = data.get("version")
    if version != VERSION:
        if isinstance(version, int) and version > VERSION:
            raise SceneError(f"This recipe has version {version}, this program reads {VERSION}: update the program.")
        raise SceneError(f'The version of this recipe is missing or unknown: write "version": {VERSION}.')
    is_fill = "history" not in data
    required, optional = (_FILL, _FILL_MORE) if is_fill else (_HISTORY, _HISTORY_MORE)
    for name in sorted(required - set(data)):
        raise SceneError(f"This recipe has no {name!r}: add it.")
    for name in sorted(set(data) - required - optional):
        raise SceneError(f"This recipe has a field {name!r} that this program does not know: remove it.")
    resolution = data["resolution"]
    finest, coarsest = RESOLUTIONS
    if not is_number(resolution) or not finest <= resolution <= coarsest:
        raise SceneError(f"The resolution {resolution!r} is not possible: use {finest:g} to {coarsest:g} m/px.")
    model = data.get("model", "")
    if not isinstance(model, str):
        raise SceneError("The model of a recipe is the fingerprint of one: correct or remove it.")
    if is_fill:
        return Recipe(float(resolution), model, fill=_checked_fill(data))
    return _checked_history(data, float(resolution), model)


def _checked_fill(data: dict[str, Any]) -> dict[str, Any]:
    prompts = data["prompts"]
    if not isinstance(prompts, list) or not 1 <= len(prompts) <= MAX_PROMPTS:
        raise SceneError(f'"prompts" must be a list of 1 to {MAX_PROMPTS} prompts: correct it.')
    for number, prompt in enumerate(prompts, 1):
        parse_prompt(prompt, f"Prompt {number}")
    checked_box(data["bbox"])
    if data.get("region") is not None:
        parse_region(data["region"], "The fill")
    for name, setting in SETTINGS.items():
        if data.get(name) is not None and not setting.possible(data[name]):
            raise SceneError(f"The {name} of a recipe is {setting.words}: correct it.")
    if data.get("feather") is not None:
        checked_feather(data["feather"])
    return {name: value for name, value in data.items() if name not in ("version", "resolution", "model")}


def _checked_history(data: dict[str, Any], resolution: float, model: str) -> Recipe:
    wrong = SceneError("The history of this recipe is not one that this program wrote: write it again from its scene.")
    steps, files, made_on = data["history"], data.get("files", {}), data.get("made_on", {})
    if not (isinstance(steps, list) and steps and all(isinstance(step, dict) for step in steps)):
        raise wrong
    if not (isinstance(files, dict) and isinstance(made_on, dict)):
        raise wrong
    contents: dict[str, bytes] = {}
    for name, text in files.items():
        try:
            contents[name] = base64.b64decode(text, validate=True)
        except (ValueError, TypeError):
            raise wrong from None
        if hashlib.sha256(contents[name]).hexdigest() != name:
            raise SceneError(f"The file {name[:12]} in this recipe is damaged: copy the recipe again.")
    history = tuple(_checked_step(step, number, resolution, contents) for number, step in enumerate(steps, 1))
    return Recipe(resolution, model, {str(k): str(v) for k, v in made_on.items()}, None, history, contents)


def _checked_step(step: dict[str, Any], number: int, resolution: float, files: Mapping[str, bytes]) -> dict[str, Any]:
    """A step with every field that its kind has; SceneError where one is impossible, unknown, or its file missing."""
    kind, this = step.get("kind"), f"Step {number} of this recipe"
    if kind not in REPLAYABLE:
        raise SceneError(f"{this} is a {kind!r}, which this program cannot repeat: update it.")
    problem = "it has no frame" if "frame" not in step else complaint(step)
    if kind == "import" and not _are_tiles(step.get("tiles")):
        problem = "its tiles must be a list of [x, y, name of a file], not too far from the origin"
    if problem:
        raise SceneError(f"{this} cannot be repeated: {problem}.")
    if kind == "fill":
        x, y, w, h = step["frame"]
        box = {"bbox": [x, y, x + w, y + h], "prompts": step.get("prompts"), "region": step.get("region")}
        try:
            _checked_fill(box)
        except SceneError as error:
            sentence = str(error)
            raise SceneError(f"{this} cannot be repeated: {sentence[0].lower()}{sentence[1:]}") from error
    own = {"tiles": step["tiles"]} if kind == "import" else {}
    needed = [name for _, _, name in own.get("tiles", ())]
    if step.get("mask"):
        own["mask"] = step["mask"]
        needed.append(step["mask"])
    if not all(name in files for name in needed):
        raise SceneError(f"{this} needs a file that is missing: write the recipe again.")
    made = FillRequest if kind == "fill" else Request
    for name in sorted(set(step) - set(own) - {known.name for known in fields(made)} - {"version"}):
        raise SceneError(f"{this} has a field {name!r} that this program does not know: remove it.")
    return entry_of(json.loads(made.from_dict(step | {"resolution": resolution, "mask": ""}).to_json())) | own


def _are_tiles(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(entry, list) and len(entry) == 3 and isinstance(entry[2], str)
        and all(is_whole(place) and abs(place) <= LIMIT // TILE for place in entry[:2])
        for entry in value
    )  # fmt: skip


def entry_of(request: Mapping[str, Any]) -> dict[str, Any]:
    """A request as a recipe's history has it: its mask by its SHA-256, without where and by what it was answered."""
    entry = {name: value for name, value in request.items() if name not in _ELSEWHERE}
    if request.get("mask"):
        entry["mask"] = hashlib.sha256(base64.b64decode(request["mask"])).hexdigest()
    return entry


def recipe_of(scene: Scene) -> dict[str, Any]:
    """The recipe (a JSON value) that rebuilds a scene from its history.

    A scene that one fill made gives the short form. Undone steps are left out. Raises SceneError for an empty scene,
    and where the pixels of an import are gone.
    """
    with scene.database.read() as connection:
        steps = requests_shown(connection)
        if not steps:
            raise SceneError("The scene has no history: make something before writing a recipe.")
        if len(steps) == 1 and steps[0][1].get("kind") == "fill":
            return _fill_recipe(steps[0][1])
        return _history_recipe(connection, scene.resolution, steps)


def _fill_recipe(request: dict[str, Any]) -> dict[str, Any]:
    x, y, w, h = request["frame"]
    recipe = {
        "version": VERSION,
        "resolution": request["resolution"],
        "seed": request["seed"],
        "bbox": [x, y, x + w, y + h],
        "prompts": request["prompts"],
    }
    if request.get("region") is not None:
        recipe["region"] = request["region"]
    if request["layer"] != "rgb":
        recipe["layer"] = request["layer"]
    if request.get("adapters"):
        recipe["adapters"] = request["adapters"]
    names = ("negative_prompt", "steps", "guidance", "sampler", "feather", "model")
    if request.get("follow", 0) is not None:
        recipe["follow"] = request.get("follow", 0)
    return recipe | {name: request[name] for name in names if request.get(name) not in (None, "")}


def _history_recipe(
    connection: sqlite3.Connection, resolution: float, steps: list[tuple[int, dict[str, Any]]]
) -> dict[str, Any]:
    files: dict[str, str] = {}

    def keep(data: bytes) -> str:
        name = hashlib.sha256(data).hexdigest()
        files[name] = base64.b64encode(data).decode("ascii")
        return name

    made = [request for _, request in steps if request["kind"] in MADE_BY_MODEL]
    models = {request.get("model", "") for request in made}
    if len(models) > 1:
        raise SceneError(
            f"Different models made this scene ({', '.join(sorted(models))}): a recipe can name only one, so share the "
            "scene file instead."
        )
    history = []
    for number, (step, request) in enumerate(steps, 1):
        if request["kind"] not in REPLAYABLE:
            raise SceneError(f"Step {number} of the history is a {request['kind']!r}, which no recipe can hold.")
        entry = entry_of(request)
        if request.get("mask"):
            keep(base64.b64decode(request["mask"]))
        if request["kind"] == "import":
            entry["tiles"] = [[x, y, keep(image)] for x, y, image in pixels_written(connection, step)]
        history.append(entry)
    recipe: dict[str, Any] = {"version": VERSION, "resolution": resolution}
    if made:
        recipe |= {"model": made[-1]["model"], "made_on": {name: made[-1][name] for name in ("device", "dtype")}}
    return recipe | {"history": history} | ({"files": files} if files else {})
