"""Between scene pixels (x right, y down) and maps: coordinate systems, pixel sizes on the ground, transforms.

Only what writes or reads map files imports this: rasterio brings GDAL and PROJ.
"""

from __future__ import annotations

import math
import re

import rasterio
import rasterio.warp
from affine import Affine
from rasterio.crs import CRS
from rasterio.errors import CRSError

from canvas.anchor import Anchor
from canvas.errors import SceneError
from canvas.geometry import Rect
from canvas.maps.around import is_mercator
from canvas.maps.geotiff import GDAL_ERRORS

# An engineering system (ISO 19111): metres from scene pixel (0, 0), and a name that claims no place on Earth.
_LOCAL = (
    'LOCAL_CS["Text2Earth synthetic scene, not georeferenced",UNIT["metre",1],'
    'AXIS["Easting",EAST],AXIS["Northing",NORTH]]'
)
_LONLAT = CRS.from_epsg(4326)
_WGS84_A, _WGS84_E2 = 6378137.0, 6.69437999014e-3


def local_crs() -> CRS:
    """The system of scenes that are nowhere on Earth: metres, north up, (0, 0) at scene pixel (0, 0)."""
    return CRS.from_wkt(_LOCAL)


def is_local(crs: CRS) -> bool:
    """Whether a file carries the system of `local_crs`, so that its coordinates are places in a scene."""
    return "Text2Earth synthetic scene" in crs.to_wkt()


def check(anchor: Anchor) -> CRS:
    """The coordinate system of an anchor; SceneError where it is unknown, in degrees, or the place lies outside it."""
    with rasterio.Env():  # PROJ would complain on stderr beside our sentence
        try:
            crs = CRS.from_epsg(anchor.epsg)
        except CRSError:
            raise SceneError(f"EPSG:{anchor.epsg} is not known: use the code of a projected system.") from None
    if crs.is_geographic:
        zone = ""
        if abs(anchor.east) <= 360 and abs(anchor.north) <= 90:
            zone = f", here EPSG:{zone_of(anchor.east, anchor.north)}"
        raise SceneError(
            f"EPSG:{anchor.epsg} measures in degrees and a scene in metres: use a projected system such as UTM{zone}."
        )
    if not crs.is_projected:
        raise SceneError(f"EPSG:{anchor.epsg} is not a projected system: use one such as UTM.")
    lonlat(crs, anchor.east, anchor.north)
    return crs


def lonlat(crs: CRS, x: float, y: float) -> tuple[float, float]:
    """Degrees of a point in map units; SceneError where the system does not reach there."""
    try:
        (lon,), (lat,) = rasterio.warp.transform(crs, _LONLAT, [x], [y])
    except GDAL_ERRORS:
        lon = lat = math.inf
    if not (math.isfinite(lon) and math.isfinite(lat) and abs(lat) < 89.9):
        raise SceneError(f"The place {x:.10g},{y:.10g} lies outside of its coordinate system: check the origin.")
    return lon, lat


def ground_metres(crs: CRS, x: float, y: float) -> tuple[float, float]:
    """How many metres on the ground one map unit is at (x, y), to the east and to the north.

    Degrees by the radii of curvature of the WGS 84 ellipsoid. Mercator maps stretch by 1 / cos(latitude), which no
    user means by "metres per pixel"; other projections stay within a fraction of a percent of their unit where they
    are used, and their nominal unit is what users mean.
    """
    factor = crs.units_factor[1]
    if crs.is_geographic:
        latitude = y * factor
        w = 1 - _WGS84_E2 * math.sin(latitude) ** 2
        return _WGS84_A / math.sqrt(w) * math.cos(latitude) * factor, _WGS84_A * (1 - _WGS84_E2) / w**1.5 * factor
    if is_mercator(crs):
        scale = math.cos(math.radians(lonlat(crs, x, y)[1]))
        return scale * factor, scale * factor
    return factor, factor


def placed(resolution: float, rect: Rect, anchor: Anchor | None) -> tuple[CRS, Affine]:
    """The system and the transform (pixel of `rect` to map units) of a part of a scene of `resolution` m/px.

    Without an anchor the local one. SceneError where the anchor cannot be used.
    """
    if anchor is None:
        return local_crs(), Affine(resolution, 0, rect.x * resolution, 0, -resolution, -rect.y * resolution)
    crs = check(anchor)
    east, north = ground_metres(crs, anchor.east, anchor.north)
    dx, dy = resolution / east, resolution / north
    return crs, Affine(dx, 0, anchor.east + rect.x * dx, 0, -dy, anchor.north - rect.y * dy)


def zone_of(lon: float, lat: float) -> int:
    """The EPSG code of the WGS 84 / UTM zone of a place in degrees, near the poles of their stereographic system."""
    if abs(lat) > 84:
        return 5041 if lat > 0 else 5042
    return (32600 if lat >= 0 else 32700) + int((lon + 180) % 360 // 6) + 1


def name_of(crs: CRS) -> str:
    """A system as a sentence names it: its code, or the name that its file gives it."""
    code = crs.to_epsg()
    if code:
        return f"EPSG:{code}"
    found = re.match(r'\w+\["(?!unknown|unnamed)([^"]+)"', crs.to_wkt())
    return f"its own system ({found[1]})" if found else "its own system"
