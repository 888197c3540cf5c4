"""Opening an image file from anywhere: every limit is checked by its header, before a pixel is decoded."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from PIL import Image, UnidentifiedImageError
from PIL.TiffImagePlugin import ImageFileDirectory_v2
from rasterio.io import DatasetReader

from canvas.anchor import MAX_COORDINATE
from canvas.errors import SceneError
from canvas.maps.geotiff import GDAL_ERRORS, OPTIONS

# The first bytes of a file choose GDAL's driver: those that follow references to other files are never asked.
_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"II*\0": "GTiff",
    b"MM\0*": "GTiff",
    b"II+\0": "GTiff",
    b"MM\0+": "GTiff",
}
MAX_BYTES = 8 * 2**30
MAX_IMPORT = 2**20  # px
MAX_PIXELS = 2**34
MAX_BLOCK = 256 * 2**20  # bytes that must be decoded at once
MAX_WHOLE = 100 * 10**6  # px where the decoder holds the whole picture: WebP, interlaced PNG, progressive JPEG
BOMB_PIXELS = 2**26  # above this much, a file is expected to have bytes for its pixels
BOMB_RATIO = {"GTiff": 5000, "PNG": 500, "JPEG": 500, "WEBP": 5000}  # bytes of pixels per byte of the file
ORIENTED = 300 * 10**6  # px up to which Pillow reads the header of a photograph
NOTED = 2**29  # bytes up to which it reads a TIFF's, whose tags may be as large as the file


@contextmanager
def open_picture(path: Path, name: str | None = None) -> Iterator[DatasetReader]:
    """Lend an image file, open for windowed reading; `name` is what its errors call it.

    Only GeoTIFF, PNG, JPEG and WebP are opened, nothing beside the file is looked at. Raises SceneError where it is
    none of them, damaged, or larger than the limits; errors while reading become sentences too.
    """
    name = name or path.name
    where = path.absolute()
    with readable(name):
        if not where.is_file() or str(where).startswith("/vsi"):
            raise SceneError(f"There is no file {name}: check its name.")
        size = where.stat().st_size
        if size > MAX_BYTES:
            raise SceneError(f"{name} is larger than {MAX_BYTES >> 30} GB: cut it into parts.")
        with rasterio.Env(**OPTIONS), rasterio.open(where, driver=_driver(where, name), sharing=False) as source:
            _check(source, name, size)
            yield source


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Turn errors while opening or reading the file `name` into sentences."""
    try:
        yield
    except OSError as error:
        if not isinstance(error, GDAL_ERRORS):
            raise SceneError(f"{name} cannot be read ({error.strerror or error}): check its permissions.") from error
        raise _unreadable(name) from error
    except GDAL_ERRORS as error:
        raise _unreadable(name) from error


def _unreadable(name: str) -> SceneError:
    return SceneError(f"{name} is damaged, or is no PNG, JPEG, WebP or GeoTIFF picture: save it again as one of these.")


def _driver(path: Path, name: str) -> str:
    with path.open("rb") as file:
        start = file.read(12)
    if start[:4] == b"RIFF" and start[8:] == b"WEBP":
        return "WEBP"
    for signature, driver in _SIGNATURES.items():
        if start.startswith(signature):
            return driver
    raise _unreadable(name)


def _check(source: DatasetReader, name: str, size: int) -> None:
    pixels = source.width * source.height
    if max(source.width, source.height) > MAX_IMPORT or pixels > MAX_PIXELS:
        raise SceneError(
            f"{name} has {source.width} x {source.height} px, more than can be imported at once: cut it into parts."
        )
    corners = [source.transform @ corner for corner in ((0, 0), (source.width, source.height))]
    if source.transform.is_degenerate or not all(abs(v) <= MAX_COORDINATE for corner in corners for v in corner):
        raise SceneError(f"{name} says that it lies nowhere on Earth: save it without coordinates.")
    depth = sum(_bytes(dtype) for dtype in source.dtypes)
    if pixels > BOMB_PIXELS and pixels * depth > BOMB_RATIO[source.driver] * size:
        raise SceneError(
            f"{name} claims {source.width} x {source.height} px in only {size} bytes, which no photograph does: "
            "save it as an uncompressed GeoTIFF if that is true."
        )
    rows, columns = source.block_shapes[0]
    # Where bands are interleaved by pixel, a block holds all of them.
    if rows * columns * depth > MAX_BLOCK:
        raise SceneError(
            f"{name} is stored in blocks of {columns} x {rows} px, too large to be read piece by piece: "
            "save it as a tiled GeoTIFF."
        )
    if pixels > MAX_WHOLE and _decoded_whole(source, Path(source.name)):
        raise SceneError(
            f"{name} has {source.width} x {source.height} px in a form that can only be decoded whole: "
            "save it as a tiled GeoTIFF."
        )
    if any(dtype.startswith("complex") for dtype in source.dtypes):
        raise SceneError(f"{name} has complex numbers as pixels: save their magnitude as 8 or 16 bit.")


def _bytes(dtype: str) -> int:
    return 4 if dtype == "complex_int16" else np.dtype(dtype).itemsize  # the one that numpy has no name for


def _decoded_whole(source: DatasetReader, path: Path) -> bool:
    if source.driver == "PNG":
        with path.open("rb") as file:
            return file.read(29)[28:] == b"\1"  # IHDR: interlace method
    # GDAL itself refuses progressive JPEGs that need more than 500 MB.
    return source.driver == "WEBP"


def upright(source: DatasetReader) -> Affine:
    """From pixels as stored to pixels as meant: what the orientation that a photograph or a TIFF notes asks for.

    A file with coordinates lies as these say, whatever else it notes.
    """
    w, h = source.width, source.height
    turns = {
        2: Affine(-1, 0, w, 0, 1, 0),
        3: Affine(-1, 0, w, 0, -1, h),
        4: Affine(1, 0, 0, 0, -1, h),
        5: Affine(0, 1, 0, 1, 0, 0),
        6: Affine(0, -1, h, 1, 0, 0),
        7: Affine(0, -1, h, -1, 0, w),
        8: Affine(0, 1, 0, -1, 0, w),
    }
    return turns.get(_orientation(source), Affine.identity())


def _orientation(source: DatasetReader) -> int:
    if source.crs is not None or source.width * source.height > ORIENTED:
        return 1
    if source.driver == "GTiff":
        return _tiff_orientation(Path(source.name))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(source.name, formats=["PNG", "JPEG", "WEBP"]) as header:
                # Not getexif(): in a PNG it would decode the picture in search of it.
                data = header.info.get("exif")
        if not data:
            return 1
        exif = Image.Exif()
        exif.load(data)
        turn = exif.get(274, 1)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, KeyError, TypeError, struct.error):
        return 1  # a picture that GDAL can read is not refused for its notes
    return turn if isinstance(turn, int) else 1


def _tiff_orientation(path: Path) -> int:
    """Of the first directory: GDAL shows a TIFF as it is stored. Not Image.open(): it knows few depths and bands."""
    if path.stat().st_size > NOTED:
        return 1
    try:
        with path.open("rb") as file:
            head = file.read(8)
            tags = ImageFileDirectory_v2(head + file.read(8) if 43 in head[2:4] else head)  # 43: BigTIFF
            file.seek(tags.next)
            tags.load(file)
        turn = tags.get(274, 1)
    except (OSError, ValueError, SyntaxError, KeyError, TypeError, struct.error):
        return 1
    return turn if isinstance(turn, int) else 1
