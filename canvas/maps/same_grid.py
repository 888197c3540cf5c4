"""A picture through a scene and back onto its own grid: pixel for pixel, whatever system it has and whether it has one.

A scene is square metres; a file in degrees, or turned, would be warped on its way in, and its grid lost. Where a
scene only stands for one file for as long as work on it takes, its pixels are those of the file, or whole parts of
them, and the file's own coordinates are written back at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from affine import Affine
from rasterio.io import DatasetReader

from canvas.errors import SceneError, storage_error
from canvas.geometry import Rect
from canvas.layers import bands_of
from canvas.maps.export_file import SYNTHETIC, Report
from canvas.maps.georeference import extent_of, georeference
from canvas.maps.geotiff import chunks, create_draft, gdal, put
from canvas.maps.import_image import Imported, import_image
from canvas.maps.layer_bands import band_names, name_bands
from canvas.maps.picture import open_picture, upright
from canvas.maps.placement import own_resolution
from canvas.scene import Scene
from canvas.scene_file.meta import RESOLUTIONS
from canvas.scene_file.schema import program_version
from text2earth_core.whole_file import whole_file


def scene_resolution(path: Path, given: float | None, finer: int) -> float:
    """m/px of a scene whose pixels are those of a file, or `finer` times as many: as it says, or as is `given`.

    Brought into the range of scenes. Raises SceneError where nobody says it.
    """
    with open_picture(path) as source:
        own = own_resolution(georeference(source)) if given is None else given
    if own is None:
        raise SceneError(f"{path.name} does not say how large its pixels are: give --resolution in metres per pixel.")
    low, high = RESOLUTIONS
    return min(max(own / finer, low), high)


def import_grid(
    scene: Scene,
    path: Path,
    layer: str,
    finer: int = 1,
    bands: Sequence[int] | None = None,
    value_range: tuple[float, float] | None = None,
    progress: Report | None = None,
) -> Imported:
    """Put a file into an empty scene, its corner at (0, 0) and each of its pixels on `finer` x `finer`."""
    return import_image(
        scene, path, scene.resolution * finer, (0, 0), bands, value_range, progress=progress, layer=layer
    )


def export_grid(
    scene: Scene, path: Path, out: Path, layer: str, finer: int, tags: Mapping[str, str], progress: Report
) -> Rect:
    """Write a layer of a scene that `import_grid` began as GeoTIFF, in the place that the file at `path` says.

    Pixels that are not known are masked. The file appears complete or not at all. Returns the rectangle.
    """
    with open_picture(path) as source:
        width, height = _size(source, finer)
        where = georeference(source)
        transform = where.transform @ Affine.scale(1 / finer) if where.crs is not None else _plain(source, finer)
    try:
        with (
            whole_file(out) as part,
            scene.snapshot() as at,
            gdal("Writing the map", out.parent),
            create_draft(part, width, height, where.crs, transform, bands_of(layer)) as file,
        ):
            file.update_tags(
                TIFFTAG_SOFTWARE=f"Text2Earth Canvas {program_version()}",
                SYNTHETIC="YES", SOURCE=SYNTHETIC, LAYERS=layer, **tags,
            )  # fmt: skip
            name_bands(file, band_names([layer], known=False))
            todo = list(chunks(width, height))
            for number, chunk in enumerate(todo, start=1):
                pixels, valid = at.pixels(chunk, layer)
                if valid.any():
                    put(file, chunk.x, chunk.y, pixels, valid)
                progress(number, len(todo))
    except OSError as error:
        raise storage_error(error, out) from error
    return Rect(0, 0, width, height)


def _size(source: DatasetReader, finer: int) -> tuple[int, int]:
    """Of the scene, px; a photograph stands upright in it."""
    left, top, right, bottom = extent_of(upright(source), source.width, source.height)
    return round(right - left) * finer, round(bottom - top) * finer


def _plain(source: DatasetReader, finer: int) -> Affine:
    """Coordinates without a system, as far as the file has any."""
    return source.transform if source.transform.is_identity else source.transform @ Affine.scale(1 / finer)
