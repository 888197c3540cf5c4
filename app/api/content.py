"""The HTTP API of what a scene holds: tiles, history, erasing."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from app.api.scenes import Use
from app.api.services import Services
from app.api.settings import Layer
from app.errors import AppError, Conflict, NotFound
from app.work import checked_rect
from canvas.geometry import LIMIT, Rect
from canvas.layers import LAYERS
from canvas.scene_file.history import Entry

router = APIRouter(prefix="/api/scenes/{scene}")

MAX_INDEX = 4096  # tiles along a side of an index request
MAX_ZOOM = 30


class Erase(BaseModel, extra="forbid"):
    """A rectangle x, y, w, h in pixels of a layer; without one, all of the layer."""

    rect: Annotated[list[int], Field(min_length=4, max_length=4)] | None = None
    layer: Layer = "rgb"


@router.get("/index")
def tile_index(
    use: Use, scene: str, z: int, x0: int, y0: int, x1: int, y1: int, layer: Layer = "rgb"
) -> dict[str, Any]:
    """Which tiles of a layer exist in [x0, x1) x [y0, y1) at zoom level z, with their revisions.

    A pixel is 2**z scene pixels.
    """
    if (
        not (0 <= z <= MAX_ZOOM and x0 <= x1 <= x0 + MAX_INDEX and y0 <= y1 <= y0 + MAX_INDEX)
        or max(map(abs, (x0, y0, x1, y1))) > LIMIT
    ):
        raise AppError(f"The index needs 0 <= z <= {MAX_ZOOM} and at most {MAX_INDEX} tiles along a side.")
    with use.library.open(scene) as opened:
        # Read before the tiles: a change between the two makes the page ask again, never miss it.
        revision = opened.revision
        found = opened.tile_index(Rect.from_corners(x0, y0, x1, y1), z, layer)
        return {"revision": revision, "tiles": [list(tile) for tile in found]}


@router.get("/tiles/{layer}/{z}/{x}/{y}.webp")
def tile(use: Use, scene: str, layer: str, z: int, x: int, y: int, v: int | None = None) -> Response:
    """One tile as WebP with alpha 0 where nothing is known; cached forever under the revision `v` it really has.

    No content where the tile is empty: a page may ask for one that an undo in another tab has just taken away.
    """
    if layer not in LAYERS or not 0 <= z <= MAX_ZOOM or max(abs(x), abs(y)) > LIMIT:
        raise NotFound("There is no such tile.")
    with use.library.open(scene) as opened:
        found = opened.tile_webp(layer, z, x, y)
    if found is None:
        return Response(status_code=204, headers={"Cache-Control": "no-store"})
    image, revision = found
    forever = "public, max-age=31536000, immutable" if v == revision else "no-store"
    return Response(image, media_type="image/webp", headers={"Cache-Control": forever})


@router.post("/erase")
def erase(use: Use, scene: str, body: Erase) -> dict[str, Any]:
    """Make a rectangle of a layer, or all of it, empty; it can be undone."""
    with use.library.open(scene) as opened:
        rect = checked_rect(body.rect) if body.rect else opened.layer_bounds.get(body.layer)
        if rect is None:
            raise AppError(f"The layer {body.layer} is empty already.")
        entry = opened.erase(rect, body.layer)
    return _with_step(use, scene, entry)


@router.post("/undo")
def undo(use: Use, scene: str, step: int | None = None) -> dict[str, Any]:
    """Take the last change back, or only `step`: 409 where it is not the last one any more."""
    with use.library.open(scene) as opened:
        undone = opened.undo(step)
    if undone is None:
        raise Conflict("There is nothing to undo." if step is None else "This step is not the newest any more.")
    return _with_step(use, scene, undone)


@router.post("/redo")
def redo(use: Use, scene: str) -> dict[str, Any]:
    """Bring back the change that was undone last."""
    with use.library.open(scene) as opened:
        entry = opened.redo()
    if entry is None:
        raise Conflict("There is nothing to redo.")
    return _with_step(use, scene, entry)


def _with_step(use: Services, scene: str, entry: Entry) -> dict[str, Any]:
    """What the scene is after a change was made, undone or redone, and which one with what frame that was."""
    summary = use.jobs.tell_scene_changed(scene, [entry.rect])
    return summary | {"step": {"id": entry.id, "frame": entry.request.get("frame")}}


@router.get("/history")
def history(use: Use, scene: str) -> list[dict[str, Any]]:
    """The accepted changes, oldest first."""
    with use.library.open(scene) as opened:
        return [step.as_dict() for step in opened.history()]
