"""Systems that go around the Earth, counted from another meridian: across 180 degrees one place has two coordinates.

PROJ answers with longitudes from -180 to 180 whatever it was asked with, so that a file across the antimeridian loses
the part beyond it. In the same system counted from a meridian in its middle there is no such line near it.
"""

from __future__ import annotations

import re

import rasterio.warp
from rasterio.crs import CRS
from rasterio.errors import CRSError

TURN = 360.0  # degrees
_MERCATOR = re.compile(r'PROJECTION\["(Popular_Visualisation_Pseudo_)?Mercator')
_LONLAT = CRS.from_epsg(4326)


def goes_around(crs: CRS) -> bool:
    """Whether its x coordinates say the longitude and nothing else: degrees, and Mercator's."""
    return crs.is_geographic or is_mercator(crs)


def is_mercator(crs: CRS) -> bool:
    """Whether a system is the projection of Mercator, of the sphere or the ellipsoid, in any of its variants."""
    return crs.is_projected and bool(_MERCATOR.search(crs.to_wkt()))


def period(crs: CRS) -> float:
    """The width of the Earth in map units of a system that goes around."""
    if crs.is_geographic:
        return TURN / _degrees(crs)
    central = _central(crs)
    (west, east), _ = rasterio.warp.transform(_LONLAT, crs, [central - TURN / 8, central + TURN / 8], [0.0, 0.0])
    return 4 * abs(east - west)


def meridian_of(crs: CRS, x: float) -> float:
    """The longitude of `x` in whole degrees from the system's own meridian, of either sign and beyond 180."""
    middle = 0.0
    if not crs.is_geographic:
        (middle,), _ = rasterio.warp.transform(_LONLAT, crs, [_central(crs)], [0.0])
    return round((x - middle) / period(crs) * TURN)


def counted_from(crs: CRS, degrees: float) -> tuple[CRS, float]:
    """The system with its meridian `degrees` further east, and what is to be added to x coordinates for it.

    The system itself and 0 where it cannot be moved: one that WKT cannot say, or that does not go around.
    """
    if not degrees or not goes_around(crs):
        return crs, 0.0
    wkt = re.sub(r',AUTHORITY\["[^"]*","[^"]*"\]\]$', "]", crs.to_wkt(version="WKT1_GDAL"))
    if crs.is_geographic:
        found = re.search(r'PRIMEM\["[^"]*",([-\d.eE]+)[^\]]*?(,AUTHORITY\["[^"]*","[^"]*"\])?\]', wkt)
        moved = found and wkt[: found.start()] + f'PRIMEM["Moved",{_wrapped(float(found[1]) + degrees)!r}]'
        wkt = f"{moved}{wkt[found.end() :]}" if found else wkt
    else:
        central = _wrapped(_central(crs) + degrees)
        wkt = re.sub(r'(PARAMETER\["central_meridian",)[-\d.eE]+', rf"\g<1>{central!r}", wkt)
        if 'EXTENSION["PROJ4"' in wkt:  # Web Mercator, which PROJ knows by its name alone: the sphere has to be said
            wkt = re.sub(r"(\+lon_0=)[-\d.eE]+", rf"\g<1>{central!r}", crs.to_proj4())
    try:
        return CRS.from_user_input(wkt), -degrees / TURN * period(crs)
    except CRSError:
        return crs, 0.0


def _central(crs: CRS) -> float:
    found = re.search(r'PARAMETER\["central_meridian",([-\d.eE]+)', crs.to_wkt())
    return float(found[1]) if found else 0.0


def _degrees(crs: CRS) -> float:
    """Degrees in one unit of a geographic system."""
    return crs.units_factor[1] / 0.017453292519943295


def _wrapped(longitude: float) -> float:
    return (longitude + TURN / 2) % TURN - TURN / 2
