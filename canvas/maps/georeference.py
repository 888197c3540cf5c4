"""What an image file says of its own place: coordinates, control points, or hints that lie where we do not look."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from affine import Affine
from rasterio.crs import CRS
from rasterio.io import DatasetReader
from rasterio.transform import from_gcps

from canvas.anchor import MAX_COORDINATE
from canvas.maps.around import counted_from, goes_around, meridian_of
from canvas.maps.crs import is_local

CONTROL_ERROR = 1.0  # px by which control points may miss a plane grid
WORLD_SUFFIXES = (".wld", ".tfw", ".pgw", ".jgw", ".wpw", ".tifw", ".pngw", ".jpgw", ".jpegw")
TURNED = 180  # degrees from a system's own meridian at which its coordinates begin again


@dataclass(frozen=True)
class Georeference:
    """The file's `width` x `height` px lie by `transform` in `crs`, which is None where it does not say in which.

    `notes` are sentences about what it says and could not be used.
    """

    width: int
    height: int
    crs: CRS | None
    transform: Affine
    notes: list[str] = field(default_factory=list)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in map units, also where it is turned."""
        return extent_of(self.transform, self.width, self.height)

    @property
    def middle(self) -> tuple[float, float]:
        """In map units."""
        x, y = self.transform @ (self.width / 2, self.height / 2)
        return x, y

    def in_one_piece(self) -> tuple[CRS, Affine]:
        """`crs` and `transform`, counted from a meridian in its middle where the antimeridian goes through the file."""
        assert self.crs is not None
        if not goes_around(self.crs):
            return self.crs, self.transform
        west, _, east, _ = self.bounds
        if max(abs(meridian_of(self.crs, west)), abs(meridian_of(self.crs, east))) < TURNED:
            return self.crs, self.transform
        moved, by = counted_from(self.crs, meridian_of(self.crs, (west + east) / 2))
        return moved, Affine.translation(by, 0) @ self.transform

    @property
    def on_earth(self) -> bool:
        """Whether its coordinates are places on Earth: not so those of a site's own grid, and of scenes."""
        return self.crs is not None and (self.crs.is_geographic or self.crs.is_projected)

    @property
    def in_scene(self) -> bool:
        """Whether its coordinates are places in a scene from which it was exported."""
        return self.crs is not None and is_local(self.crs)


def georeference(source: DatasetReader) -> Georeference:
    """What an open file says of its place; nothing beside the file is read."""
    size = (source.width, source.height)
    if source.crs is not None:
        return Georeference(*size, source.crs, source.transform)
    points, crs = source.gcps
    if points and crs is not None:
        fitted = _fitted(points)
        if fitted is not None:
            return Georeference(*size, crs, fitted)
        hint = f"Its {len(points)} control points lie on no plane grid: warp it first, for example with gdalwarp."
    elif not source.transform.is_identity:
        hint = "It has coordinates, but does not say in which system: give it one, for example with gdal_translate."
    elif source.rpcs is not None:
        hint = "Its place is given by a camera model (RPC): orthorectify it first, for example with gdalwarp -rpc."
    else:
        world = _world_file(Path(source.name))
        if world is None:
            return Georeference(*size, None, source.transform)
        hint = (
            f"The world file {world.name} beside it is not read, as it does not name its system: write both into a "
            "GeoTIFF, for example with gdal_translate -a_srs EPSG:N."
        )
    return Georeference(*size, None, source.transform, [f"Its place was not used. {hint}"])


def extent_of(transform: Affine, width: int, height: int) -> tuple[float, float, float, float]:
    """West, south, east, north of `width` x `height` px in map units, also where they are turned."""
    corners = [transform @ corner for corner in ((0, 0), (width, 0), (0, height), (width, height))]
    xs, ys = zip(*corners, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _fitted(points: list) -> Affine | None:
    """The plane grid of control points; None where they are too few, or miss it by more than `CONTROL_ERROR`."""
    if len(points) < 3 or not all(abs(v) <= MAX_COORDINATE for p in points for v in (p.x, p.y, p.col, p.row)):
        return None
    fitted = from_gcps(points)
    if not all(map(math.isfinite, fitted)) or fitted.is_degenerate:
        return None
    inverse = ~fitted
    missed = (math.dist(inverse @ (point.x, point.y), (point.col, point.row)) for point in points)
    return fitted if max(missed) <= CONTROL_ERROR else None


def _world_file(path: Path) -> Path | None:
    beside = (path.with_suffix(ending) for suffix in WORLD_SUFFIXES for ending in (suffix, suffix.upper()))
    return next((found for found in beside if found.is_file()), None)
