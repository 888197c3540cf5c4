"""A map file as it lies on the square of Web Mercator, also where the antimeridian goes through it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from affine import Affine
from rasterio.crs import CRS
from rasterio.io import DatasetReader
from rasterio.warp import transform, transform_bounds

from canvas.maps.around import TURN, counted_from, goes_around, meridian_of

HALF_WORLD = math.pi * 6378137.0  # m: the square of Web Mercator reaches so far from its middle
FAR_EAST = 170.0  # degrees from which a map may reach across the antimeridian

Box = tuple[float, float, float, float]  # west, south, east, north


@dataclass(frozen=True)
class WebWorld:
    """How one file is warped to Web Mercator.

    The file lies by `transform` in `crs`. `mercator` is Web Mercator counted from `turned` degrees, so that its x
    coordinates are less than on the web's map by as many degrees, and no edge of the world goes through the file.
    `degrees` and `metres` bound it on the web's map, and run on beyond its eastern edge.
    """

    crs: CRS
    transform: Affine
    mercator: CRS
    turned: float
    degrees: Box
    metres: Box

    @property
    def shift(self) -> float:
        """Metres of the web's map at which x of `mercator` is 0."""
        return self.turned / (TURN / 2) * HALF_WORLD

    @property
    def named(self) -> Box:
        """`degrees` as TileJSON allows them, which must not wrap around: across the line it is the whole Earth."""
        west, south, east, north = self.degrees
        if east <= TURN / 2:
            return self.degrees
        if west >= TURN / 2:
            return west - TURN, south, east - TURN, north
        return -TURN / 2, south, TURN / 2, north

    @property
    def middle(self) -> tuple[float, float]:
        """Longitude from -180 to 180, and latitude."""
        west, south, east, north = self.degrees
        return ((west + east + TURN) / 2) % TURN - TURN / 2, (south + north) / 2


def web_world(source: DatasetReader) -> WebWorld:
    """The place of an open file; `metres` and `degrees` are infinite where Web Mercator does not reach."""
    lonlat, mercator = CRS.from_epsg(4326), CRS.from_epsg(3857)
    crs, place, turned, box = source.crs, source.transform, 0.0, tuple(source.bounds)
    middle = (box[0] + box[2]) / 2
    (longitude,), _ = transform(crs, lonlat, [middle], [(box[1] + box[3]) / 2])
    if abs(longitude) >= FAR_EAST and math.isfinite(longitude):
        turned = float(round(longitude) % TURN)
        crs, by = counted_from(crs, meridian_of(crs, middle)) if goes_around(crs) else (crs, 0.0)
        place, box = Affine.translation(by, 0) @ place, (box[0] + by, box[1], box[2] + by, box[3])
        lonlat, mercator = (counted_from(one, turned)[0] for one in (lonlat, mercator))
    west, south, east, north = transform_bounds(crs, lonlat, *box)
    metres = transform_bounds(crs, mercator, *box)
    shift = turned / (TURN / 2) * HALF_WORLD
    return WebWorld(
        crs, place, mercator, turned, (west + turned, south, east + turned, north),
        (metres[0] + shift, metres[1], metres[2] + shift, metres[3]),
    )  # fmt: skip
