"""The HTTP API of whole scenes: the list, titles, and scene files in and out.

Handlers are plain functions: FastAPI runs them in its thread pool, so that no file is read on the event loop.
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.background import BackgroundTask

from app.api.services import Services, services
from app.errors import Conflict, NoRoom
from app.serving.scene_picture import scene_picture

router = APIRouter(prefix="/api/scenes")
Use = Annotated[Services, Depends(services)]

CHUNK = 1 << 20
UPLOAD_SPARE = 64 << 20  # bytes of disk that an upload leaves free

Title = Annotated[str, Field(min_length=1, max_length=120)]
Resolution = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]


class NewScene(BaseModel, extra="forbid"):
    """What a new scene may be given; the resolution is in metres per pixel."""

    title: Title = "Untitled scene"
    resolution: Resolution | None = None


class SceneChange(BaseModel, extra="forbid"):
    """What can be changed about a scene."""

    title: Title | None = None
    resolution: Resolution | None = None


@router.get("", response_model=list[dict[str, Any]])
def list_scenes(use: Use) -> JSONResponse:
    """All scenes, the one changed last first."""
    return JSONResponse(use.library.summaries())  # plain JSON already: a thousand need no encoder that looks at each


@router.post("", status_code=201)
def create_scene(use: Use, body: NewScene) -> dict[str, Any]:
    """An empty scene."""
    resolution = body.resolution or use.default_resolution
    return use.library.summary(use.library.create(body.title.strip(), resolution))


@router.post("/example", status_code=201)
def create_example(use: Use) -> dict[str, Any]:
    """A copy of the shipped example."""
    return use.library.summary(use.library.example())


@router.post("/upload", status_code=201)
async def upload_scene(use: Use, request: Request) -> dict[str, Any]:
    """A scene file as the raw body; it is written beside the library, checked, then taken in."""
    target = use.library.incoming_path()
    try:
        await receive(request, target)
        scene = await asyncio.to_thread(use.library.adopt, target)
        return await asyncio.to_thread(use.library.summary, scene)
    finally:
        target.unlink(missing_ok=True)


async def receive(request: Request, target: Path) -> None:
    """Write the raw body to a file, piece by piece; NoRoom where the disk has no room or refuses it."""
    free = shutil.disk_usage(target.parent).free - UPLOAD_SPARE
    if int(request.headers.get("content-length", "0")) > free:
        raise NoRoom("The disk has no room for this file; free some space and send it again.")
    try:
        with await asyncio.to_thread(target.open, "wb") as file:
            buffer = bytearray()
            async for chunk in request.stream():
                buffer += chunk
                if len(buffer) >= CHUNK:
                    await asyncio.to_thread(file.write, bytes(buffer))
                    buffer.clear()
            await asyncio.to_thread(file.write, bytes(buffer))
    except OSError as error:
        raise NoRoom(f"The file cannot be stored ({error.strerror}); free some space and try again.") from error


@router.get("/{scene}")
def get_scene(use: Use, scene: str) -> dict[str, Any]:
    """One scene."""
    return use.library.summary(scene)


@router.get("/{scene}/picture.webp")
def get_picture(use: Use, scene: str, v: int | None = None) -> Response:
    """A small picture of the whole scene; no content where there is none.  Cached under the revision `v` it has."""
    with use.library.open(scene) as opened:
        revision = opened.revision
        image = scene_picture(opened)
    forever = "public, max-age=31536000, immutable" if v == revision else "no-store"
    if image is None:
        return Response(status_code=204, headers={"Cache-Control": forever})
    return Response(image, media_type="image/webp", headers={"Cache-Control": forever})


@router.patch("/{scene}")
def change_scene(use: Use, scene: str, body: SceneChange) -> dict[str, Any]:
    """Rename a scene, or set the resolution of one that has no content."""
    if body.resolution is not None and use.jobs.pending_frames(scene):
        raise Conflict("The resolution cannot change while jobs of this scene wait; cancel them first.")
    with use.library.open(scene) as opened:
        if body.resolution is not None:
            opened.set_resolution(body.resolution)
        if body.title is not None:
            opened.set_title(body.title.strip())
    return use.jobs.tell_scene_changed(scene, [])


@router.delete("/{scene}", status_code=204)
def delete_scene(use: Use, scene: str) -> None:
    """Cancel the scene's jobs and move its file to the trash."""
    use.library.path(scene)
    use.jobs.cancel_scene(scene)
    use.library.delete(scene)
    use.jobs.forget_scene(scene)
    use.hub.publish("deleted", {}, scene)


@router.post("/{scene}/duplicate", status_code=201)
def duplicate_scene(use: Use, scene: str) -> dict[str, Any]:
    """A copy of the scene as it is now, with its history."""
    return use.library.summary(use.library.duplicate(scene))


@router.get("/{scene}/file")
def download_scene(use: Use, scene: str) -> FileResponse:
    """The scene file, copied through the backup API: an open database must not be copied byte by byte."""
    copy = use.library.incoming_path()
    try:
        with use.library.open(scene) as opened:
            opened.backup(copy)
            title = opened.title
    except BaseException:
        copy.unlink(missing_ok=True)
        raise
    return download(copy, title, ".t2e", "application/vnd.sqlite3")


def download(path: Path, title: str, suffix: str, media_type: str, keep: bool = False) -> FileResponse:
    """Send a file; a temporary one is removed afterwards, unless it is to be kept."""
    plain = "".join(c if c.isalnum() or c in " -_.()" else "_" for c in title).strip(" .") or "scene"
    disposition = f"attachment; filename=\"scene{suffix}\"; filename*=UTF-8''{quote(plain + suffix)}"
    remove = None if keep else BackgroundTask(path.unlink, missing_ok=True)
    return FileResponse(path, media_type=media_type, headers={"Content-Disposition": disposition}, background=remove)
