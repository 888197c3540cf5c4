"""Where a pixel of an anchored scene lies on Earth."""

from __future__ import annotations

from typing import Any

from canvas.anchor import Anchor
from canvas.geometry import Rect
from canvas.maps.crs import lonlat, placed

_APART = 16  # px over which degrees are compared: enough for differences, few enough for a straight line


def ground_place(resolution: float, anchor: Anchor, x: float, y: float) -> dict[str, Any]:
    """The place of scene pixel (x, y), JSON-ready; SceneError where the scene's system does not reach there.

    `east`, `north` in map units and `lon`, `lat` in degrees; `step` is what a pixel to the right and one down add to
    east and north, `turn` what they add to lon and lat here: [[lon, lat] to the right, [lon, lat] down].
    """
    crs, transform = placed(resolution, Rect(0, 0, 1, 1), anchor)
    east, north = transform @ (x, y)
    lon, lat = lonlat(crs, east, north)
    beside = [lonlat(crs, *(transform @ at)) for at in ((x + _APART, y), (x, y + _APART))]
    turn = [[(a - lon) / _APART, (b - lat) / _APART] for a, b in beside]
    return {
        "east": east, "north": north, "step": [transform.a, transform.e], "lon": lon, "lat": lat, "turn": turn,
    }  # fmt: skip
