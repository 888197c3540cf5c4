"""The HTTP API of images onto a scene: first the file, then what the person says about it, then a job."""

from __future__ import annotations

import asyncio
import re
import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import AfterValidator, BaseModel, Field

from app.api.scenes import Use, receive
from app.api.settings import Layer
from app.errors import NotFound
from app.jobs.import_ import SUFFIX
from canvas.geometry import LIMIT
from canvas.request import writable

router = APIRouter(prefix="/api/scenes/{scene}/imports")

KEPT = 8  # files that nobody has asked to import yet
_ID = re.compile(r"[0-9a-f]{12}")
Number = Annotated[float, Field(allow_inf_nan=False)]
Pixel = Annotated[int, Field(ge=-LIMIT, le=LIMIT)]


class NewImport(BaseModel, extra="forbid"):
    """What the person says about a file; None leaves it to the file.

    `resolution` in m/px, `at` (x, y in px) its upper left corner, `bands` counted from 1 (a fourth is near infrared),
    `range` the values that become black and white, `layer` where they go.
    """

    name: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(writable)] = "image"
    resolution: Number | None = None
    at: Annotated[list[Pixel], Field(min_length=2, max_length=2)] | None = None
    bands: Annotated[list[int], Field(min_length=1, max_length=4)] | None = None
    range: Annotated[list[Number], Field(min_length=2, max_length=2)] | None = None
    layer: Layer | None = None


@router.post("", status_code=201)
async def receive_image(
    use: Use, scene: str, request: Request, name: Annotated[str, Query(max_length=200)] = "image"
) -> dict[str, Any]:
    """Take an image file as the raw body and say what its header tells; nothing is decoded yet."""
    await asyncio.to_thread(use.library.path, scene)
    file = secrets.token_hex(6)
    target = use.library.job_file(file, SUFFIX)
    try:
        await receive(request, target)
        return {"file": file, "name": name} | await asyncio.to_thread(_describe, use, scene, file, name)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _describe(use: Use, scene: str, file: str, name: str) -> dict[str, Any]:
    from canvas.maps.import_image import describe

    use.library.forget_old_files(KEPT, SUFFIX, needed=use.jobs.files())
    with use.library.open(scene) as opened:
        return describe(use.library.job_file(file, SUFFIX), opened, name)


@router.post("/{file}", status_code=202)
def create_import(use: Use, scene: str, file: str, body: NewImport) -> dict[str, Any]:
    """Queue the import of a file that was received."""
    if not _ID.fullmatch(file) or not use.library.job_file(file, SUFFIX).is_file():
        raise NotFound("This file is not kept any more: drop it onto the map again.")
    use.library.path(scene)
    request = body.model_dump() | {"file": file, "title": f"Import {body.name}"}
    return use.jobs.submit(scene, "import", [request])[0]


@router.delete("/{file}", status_code=204)
def forget_image(use: Use, scene: str, file: str) -> None:
    """Drop a file that shall not be imported after all."""
    if _ID.fullmatch(file):
        use.library.job_file(file, SUFFIX).unlink(missing_ok=True)
