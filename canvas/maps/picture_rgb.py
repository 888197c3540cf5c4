"""Whatever bands, depth and nodata an image file has: 8-bit RGB and a mask of known pixels, window by window."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from rasterio.enums import ColorInterp
from rasterio.io import DatasetReader
from rasterio.windows import Window

from canvas.errors import SceneError

PERCENTILES = (2.0, 98.0)
SAMPLES = 8  # windows along each side that are looked at for the percentiles
SAMPLE_SIDE = 128  # px
_INKS = {ColorInterp.cyan, ColorInterp.magenta, ColorInterp.yellow, ColorInterp.black}


class RgbReader:
    """Reads an open image file as RGB.

    `bands`: which bands (counted from 1) are red, green and blue, or one that is grey; by default those that say so,
    else the first three. `value_range` becomes 0 to 255; by default that of the type for 8 bit, and the 2nd to 98th
    percentile of a sample for all others. `notes` are sentences about what was decided.
    """

    def __init__(
        self,
        source: DatasetReader,
        bands: Sequence[int] | None = None,
        value_range: tuple[float, float] | None = None,
    ) -> None:
        self._source = source
        self.notes: list[str] = []
        self._palette = _palette(source)
        self.bands = self._checked(bands) if bands else self._usual_bands()
        self.value_range = self._range(value_range)

    def read(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """(h, w, 3) uint8 and (h, w) bool of a window; a pixel is known where any of its bands is."""
        values = self._source.read(list(self.bands), window=window)
        valid = (self._source.read_masks(list(self.bands), window=window) >= 128).any(axis=0)
        if self._palette is not None:
            colours = self._palette[values[0]]
            return colours[..., :3], valid & (colours[..., 3] >= 128)
        if values.dtype.kind == "f":
            valid &= np.isfinite(values).all(axis=0)
        if self.value_range is not None:
            values = self._stretched(values)
        return np.moveaxis(np.broadcast_to(values, (3, *values.shape[1:])), 0, 2), valid

    def _checked(self, bands: Sequence[int]) -> tuple[int, ...]:
        if len(bands) not in (1, 3) or not all(1 <= band <= self._source.count for band in bands):
            raise SceneError(
                f"The bands {','.join(map(str, bands))} are not possible: name one or three of {self._source.count}."
            )
        return tuple(bands)

    def _usual_bands(self) -> tuple[int, ...]:
        meaning = self._source.colorinterp
        if _INKS & set(meaning):
            raise SceneError("This picture is stored as printing inks (CMYK): save it as RGB.")
        named = [meaning.index(c) + 1 for c in (ColorInterp.red, ColorInterp.green, ColorInterp.blue) if c in meaning]
        colours = [band for band, m in enumerate(meaning, start=1) if m != ColorInterp.alpha]
        if not colours:
            raise SceneError("This picture has nothing but transparency: choose another one.")
        chosen = tuple(named) if len(named) == 3 else tuple(colours[:3] if len(colours) >= 3 else colours[:1])
        if len(colours) > len(chosen):
            shown = ", ".join(map(str, chosen))
            as_what = "as red, green and blue" if len(chosen) == 3 else "as grey"
            self.notes.append(f"Of its {len(colours)} bands {shown} are taken {as_what}; others can be chosen.")
        return chosen

    def _range(self, given: tuple[float, float] | None) -> tuple[float, float] | None:
        """What becomes 0 to 255; None where values are that already."""
        if self._palette is not None:
            return None
        if given is not None:
            low, high = given
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                raise SceneError(
                    f"The range {low:g} to {high:g} is not possible: give two numbers, the smaller one first."
                )
            return low, high
        kinds = {self._source.dtypes[band - 1] for band in self.bands}
        if kinds == {"uint8"}:
            bits = int(self._source.tags(self.bands[0], ns="IMAGE_STRUCTURE").get("NBITS", 8))
            return None if bits >= 8 else (0, 2**bits - 1)
        low, high = self._percentiles()
        self.notes.append(
            f"It has more than 8 bits a band ({', '.join(sorted(kinds))}): values {low:g} to {high:g} "
            f"({PERCENTILES[0]:g}nd to {PERCENTILES[1]:g}th percentile) became 0 to 255; another range can be given."
        )
        return low, high

    def _percentiles(self) -> tuple[float, float]:
        """Of all bands together, so that the colours keep their balance."""
        found = []
        for window in _sample(self._source.width, self._source.height):
            values = self._source.read(list(self.bands), window=window)
            known = self._source.read_masks(list(self.bands), window=window) >= 128
            if values.dtype.kind == "f":
                known &= np.isfinite(values)
            found.append(values[known])
        values = np.concatenate(found)
        if values.size == 0:
            return 0.0, 1.0
        low, high = (float(value) for value in np.percentile(values, PERCENTILES))
        return (low, high) if low < high else (low, low + 1)

    def _stretched(self, values: np.ndarray) -> np.ndarray:
        assert self.value_range is not None
        low, high = self.value_range
        scaled = (values.astype(np.float32) - low) * (255 / (high - low)) + 0.5
        return np.clip(np.nan_to_num(scaled), 0, 255).astype(np.uint8)


def _palette(source: DatasetReader) -> np.ndarray | None:
    """(256, 4) uint8 RGBA of a picture with a colour table; None where it has none."""
    if source.colorinterp[0] != ColorInterp.palette or source.dtypes[0] != "uint8":
        return None
    table = np.zeros((256, 4), np.uint8)
    for value, colour in source.colormap(1).items():
        if 0 <= value < 256:
            table[value] = colour
    return table


def _sample(width: int, height: int) -> list[Window]:
    """Windows spread evenly over a picture, in the order of its rows."""
    columns, rows = (
        sorted({max(0, round((i + 0.5) / SAMPLES * side) - SAMPLE_SIDE // 2) for i in range(SAMPLES)})
        for side in (width, height)
    )
    return [Window(x, y, min(SAMPLE_SIDE, width - x), min(SAMPLE_SIDE, height - y)) for y in rows for x in columns]
