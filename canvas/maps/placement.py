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
from canvas.maps.around import counted_from, goes_around, meridian_of, period
from canvas.maps.crs import check, ground_metres, local_crs, name_of, placed
from canvas.maps.first_anchor import first_anchor
from canvas.maps.georeference import Georeference, extent_of, georeference
from canvas.maps.picture import upright

MAX_AREA = 2**32  # px of the scene that one import may cover
MAX_PIXEL, MIN_PIXEL = 100_000.0, 0.0001  # m: a pixel beyond these is a mistake
FAR_AROUND = 90  # degrees from a system's own meridian beyond which it may break near a scene
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


def own_resolution(where: Georeference) -> float | None:
    """m/px of a file that says it (in the middle, the mean of both directions); None where it does not."""
    if where.crs is None:
        return None
    x, y = _metres(where)
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

    `resolution` (m/px) counts instead of what the file says. Raises SceneError where neither says anything, where the
    picture would be too large, too small or too far away, and where only a person can say how file and scene lie.
    """
    where = georeference(source)
    if resolution is None and where.crs is None:
        reason = " ".join(where.notes)
        raise SceneError(
            f"{name} does not say how large its pixels are: give its resolution in metres per pixel. {reason}".rstrip()
        )
    if resolution is not None and not MIN_PIXEL <= resolution <= MAX_PIXEL:
        raise SceneError(f"{resolution:g} m/px is no resolution of a picture: give the size of its pixels in metres.")
    notes = list(where.notes)
    if resolution is None and at is None:
        if where.in_scene:
            return _flat(where, ground, own_resolution(where) or 1.0, where.transform, name, named=True)
        anchor = ground.anchor
        if where.on_earth and anchor is None and ground.bounds is None:
            anchor = first_anchor(where)
        if anchor is not None:
            return _on_earth(where, ground, anchor, name)
        notes.append(_why_not_at_its_place(where, ground))
    corner = at if at is not None else beside(ground.bounds)
    if resolution is None:
        x, y = _metres(where)
        linear = Affine.scale(x / _pixel_x(where), y / _pixel_y(where)) @ where.transform
    else:
        x = y = resolution
        linear = Affine.scale(resolution, -resolution) @ upright(source)
    west, _, _, north = extent_of(linear, where.width, where.height)
    shift = Affine.translation(corner[0] * ground.resolution - west, -corner[1] * ground.resolution - north)
    found = _flat(where, ground, math.sqrt(x * y), shift @ linear, name)
    found.notes.extend(notes if at is None else ())
    return found


def _why_not_at_its_place(where: Georeference, ground: Ground) -> str:
    """The sentence about a place that the file names and that is not used."""
    assert where.crs is not None
    if not where.on_earth:
        reason = f"its coordinates are those of {name_of(where.crs)}, which nothing ties to the Earth"
        return f"Its place was not used, as {reason}: name the place of its corner in the scene if it lies elsewhere."
    if ground.bounds is None:
        return (
            f"Its place ({name_of(where.crs)}) was not used, as it spans too much of the Earth for a map in metres: "
            "import a part of it, or warp it to a projected system first."
        )
    return (
        f"Its place ({name_of(where.crs)}) was not used, as the scene lies nowhere on Earth: anchor the scene first "
        "if they belong together."
    )


def _flat(
    where: Georeference, ground: Ground, resolution: float, transform: Affine, name: str, named: bool = False
) -> Placement:
    """A placement by metres from scene pixel (0, 0), x to the east and y to the north."""
    bounds = extent_of(transform, where.width, where.height)
    return _finished(where, ground, None, resolution, local_crs(), transform, bounds, name, named)


def _on_earth(where: Georeference, ground: Ground, anchor: Anchor, name: str) -> Placement:
    """A placement by coordinates; the file may have another system than the scene."""
    assert where.crs is not None
    if not where.on_earth:
        raise SceneError(
            f"{name} has coordinates of {name_of(where.crs)}, which nothing ties to the Earth as this scene is: "
            "place it by hand, by naming its upper left corner in pixels of the scene (--at X,Y)."
        )
    own = check(anchor)
    same = where.crs == own
    if same:
        system, by, crs, transform = own, 0.0, own, _turned_to(anchor.east, where)
    else:
        system, by = _unbroken(own, anchor.east)
        crs, transform = where.in_one_piece()
    bounds = extent_of(transform, where.width, where.height)
    if not same:
        bounds = transform_bounds(crs, system, *bounds)
    if not all(map(math.isfinite, bounds)):
        raise SceneError(f"{name} lies outside of the scene's system ({anchor}): place it by hand.")
    resolution = own_resolution(where) or 1.0
    found = _finished(where, ground, anchor, resolution, crs, transform, bounds, name, True, system, by)
    if not same:
        found.notes.append(f"It was warped from {name_of(where.crs)} to the scene's EPSG:{anchor.epsg}.")
    if ground.anchor is None:
        found.notes.append(f"The scene now lies at its place on Earth: {anchor}.")
    return found


def _unbroken(crs: CRS, east: float) -> tuple[CRS, float]:
    """The scene's system, and what is to be added to its x, without the line between east and west near the scene."""
    if not goes_around(crs) or abs(meridian_of(crs, east)) < FAR_AROUND:
        return crs, 0.0
    return counted_from(crs, meridian_of(crs, east))


def _turned_to(east: float, where: Georeference) -> Affine:
    """The file's transform, turned around the Earth until the file is nearest to a scene in the same system."""
    assert where.crs is not None
    if not goes_around(where.crs):
        return where.transform
    around = period(where.crs)
    return Affine.translation(around * round((east - where.middle[0]) / around), 0) @ where.transform


def _finished(
    where: Georeference, ground: Ground, anchor: Anchor | None, resolution: float, crs: CRS, transform: Affine,
    bounds: tuple[float, float, float, float], name: str, named: bool, system: CRS | None = None, by: float = 0.0,
) -> Placement:  # fmt: skip
    """The rectangle that `bounds` (map units of the scene's system) cover, and how to resample.

    `system` is what counts as the scene's where its own breaks near it; `by` is added to x coordinates for it.
    """
    if not MIN_PIXEL <= resolution <= MAX_PIXEL:
        raise SceneError(f"{name} says that its pixels are {resolution:g} m large: give its resolution in m/px.")
    own, to_map = placed(ground.resolution, Rect(0, 0, 1, 1), anchor)
    scene_crs, to_map = system or own, Affine.translation(by, 0) @ to_map
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
    scene = to_map @ Affine.translation(rect.x, rect.y)
    pixel = ~scene @ transform @ Affine.scale(shrink)  # of the averaged picture, to pixels of `rect`
    sides = (where.width / shrink, where.height / shrink)
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


def beside(bounds: Rect | None) -> tuple[int, int]:
    """Where a picture goes (px) that has no place of its own."""
    return (0, 0) if bounds is None else (bounds.x1, bounds.y)


def _metres(where: Georeference) -> tuple[float, float]:
    """The size of a pixel on the ground, in the middle of the file."""
    assert where.crs is not None
    east, north = ground_metres(where.crs, *where.middle)
    return _pixel_x(where) * east, _pixel_y(where) * north


def _pixel_x(where: Georeference) -> float:
    return math.hypot(where.transform.a, where.transform.d)


def _pixel_y(where: Georeference) -> float:
    return math.hypot(where.transform.b, where.transform.e)
