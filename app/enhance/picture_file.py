"""One picture file, enhanced window by window: where it lies on Earth and what of it is unknown stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from affine import Affine
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.io import DatasetReader
from rasterio.windows import Window
from scipy.ndimage import distance_transform_edt

from app.enhance.writers import open_writer
from canvas.errors import SceneError
from canvas.maps.georeference import georeference
from canvas.maps.geotiff import gdal
from canvas.maps.picture import open_picture, readable
from canvas.maps.picture_bands import LayerReader
from text2earth_core.enhancement.enhancer import windows
from text2earth_core.whole_file import whole_file

if TYPE_CHECKING:
    from text2earth_core.enhancement.enhancer import Enhancer
    from text2earth_core.enhancement.enhancer import Window as Part

Report = Callable[[int, int], None]
"""(windows that are done, of how many); may raise to stop."""


def enhance_file(enhancer: Enhancer, source: Path, out: Path, same_size: bool, report: Report) -> list[str]:
    """Write `out`, in the format that its suffix names, and return sentences about what was decided on the way.

    A GeoTIFF keeps its place, with pixels as small as the picture is large; what is unknown stays unknown, by a mask or
    by transparency. Memory is bounded by a row of windows, but for JPEG and WebP, which are held whole.

    Raises:
        SceneError: the file cannot be read or written, or nothing in it is known; `out` is then as it was.
    """
    factor = 1 if same_size else enhancer.scale
    with (
        open_picture(source) as opened,
        gdal(f"Enhancing {source.name}", out.parent),
        whole_file(out) as part,
    ):
        with readable(source.name):
            reader = LayerReader(opened, "rgb")
        bands = 1 if _is_grey(opened, reader) else 3
        crs, transform, notes = _place(opened, factor)
        size = opened.width * factor, opened.height * factor
        todo, known = list(windows(opened.width, opened.height)), False
        with open_writer(part, source, *size, bands, _may_be_unknown(opened), crs, transform) as writer:
            for number, one in enumerate(todo, start=1):
                with readable(source.name):
                    pixels, valid = reader.read(Window(one.left, one.top, one.right - one.left, one.bottom - one.top))
                made, there = _made(enhancer, pixels, valid, one, same_size)
                writer.put(one.x * factor, one.y * factor, made[..., :bands], there)
                known = known or bool(there.any())
                report(number, len(todo))
            if not known:
                raise SceneError(f"{source.name} has no known pixel: there is nothing to enhance.")
    return [*reader.notes, *notes]


def _made(
    enhancer: Enhancer, pixels: np.ndarray, valid: np.ndarray, one: Part, same_size: bool
) -> tuple[np.ndarray, np.ndarray]:
    """(h, w, 3) uint8 of a window, and (h, w) bool where it is known; what is not is black."""
    factor = 1 if same_size else enhancer.scale
    kept = valid[one.y - one.top :, one.x - one.left :][: one.h, : one.w]
    there = kept.repeat(factor, 0).repeat(factor, 1)
    if not kept.any():
        return np.zeros((*there.shape, 3), np.uint8), there
    if not valid.all():  # else the network would see an edge to black, and make one
        nearest = distance_transform_edt(~valid, return_distances=False, return_indices=True)
        pixels = pixels[tuple(nearest)]
    made = enhancer.window(pixels, one, same_size)
    made[~there] = 0
    return made, there


def _is_grey(opened: DatasetReader, reader: LayerReader) -> bool:
    return len(reader.bands) == 1 and opened.colorinterp[0] != ColorInterp.palette


def _may_be_unknown(opened: DatasetReader) -> bool:
    """Whether nodata, a mask, transparency or numbers that are none can hide pixels."""
    floats = any(dtype.startswith("float") for dtype in opened.dtypes)
    return floats or any(MaskFlags.all_valid not in flags for flags in opened.mask_flag_enums)


def _place(opened: DatasetReader, factor: int) -> tuple[CRS | None, Affine, list[str]]:
    """Where the enhanced picture lies, and sentences about a place that cannot be kept."""
    found = georeference(opened)
    if found.crs is None and not found.transform.is_identity:
        return None, found.transform @ Affine.scale(1 / factor), []  # in whichever system it is
    if found.crs is None:
        return None, found.transform, found.notes
    return found.crs, found.transform @ Affine.scale(1 / factor), found.notes
