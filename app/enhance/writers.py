"""Where enhanced windows go: a GeoTIFF in any order, a PNG row by row, a JPEG or WebP at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from affine import Affine
from PIL import Image, UnidentifiedImageError
from rasterio.crs import CRS
from rasterio.io import DatasetWriter

from app.errors import AppError
from canvas.errors import SceneError
from canvas.maps.geotiff import create_draft, put
from canvas.maps.picture import MAX_WHOLE
from canvas.maps.png_writer import PngWriter
from text2earth_core.pictures import picture_of

GEOTIFF, PNG, WHOLE = (".tif", ".tiff"), (".png",), (".jpg", ".jpeg", ".webp")
SUFFIXES = (*PNG, *WHOLE, *GEOTIFF)

LARGEST = {".jpg": 65_535, ".jpeg": 65_535, ".webp": 16_383}
"""px along a side that a format can hold, where that is less than what may be read."""

QUALITY = 95
"""Of JPEG and WebP."""


class Writer(Protocol):
    """Takes windows row by row: pixels (h, w, bands) uint8, and where they are known, (h, w) bool."""

    def put(self, x: int, y: int, pixels: np.ndarray, valid: np.ndarray) -> None: ...


def check_suffix(path: Path) -> None:
    """AppError where no writer knows the format that a name asks for."""
    if path.suffix.lower() not in SUFFIXES:
        raise AppError(f"The format of {path.name} is not known: use a name that ends in {', '.join(SUFFIXES)}.")


@contextmanager
def open_writer(
    path: Path, source: Path, width: int, height: int, bands: int, masked: bool, crs: CRS | None, transform: Affine
) -> Iterator[Writer]:
    """A new file of 1 or 3 bands; `masked` tells whether parts of it may be unknown.

    A JPEG or WebP keeps what `source` notes of its camera and colours.
    """
    suffix = path.suffix.lower()
    if suffix in GEOTIFF:
        with create_draft(path, width, height, crs, transform, bands) as file:
            yield _GeoTiff(file)
    elif suffix in PNG:
        with path.open("wb") as opened:
            writer = _Png(opened, width, height, bands, masked)
            yield writer
            writer.finish()
    else:
        if width * height > MAX_WHOLE or max(width, height) > LARGEST[suffix]:
            raise SceneError(f"{width} x {height} px are too many for a {suffix} file: write a .tif or a .png.")
        whole = _Whole(width, height, bands)
        yield whole
        picture_of(whole.pixels).save(path, quality=QUALITY, **_told_in(source))


class _GeoTiff:
    def __init__(self, file: DatasetWriter) -> None:
        self._file = file

    def put(self, x: int, y: int, pixels: np.ndarray, valid: np.ndarray) -> None:
        put(self._file, x, y, pixels, valid)


class _Png:
    """Holds one row of windows; transparency tells what is unknown."""

    def __init__(self, file: BinaryIO, width: int, height: int, bands: int, masked: bool) -> None:
        self._writer = PngWriter(file, width, height, bands + masked, {})
        self._width, self._masked = width, masked
        self._row: list[np.ndarray] = []

    def put(self, x: int, y: int, pixels: np.ndarray, valid: np.ndarray) -> None:
        self._row.append(np.dstack([pixels, valid.astype(np.uint8) * 255]) if self._masked else pixels)
        if x + pixels.shape[1] == self._width:
            self._writer.band(np.hstack(self._row))
            self._row.clear()

    def finish(self) -> None:
        self._writer.finish()


class _Whole:
    def __init__(self, width: int, height: int, bands: int) -> None:
        self.pixels = np.zeros((height, width, bands), np.uint8)

    def put(self, x: int, y: int, pixels: np.ndarray, valid: np.ndarray) -> None:
        self.pixels[y : y + pixels.shape[0], x : x + pixels.shape[1]] = pixels


def _told_in(source: Path) -> dict[str, Any]:
    """Exif (how a photograph was held) and colour profile of a picture, as Pillow saves them."""
    try:
        with Image.open(source, formats=["PNG", "JPEG", "WEBP"]) as header:
            return {key: header.info[key] for key in ("exif", "icc_profile") if header.info.get(key)}
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        return {}
