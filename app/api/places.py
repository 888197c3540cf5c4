"""The HTTP API of places: where a pixel of an anchored scene lies on Earth."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from app.api.scenes import Use
from app.errors import Conflict
from canvas.geometry import LIMIT

router = APIRouter(prefix="/api/scenes/{scene}")

Pixel = Annotated[float, Query(ge=-LIMIT, le=LIMIT, allow_inf_nan=False)]


@router.get("/place")
def get_place(use: Use, scene: str, x: Pixel, y: Pixel) -> dict[str, Any]:
    """Coordinates of scene pixel (x, y) in the scene's system and in degrees; see `canvas.maps.ground_place`."""
    from canvas.maps.ground_place import ground_place

    with use.library.open(scene) as opened:
        anchor, resolution = opened.anchor, opened.resolution
    if anchor is None:
        raise Conflict("The scene lies nowhere on Earth: say where when you export it, or import a map into it.")
    return ground_place(resolution, anchor, x, y)
