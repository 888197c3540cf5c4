"""A tiled GeoTIFF on its way somewhere: the file through which exports and imports pass window by window."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from rasterio._err import CPLE_BaseError
from rasterio.crs import CRS
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import DatasetWriter
from rasterio.windows import Window

from canvas.errors import SceneError, disk_full
from canvas.geometry import Rect

BLOCK = 512  # px along a side of a block
CHUNK = 4 * BLOCK  # px along a side of what is held at a time: 12 MiB of RGB, and few scene tiles are read twice
CACHE = 64 * 2**20  # bytes of GDAL's block cache, which would otherwise take 5 % of the machine's memory

GDAL_ERRORS = (RasterioError, CPLE_BaseError)  # rasterio lets some of GDAL's own through

# Nothing beside the file is looked at (side files may name other drivers), and nothing is fetched.
OPTIONS = {
    "GDAL_CACHEMAX": CACHE,
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_TIFF_INTERNAL_MASK": "YES",
    "GDAL_ERROR_ON_LIBJPEG_WARNING": "YES",
    "GDAL_PNG_WHOLE_IMAGE_OPTIM": "NO",  # it says nothing about a file that ends in the middle
    "GTIFF_REPORT_COMPD_CS": "NO",  # of a system with heights, the part that places the pixels
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
}


# Most pictures that come in lie nowhere, and a scene of 1 m/px has the plainest of transforms.
warnings.filterwarnings("ignore", category=NotGeoreferencedWarning)


@contextmanager
def gdal(doing: str, folder: Path) -> Iterator[None]:
    """Run GDAL with bounded memory, and turn its errors into one sentence: `doing` failed, or the disk is full."""
    try:
        with rasterio.Env(**OPTIONS):
            yield
    except (*GDAL_ERRORS, OSError) as error:
        if disk_full(error, folder):
            raise disk_full(error, folder) from error  # type: ignore[misc]
        reason = str(error.__cause__ or error).strip().rstrip(".")
        raise SceneError(f"{doing} failed ({reason}): check the free space of the disk and try again.") from error


@contextmanager
def create_draft(
    path: Path, width: int, height: int, crs: CRS, transform: Affine, bands: int = 3
) -> Iterator[DatasetWriter]:
    """A new 8-bit file with an internal mask, lightly compressed, open for windows in any order.

    Three and more `bands` begin with red, green and blue.
    """
    with rasterio.open(
        path, "w", driver="GTiff", width=width, height=height, count=bands, dtype="uint8",
        photometric="RGB" if bands >= 3 else "MINISBLACK", tiled=True, blockxsize=BLOCK, blockysize=BLOCK,
        interleave="pixel", compress="ZSTD", zstd_level=1, bigtiff="IF_SAFER", sparse_ok=True, crs=crs,
        transform=transform,
    ) as file:  # fmt: skip
        # A file without a mask would count as known throughout, also where nothing is ever written.
        file.write_mask(np.zeros((1, 1), bool), window=Window(0, 0, 1, 1))
        yield file


def put(file: DatasetWriter, x: int, y: int, pixels: np.ndarray, valid: np.ndarray) -> None:
    """Write pixels (h, w, bands) uint8 and their mask (h, w) bool with the upper left corner at (x, y)."""
    window = Window(x, y, pixels.shape[1], pixels.shape[0])
    file.write(np.moveaxis(pixels, 2, 0), window=window)
    file.write_mask(valid, window=window)


def chunks(width: int, height: int, side: int = CHUNK) -> Iterator[Rect]:
    """Squares of `side` px that cover an image, row by row; cut off at its right and lower edge."""
    for y in range(0, height, side):
        for x in range(0, width, side):
            yield Rect(x, y, min(side, width - x), min(side, height - y))
