"""Land-cover maps of any size as tiles of class numbers, a band of rows in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import RasterioError
from rasterio.windows import Window

from text2earth_core.data.landcover.classes import table_of
from text2earth_core.errors import Text2EarthError, reason_of

TILE = 256


@dataclass(frozen=True)
class MapTile:
    """uint8 (H, W) class numbers; smaller than `TILE` at the right and lower edges. row, column: in tiles."""

    row: int
    column: int
    classes: np.ndarray


def tiles_of(path: Path, codes: str = "auto") -> Iterator[MapTile]:
    """The tiles of a map that hold any class, row by row.

    Raises:
        Text2EarthError: it cannot be read, has no single band of whole numbers up to 255, or other values than `codes`.
    """
    try:
        with rasterio.open(path) as file:
            if file.count != 1 or np.dtype(file.dtypes[0]).kind not in "ui":
                raise Text2EarthError(f"{path} is no map of classes: it needs one band of whole numbers.")
            table = table_of(_values(file, path), codes)
            for row, top in enumerate(range(0, file.height, TILE)):
                classes = table[_band(file, top)]
                for column, left in enumerate(range(0, file.width, TILE)):
                    tile = classes[:, left : left + TILE]
                    if tile.any():
                        yield MapTile(row, column, tile)
    except RasterioError as error:
        raise Text2EarthError(f"{path} cannot be read as a map ({reason_of(error)}).") from None


def _values(file: rasterio.DatasetReader, path: Path) -> set[int]:
    """All values of a map but those without data."""
    found: set[int] = set()
    for top in range(0, file.height, TILE):
        band = _raw(file, top)
        if band.dtype != np.uint8 and (band.min() < 0 or band.max() > 255):
            raise Text2EarthError(f"{path} is no map of classes: it holds {band.max()}, and classes go up to 255.")
        found |= set(np.flatnonzero(np.bincount(band.ravel(), minlength=256)).tolist())
    return found


def _band(file: rasterio.DatasetReader, top: int) -> np.ndarray:
    return _raw(file, top).astype(np.uint8)


def _raw(file: rasterio.DatasetReader, top: int) -> np.ndarray:
    """Rows of a map; what the file calls "no data" becomes 0."""
    band = file.read(1, window=Window(0, top, file.width, min(TILE, file.height - top)))
    return band if file.nodata is None else np.where(band == file.nodata, band.dtype.type(0), band)
