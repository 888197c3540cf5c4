"""Where an image file comes to lie in a scene, and how its pixels become pixels of the scene."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from affine import Affine
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.io import DatasetReader
from rasterio.warp import transform_bounds

from canvas.anchor import Anchor
from canvas.errors import SceneError
from canvas.geometry import LIMIT, Rect
from canvas.maps.crs import check, ground_metres, is_local, local_crs, placed
from canvas.maps.picture import upright

MAX_AREA = 2**32  # px of the scene that one import may cover
MAX_PIXEL, MIN_PIXEL = 100_000.0, 0.0001  # m: a pixel beyond these is a mistake
EXACT = 0.05  # px: grids that agree so well over the whole picture are the same grid

MAX_SHRINK = 64  # px averaged into one while reading, held in memory; what is left is resampled


@dataclass(frozen=True)
class Placement:
    """The file's pixels lie by `transform` in `crs`, those of `rect` (px) by `scene_transform` in `scene_crs`.

    `resolution` is the file's, in m/px; `named` tells whether the file says where it lies; `shrink` is the whole factor
    by which pixels are averaged before they are resampled; `anchor` a place on Earth that the scene gets with the
    import; `notes` are sentences about it.
    """

    rect: Rect
    resolution: float
    crs: CRS
    transform: Affine
    scene_crs: CRS
    scene_transform: Affine
    named: bool
    shrink: int
    resampling: Resampling
    anchor: Anchor | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Ground:
    """What a placement has to know of the scene: m/px, where it lies on Earth, and around what there is content."""

    resolution: float
    anchor: Anchor | None
    bounds: Rect | None


def own_resolution(source: DatasetReader) -> float | None:
    """m/px of a file that says it (in the middle, the mean of both directions); None where it does not."""
    if source.crs is None:
        return None
    x, y = _metres(source)
    return math.sqrt(x * y)


def place(
    source: DatasetReader,
    ground: Ground,
    resolution: float | None = None,
    at: tuple[int, int] | None = None,
    name: str = "The picture",
) -> Placement:
    """Where `source` comes to lie: at its true place if it and the scene (or an empty scene, which then gets it) have
    one, at its place in the scene it was exported from, else with its upper left corner at `at` (px; default: right
    beside what there is).

    `resolution` (m/px) counts instead of what the file says. Raises SceneError where neither says anything, and where
    the picture would be too large, too small or too far away.
    """
    if resolution is None and source.crs is None:
        raise SceneError(f"{name} does not say how large its pixels are: give its resolution in metres per pixel.")
    if resolution is not None and not MIN_PIXEL <= resolution <= MAX_PIXEL:
        raise SceneError(f"{resolution:g} m/px is no resolution of a picture: give the size of its pixels in metres.")
    if resolution is None and at is None:
        if is_local(source.crs):
            return _flat(source, ground, own_resolution(source) or 1.0, source.transform, name, named=True)
        anchor = ground.anchor or (_first_anchor(source) if ground.bounds is None else None)
        if anchor is not None:
            return _on_earth(source, ground, anchor, name)
    corner = at if at is not None else _beside(ground.bounds)
    if resolution is None:
        x, y = _metres(source)
        linear = Affine.scale(x / _pixel_x(source), y / _pixel_y(source)) @ source.transform
    else:
        x = y = resolution
        linear = Affine.scale(resolution, -resolution) @ upright(source)
    west, _, _, north = extent_of(linear, source)
    shift = Affine.translation(corner[0] * ground.resolution - west, -corner[1] * ground.resolution - north)
    return _flat(source, ground, math.sqrt(x * y), shift @ linear, name)


def _flat(
    source: DatasetReader, ground: Ground, resolution: float, transform: Affine, name: str, named: bool = False
) -> Placement:
    """A placement by metres from scene pixel (0, 0), x to the east and y to the north."""
    bounds = extent_of(transform, source)
    return _finished(source, ground, None, resolution, local_crs(), transform, bounds, name, named)


def _on_earth(source: DatasetReader, ground: Ground, anchor: Anchor, name: str) -> Placement:
    """A placement by coordinates; the file may have another system than the scene."""
    crs = check(anchor)
    same = source.crs == crs
    bounds = extent_of(source.transform, source)
    if not same:
        bounds = transform_bounds(source.crs, crs, *bounds)
    if not all(map(math.isfinite, bounds)):
        raise SceneError(f"{name} lies outside of the scene's system ({anchor}): place it by hand.")
    resolution = own_resolution(source) or 1.0
    found = _finished(source, ground, anchor, resolution, source.crs, source.transform, bounds, name, True)
    if not same:
        found.notes.append(f"It was warped from {_name(source.crs)} to the scene's EPSG:{anchor.epsg}.")
    if ground.anchor is None:
        found.notes.append(f"The scene now lies at its place on Earth: {anchor}.")
    return found


def _finished(
    source: DatasetReader, ground: Ground, anchor: Anchor | None, resolution: float, crs: CRS, transform: Affine,
    bounds: tuple[float, float, float, float], name: str, named: bool,
) -> Placement:  # fmt: skip
    """The rectangle that `bounds` (map units of the scene's system) cover, and how to resample."""
    if not MIN_PIXEL <= resolution <= MAX_PIXEL:
        raise SceneError(f"{name} says that its pixels are {resolution:g} m large: give its resolution in m/px.")
    scene_crs, to_map = placed(ground.resolution, Rect(0, 0, 1, 1), anchor)
    x0, y0 = ~to_map @ (bounds[0], bounds[3])
    x1, y1 = ~to_map @ (bounds[2], bounds[1])
    if not max(map(abs, (x0, y0, x1, y1))) < LIMIT:
        raise SceneError(f"{name} would lie too far away from the rest of the scene: place it by hand.")
    rect = Rect.from_corners(
        math.floor(x0 + EXACT), math.floor(y0 + EXACT), math.ceil(x1 - EXACT), math.ceil(y1 - EXACT)
    )
    if rect.empty:
        raise SceneError(
            f"{name} is smaller than a pixel of the scene ({ground.resolution:g} m): check its resolution."
        )
    if rect.area > MAX_AREA:
        raise SceneError(
            f"{name} would be {rect.w} x {rect.h} px large at {ground.resolution:g} m/px: check its resolution, "
            "or use a scene with coarser pixels."
        )
    shrink = min(MAX_SHRINK, max(1, math.floor(ground.resolution / resolution + 1e-6)))
    _, scene = placed(ground.resolution, rect, anchor)
    pixel = ~scene @ transform @ Affine.scale(shrink)  # of the averaged picture, to pixels of `rect`
    sides = (source.width / shrink, source.height / shrink)
    if crs == scene_crs and _agrees(pixel, sides):
        resampling = Resampling.nearest
    else:
        resampling = Resampling.average if ground.resolution > resolution * shrink * 1.001 else Resampling.cubic
    notes = []
    if resolution > 1.5 * ground.resolution:
        notes.append(
            f"It has {resolution:g} m/px and the scene {ground.resolution:g}: it was enlarged and holds no more detail."
        )
    new = anchor if ground.anchor is None else None
    return Placement(rect, resolution, crs, transform, scene_crs, scene, named, shrink, resampling, new, notes)


def _agrees(pixel: Affine, sides: tuple[float, float]) -> bool:
    """Whether pixels of one grid are pixels of the other, perhaps turned or mirrored."""
    corners = [pixel @ (x, y) for x, y in ((0, 0), (1, 0), (0, 1))]
    steps = [corner[axis] for corner in corners for axis in (0, 1)]
    unit = abs(abs(pixel.determinant) - 1) * max(sides) < EXACT
    drift = max(
        abs(v - round(v)) * side for v, side in zip((pixel.a, pixel.b, pixel.d, pixel.e), sides * 2, strict=True)
    )
    return unit and drift < EXACT and all(abs(v - round(v)) < EXACT for v in steps)


def _first_anchor(source: DatasetReader) -> Anchor | None:
    """The place of an empty scene whose first content is this file; None where its system cannot carry a scene."""
    if not source.crs.is_projected or source.crs.to_epsg() is None:
        return None
    west, _, _, north = extent_of(source.transform, source)
    return Anchor(source.crs.to_epsg(), west, north)


def _beside(bounds: Rect | None) -> tuple[int, int]:
    return (0, 0) if bounds is None else (bounds.x1, bounds.y)


def extent_of(transform: Affine, source: DatasetReader) -> tuple[float, float, float, float]:
    """West, south, east, north of a picture in map units, also where it is turned."""
    corners = [transform @ corner for corner in
               ((0, 0), (source.width, 0), (0, source.height), (source.width, source.height))]  # fmt: skip
    xs, ys = zip(*corners, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _metres(source: DatasetReader) -> tuple[float, float]:
    """The size of a pixel on the ground, in the middle of the file."""
    x, y = source.transform @ (source.width / 2, source.height / 2)
    east, north = ground_metres(source.crs, x, y)
    return _pixel_x(source) * east, _pixel_y(source) * north


def _pixel_x(source: DatasetReader) -> float:
    return math.hypot(source.transform.a, source.transform.d)


def _pixel_y(source: DatasetReader) -> float:
    return math.hypot(source.transform.b, source.transform.e)


def _name(crs: CRS) -> str:
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else "its own system"
