"""The HTTP API of editing: edits, the candidates they make, and the steps of the history."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from app.api.scenes import Use
from app.api.settings import Prompt, Sampler, SamplingBody, Steps
from app.errors import AppError, NotFound
from app.jobs.edit import MAX_VARIATIONS, seconds_of
from app.work import checked_frame, checked_rect, find_clouds, make_edit
from canvas.geometry import Rect, bounding_rect
from canvas.masks import encode_mask, placed, read_mask
from canvas.request import EDIT_FEATHER, MAX_FEATHER
from canvas.scene import Scene
from text2earth_core.sampling.settings import MAX_SEED

router = APIRouter(prefix="/api/scenes/{scene}")

MAX_MASK_TEXT = 12 * 2**20  # characters of base64: a mask with any amount of detail that can be used is smaller
SHOWN_ENTRIES = 200  # newest ones that the history lists
FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}  # ids are never used twice in a scene


class NewEdit(SamplingBody):
    """A change of what lies under a mask.

    `mask` is a PNG in base64, white where the scene may change; its top left pixel lies `at` (x, y in px).  `strength`
    says how far known ground may go from what it is, 1 is anew; `feather` is in px.
    """

    mask: Annotated[str, Field(max_length=MAX_MASK_TEXT)]
    at: Annotated[list[int], Field(min_length=2, max_length=2)]
    prompt: Prompt = ""
    seed: Annotated[int, Field(ge=0, le=MAX_SEED - MAX_VARIATIONS)] | None = None  # variations count it up
    strength: Annotated[float, Field(gt=0, le=1)] = 1.0
    feather: Annotated[int, Field(ge=0, le=MAX_FEATHER)] = EDIT_FEATHER
    variations: Annotated[int, Field(ge=1, le=MAX_VARIATIONS)] = 1


class PlannedEdit(BaseModel, extra="forbid"):
    """An edit as far as its duration depends on it; `rect` (x, y, w, h in px) is what its mask spans."""

    rect: Annotated[list[int], Field(min_length=4, max_length=4)]
    steps: Steps = None
    sampler: Sampler = None
    strength: Annotated[float, Field(gt=0, le=1)] = 1.0
    variations: Annotated[int, Field(ge=1, le=MAX_VARIATIONS)] = 1


class Area(BaseModel, extra="forbid"):
    """A rectangle x, y, w, h in pixels."""

    rect: Annotated[list[int], Field(min_length=4, max_length=4)]


@router.post("/clouds")
def propose_clouds(use: Use, scene: str, body: Area) -> dict[str, Any]:
    """A mask over the clouds and shadows in a rectangle, to be corrected by hand; nothing is changed.

    `rect` is the smallest around them, null where none is found; `counts` are the lengths of the runs of its pixels
    outside and inside the mask in turn, row by row, the first outside.  `sure` is false where no shadow fits
    them: they may be sand or roofs.
    """
    rect = checked_rect(body.rect)
    with use.library.open(scene) as opened:
        proposed = find_clouds(opened, rect)
    found = proposed.mask > 0
    box = bounding_rect(found, rect.x, rect.y)
    if box.empty:
        return {"rect": None, "counts": [], "sure": False}
    inside = found[box.slices(rect)].ravel()
    ends = np.flatnonzero(np.diff(inside, prepend=False, append=not inside[-1]))
    return {"rect": list(box), "counts": np.diff(ends, prepend=0).tolist(), "sure": proposed.sure}


@router.post("/edits/cost")
def get_cost(use: Use, scene: str, body: PlannedEdit) -> dict[str, Any]:
    """About how many `seconds` an edit takes, from the pace of its sampler so far; null where that is not known yet."""
    use.library.path(scene)
    frame = checked_frame(checked_rect(body.rect).snap_out())
    return {"seconds": seconds_of(use.host, frame, body.sampler, body.steps, body.strength, body.variations)}


@router.post("/edits", status_code=202)
def create_edit(use: Use, scene: str, body: NewEdit) -> dict[str, Any]:
    """Queue an edit; its variations become candidates."""
    try:
        data = base64.b64decode(body.mask.removeprefix("data:image/png;base64,"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise AppError("The mask is not base64: send the bytes of a PNG encoded as base64.") from error
    frame, mask = placed(read_mask(data), *body.at)
    sampling = body.sampling()
    with use.library.open(scene) as opened:
        if use.host.state != "loading":  # says now what it would say when it runs
            make_edit(opened, use.host.model, frame, mask, body.prompt, sampling, body.strength, body.feather)
    request = {"frame": list(frame), "mask": encode_mask(mask), "prompt": body.prompt} | sampling.as_dict()
    request |= {"strength": body.strength, "feather": body.feather, "variations": body.variations}
    return use.jobs.submit(scene, "edit", [request])[0]


@router.get("/candidates")
def list_candidates(use: Use, scene: str) -> list[dict[str, Any]]:
    """The changes that wait to be accepted or discarded."""
    with use.library.open(scene) as opened:
        return _candidates(opened)


@router.get("/candidates/{candidate}.webp")
def candidate_image(use: Use, scene: str, candidate: int) -> Response:
    """What a candidate would look like in its place, transparent where it changes nothing."""
    with use.library.open(scene) as opened:
        image = opened.candidate_image(candidate)
    if image is None:
        raise NotFound("This candidate is not there any more: it was accepted or discarded.")
    return Response(image, media_type="image/webp", headers=FOREVER)


@router.post("/candidates/{candidate}/accept")
def accept_candidate(use: Use, scene: str, candidate: int) -> dict[str, Any]:
    """Make a candidate part of the scene; the others of its batch are discarded, and no more are made.

    409 where the place has changed, or the candidate is gone.
    """
    with use.library.open(scene) as opened:
        batches = {one.id: one.batch for one in opened.candidates()}
        entry = opened.accept_candidate(candidate)
        use.jobs.cancel_edit(scene, batches[candidate])
        _tell(use, scene, opened)
    return use.jobs.tell_scene_changed(scene, [entry.rect])


@router.delete("/candidates")
def discard_candidates(use: Use, scene: str, batch: str) -> list[dict[str, Any]]:
    """Discard the candidates of a batch, and make no more; returns those of others that still wait."""
    use.jobs.cancel_edit(scene, batch)
    with use.library.open(scene) as opened:
        opened.discard(batch)
        return _tell(use, scene, opened)


@router.get("/steps")
def list_steps(use: Use, scene: str) -> list[dict[str, Any]]:
    """The newest entries of the history, oldest first, also undone ones; without masks and lists of tiles."""
    with use.library.open(scene) as opened:
        entries = opened.history(newest=SHOWN_ENTRIES)
    return [{key: value for key, value in entry.as_dict().items() if key != "tiles"} for entry in entries]


@router.get("/steps/{step}/thumbnail.webp")
def step_thumbnail(use: Use, scene: str, step: int) -> Response:
    """A small picture of what a step made; 204 where there is none, as after an erasure."""
    with use.library.open(scene) as opened:
        image = opened.thumbnail(step)
    if image is None:
        return Response(status_code=204)
    return Response(image, media_type="image/webp", headers=FOREVER)


@router.post("/steps/{step}/go")
def go_to_step(use: Use, scene: str, step: int) -> dict[str, Any]:
    """Undo or redo until this step is the newest that shows; 0 is the scene before its first."""
    with use.library.open(scene) as opened:
        moved = opened.go_to(step)
    changed = [Rect(*one.rect) for one in moved]
    return use.jobs.tell_scene_changed(scene, changed)


def _candidates(scene: Scene) -> list[dict[str, Any]]:
    return [candidate.as_dict() for candidate in scene.candidates()]


def _tell(use: Use, scene: str, opened: Scene) -> list[dict[str, Any]]:
    """Tell every page which candidates there are now."""
    candidates = _candidates(opened)
    use.hub.publish("candidates", {"candidates": candidates}, scene)
    return candidates
