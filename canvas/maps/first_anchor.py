"""Where an empty scene comes to lie on Earth when a file is its first content."""

from __future__ import annotations

import math

from rasterio.crs import CRS
from rasterio.warp import transform_bounds

from canvas.anchor import Anchor
from canvas.errors import SceneError
from canvas.maps.crs import lonlat, zone_of
from canvas.maps.georeference import Georeference, extent_of
from canvas.maps.geotiff import GDAL_ERRORS

MAX_SPAN = 1_000_000.0  # m: a zone of UTM holds about so much before its metres are no metres any more


def first_anchor(where: Georeference) -> Anchor | None:
    """The place of the file's upper left corner; None where the file spans too much of the Earth.

    A file in a projected system with a code keeps it. All others, in degrees or in a system of their own, get the UTM
    zone of their middle, on whole metres, as they are warped anyway.
    """
    assert where.crs is not None
    code = where.crs.to_epsg() if where.crs.is_projected else None
    if code is not None:
        west, _, _, north = where.bounds
        return Anchor(code, west, north)
    crs, transform = where.in_one_piece()
    bounds = extent_of(transform, where.width, where.height)
    try:
        zone = zone_of(*lonlat(where.crs, *where.middle))
        west, south, east, north = transform_bounds(crs, CRS.from_epsg(zone), *bounds)
    except (SceneError, *GDAL_ERRORS):
        return None
    if not all(map(math.isfinite, (west, south, east, north))) or not 0 < max(east - west, north - south) < MAX_SPAN:
        return None
    return Anchor(zone, round(west), round(north))
