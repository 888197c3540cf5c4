"""The HTTP API of maps out of a scene: exports at once or as jobs, and where the scene lies on Earth."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from app.api.scenes import Use, download
from app.api.settings import Layer
from app.errors import AppError, Gone, NotFound
from app.maps import FORMATS, parse_anchor, parse_box, parse_layers
from app.work import checked_rect
from canvas.layers import LAYERS
from canvas.maps.export_file import chosen_layers

router = APIRouter(prefix="/api")

Short = Annotated[str, Query(max_length=100)]
NO_FORMAT = f"This format is not known; use one of {', '.join(FORMATS)}."


class EarthPlace(BaseModel, extra="forbid"):
    """A place on Earth: `crs` as EPSG:N, `origin` as E,N in its map units, of the corner of scene pixel (0, 0)."""

    crs: Annotated[str, Field(max_length=40)]
    origin: Annotated[str, Field(max_length=80)]


class NewExport(BaseModel, extra="forbid"):
    """What to export: a `region` (x, y, w, h in px; None for everything) of `layers` (None for the first with content),
    at a `place` (None for the scene's own).
    """

    format: str
    region: Annotated[list[int], Field(min_length=4, max_length=4)] | None = None
    place: EarthPlace | None = None
    layers: Annotated[list[Layer], Field(min_length=1, max_length=len(LAYERS))] | None = None


@router.get("/scenes/{scene}/export")
def export_now(
    use: Use, scene: str, format: str = "png", bbox: Short | None = None, crs: Short | None = None,
    origin: Short | None = None, layers: Short | None = None,
) -> FileResponse:  # fmt: skip
    """The whole scene or the box x0,y0,x1,y1 (pixels) as a file; for scripts, which wait until it is made.

    `layers` are names with commas between them; the first with content where there are none.
    """
    from canvas.maps.export import export_scene

    if format not in FORMATS:
        raise AppError(NO_FORMAT)
    region, anchor = parse_box(bbox), parse_anchor(crs, origin)
    target = use.library.incoming_path().with_suffix(f".{format}")
    try:
        with use.library.open(scene) as opened:
            export_scene(opened, target, region, anchor, layers=parse_layers(layers))
            title = opened.title
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return download(target, title, f".{format}", FORMATS[format])


@router.post("/scenes/{scene}/exports", status_code=202)
def create_export(use: Use, scene: str, body: NewExport) -> dict[str, Any]:
    """Queue an export; the job's file can be downloaded when it is done."""
    if body.format not in FORMATS:
        raise AppError(NO_FORMAT)
    region = checked_rect(body.region) if body.region else None
    anchor = parse_anchor(body.place.crs, body.place.origin) if body.place else None
    with use.library.open(scene) as opened:
        found = anchor or opened.anchor
        if opened.bounds is None and region is None:
            raise AppError("The scene is empty: generate something before exporting it.")
        with opened.snapshot() as at:
            chosen = chosen_layers(at, body.layers, f".{body.format}")
    if body.format == "mbtiles" and found is None:
        raise AppError("MBTiles lie on Earth: name the system and the origin, or choose the plain tile pyramid.")
    request = {
        "format": body.format,
        "region": list(region) if region else None,
        "layers": list(chosen),
        "anchor": anchor.as_dict() if anchor else None,
        "title": f"Export as .{body.format}",
    }
    return use.jobs.submit(scene, "export", [request])[0]


@router.get("/scenes/{scene}/exports/{job}")
def exported_file(use: Use, scene: str, job: str) -> FileResponse:
    """The file that an export job has made."""
    found = use.jobs.get(scene, job)
    if found["kind"] != "export" or found["state"] != "done":
        raise NotFound("There is no finished export with this id.")
    suffix = f".{found['result']['file']}"
    file = use.library.job_file(job, suffix)
    if not file.is_file():
        raise Gone("This export is not kept any more: export it again.")
    with use.library.open(scene) as opened:
        return download(file, opened.title, suffix, FORMATS[suffix[1:]], keep=True)


@router.put("/scenes/{scene}/anchor")
def set_anchor(use: Use, scene: str, body: EarthPlace) -> dict[str, Any]:
    """Say where the scene lies on Earth."""
    anchor = parse_anchor(body.crs, body.origin)
    with use.library.open(scene) as opened:
        opened.set_anchor(anchor)
    return use.jobs.tell_scene_changed(scene, [])


@router.delete("/scenes/{scene}/anchor")
def clear_anchor(use: Use, scene: str) -> dict[str, Any]:
    """The scene lies nowhere on Earth."""
    with use.library.open(scene) as opened:
        opened.set_anchor(None)
    return use.jobs.tell_scene_changed(scene, [])
