"""Land-cover maps of any size as tiles of class numbers, a band of rows in memory at a time."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from text2earth_core.data.landcover.classes import table_of
from text2earth_core.errors import Text2EarthError, reason_of

TILE = 256

CACHE = 64 << 20
"""Bytes of decoded blocks that GDAL keeps: a row of WorldCover's blocks of 1024 px, which four bands of tiles share."""


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
    with LandcoverMap(path, codes) as opened:
        yield from opened.tiles()


class LandcoverMap:
    """An open map; its values are looked at once, and each of its tiles can be read by itself.

    `count` is the number of tiles that hold any class.

    Raises:
        Text2EarthError: as `tiles_of`, also while tiles are read.
    """

    def __init__(self, path: Path, codes: str = "auto") -> None:
        self._path = path
        with self._read():
            self._file = rasterio.open(path)
            try:
                if self._file.count != 1 or np.dtype(self._file.dtypes[0]).kind not in "ui":
                    raise Text2EarthError(f"{path} is no map of classes: it needs one band of whole numbers.")
                values, self.count = _survey(self._file, path)
                self._table = table_of(values, codes)
            except BaseException:
                self._file.close()
                raise

    def __enter__(self) -> LandcoverMap:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    @property
    def rows(self) -> int:
        """Tiles from top to bottom."""
        return -(-self._file.height // TILE)

    @property
    def columns(self) -> int:
        """Tiles from left to right."""
        return -(-self._file.width // TILE)

    def tiles(self, rows: Iterable[int] | None = None) -> Iterator[MapTile]:
        """The tiles that hold any class, row by row, each band of rows read once; rows: of tiles, all by default."""
        for row in range(self.rows) if rows is None else rows:
            with self._read():
                classes = self._table[_band(self._file, row * TILE)]
            for column in range(self.columns):
                tile = classes[:, column * TILE : (column + 1) * TILE]
                if tile.any():
                    yield MapTile(row, column, tile)

    def tile(self, row: int, column: int) -> MapTile:
        """One tile, whatever it holds; row and column: in tiles, inside the map."""
        with self._read():
            band = _band(self._file, row * TILE)[:, column * TILE : (column + 1) * TILE]
        return MapTile(row, column, self._table[band])

    @contextmanager
    def _read(self) -> Iterator[None]:
        try:
            with rasterio.Env(GDAL_CACHEMAX=CACHE), warnings.catch_warnings():
                warnings.simplefilter("ignore", NotGeoreferencedWarning)  # where the classes lie does not matter
                yield
        except RasterioError as error:
            error = error.__cause__ if isinstance(error.__cause__, Exception) else error  # GDAL's own words
            raise Text2EarthError(f"{self._path} cannot be read as a map ({reason_of(error)}).") from None


def _survey(file: rasterio.DatasetReader, path: Path) -> tuple[set[int], int]:
    """All values of a map but those that the file calls "no data", and how many tiles hold a class."""
    found: set[int] = set()
    count = 0
    for top in range(0, file.height, TILE):
        band = _raw(file, top)
        if band.dtype != np.uint8 and (band.min() < 0 or band.max() > 255):
            foreign = band.min() if band.min() < 0 else band.max()
            raise Text2EarthError(f"{path} is no map of classes: it holds {foreign}, and classes are 0 to 255.")
        found |= set(np.flatnonzero(np.bincount(band.ravel(), minlength=256)).tolist())
        known = ((band != 0) & (band != 255)).any(axis=0)
        count += int(np.logical_or.reduceat(known, np.arange(0, file.width, TILE)).sum())
    return found, count


def _band(file: rasterio.DatasetReader, top: int) -> np.ndarray:
    return _raw(file, top).astype(np.uint8)


def _raw(file: rasterio.DatasetReader, top: int) -> np.ndarray:
    """Rows of a map; what the file calls "no data" becomes 0."""
    band = file.read(1, window=Window(0, top, file.width, min(TILE, file.height - top)))
    return band if file.nodata is None else np.where(band == file.nodata, band.dtype.type(0), band)
