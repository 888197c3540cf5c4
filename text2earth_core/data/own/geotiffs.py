"""GeoTIFFs with class maps: tiles of a picture at its true scale, with captions from the map of the same ground."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import RasterioError
from rasterio.windows import Window

from text2earth_core.data.corpus import Picture
from text2earth_core.data.landcover.captions import caption_of
from text2earth_core.data.landcover.maps import TILE, tiles_of
from text2earth_core.errors import Text2EarthError, reason_of
from text2earth_core.pictures import percentiles, stretched

MAP_ENDINGS = ("_map", ".map")

METRES_PER_DEGREE = 111_320.0
"""Of latitude, and of longitude at the equator (WGS 84)."""

_SAMPLE = 1024
"""px along a side of what the range of a picture's values is taken from."""


def map_of(file: Path) -> Path | None:
    """The class map that lies beside a picture; None where there is none."""
    if file.suffix.lower() not in (".tif", ".tiff"):
        return None
    places = (file.with_name(f"{file.stem}{ending}{file.suffix}") for ending in MAP_ENDINGS)
    return next((place for place in places if place.is_file()), None)


def pictures_of_maps(files: Sequence[Path]) -> list[Picture]:
    """Whole tiles of all pictures that have a class map.

    Raises:
        Text2EarthError: a pair is damaged or does not lie on one grid.
    """
    return [picture for file in files if (where := map_of(file)) for picture in _tiles(file, where)]


def _tiles(file: Path, where: Path) -> list[Picture]:
    try:
        with rasterio.open(file) as picture, rasterio.open(where) as classes:
            if (picture.width, picture.height) != (classes.width, classes.height):
                raise Text2EarthError(
                    f"{file} has {picture.width}x{picture.height} px and {where} {classes.width}x{classes.height}: "
                    "the map must lie on the picture's grid."
                )
            bands = [1, 2, 3] if picture.count >= 3 else [1, 1, 1]
            metres, ranges = _metres(picture), _ranges(picture, bands)
            found = []
            for tile in tiles_of(where):
                if tile.classes.shape != (TILE, TILE):
                    continue
                window = Window(tile.column * TILE, tile.row * TILE, TILE, TILE)
                if not picture.dataset_mask(window=window).all():
                    continue
                values = picture.read(bands, window=window)
                pixels = np.stack(
                    [band if ranges is None else stretched(band, *ranges[at]) for at, band in enumerate(values)],
                    axis=-1,
                )
                caption = caption_of(tile.classes)
                if caption:
                    found.append(Picture(np.ascontiguousarray(pixels), "", (caption,), metres, file.stem))
            return found
    except RasterioError as error:
        raise Text2EarthError(f"{file} cannot be read ({reason_of(error)}).") from None


def _ranges(picture: rasterio.DatasetReader, bands: list[int]) -> list[tuple[float, float]] | None:
    """Of each band the values that become 0 and 255; None where they are bytes already."""
    if all(picture.dtypes[band - 1] == "uint8" for band in bands):
        return None
    shape = (min(_SAMPLE, picture.height), min(_SAMPLE, picture.width))
    sample = picture.read(bands, out_shape=(len(bands), *shape), masked=True)
    return [percentiles(np.ma.compressed(band).astype(float)) for band in sample]


def _metres(picture: rasterio.DatasetReader) -> float | None:
    """Ground size of a pixel; None where the picture does not say what its units are."""
    if picture.crs is None:
        return None
    step = math.sqrt(abs(picture.transform.determinant))
    if picture.crs.is_geographic:
        middle = (picture.bounds.top + picture.bounds.bottom) / 2
        step *= METRES_PER_DEGREE * math.sqrt(max(math.cos(math.radians(middle)), 1e-3))
    else:
        step *= picture.crs.linear_units_factor[1]
    return step if step > 0 else None
