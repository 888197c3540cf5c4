"""Whatever bands, depth and nodata a file has: the 8-bit bands of a layer and where they are known, by windows."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.io import DatasetReader
from rasterio.windows import Window

from canvas.errors import SceneError
from canvas.layers import bands_of
from canvas.maps.layer_bands import LayerBands
from text2earth_core.pictures import PERCENTILES, percentiles, stretched

SAMPLES = 8  # windows along each side that are looked at for the percentiles
SAMPLE_SIDE = 128  # px
_INKS = {ColorInterp.cyan, ColorInterp.magenta, ColorInterp.yellow, ColorInterp.black}


class LayerReader:
    """Reads an open image file as one layer.

    `chosen`: the bands of the layer in the file; None takes for `rgb` those that say that they are red, green and blue,
    else the first three, or one that is grey. Who names bands knows what the file holds: a band marked as transparency
    then hides nothing, as it is often another measurement. `value_range` becomes 0 to 255; by default that of the type
    for 8 bit, and the 2nd to 98th percentile of a sample for all others.
    """

    def __init__(
        self,
        source: DatasetReader,
        layer: str,
        chosen: LayerBands | None = None,
        value_range: tuple[float, float] | None = None,
    ) -> None:
        self._source, self.channels = source, bands_of(layer)
        self._decided: list[str] = []
        self._palette = _palette(source)
        if self._palette is not None and self.channels == 1:
            raise SceneError(f"A picture with a colour table cannot be the layer {layer}: import it as rgb.")
        self._white_is_zero = self._palette is None and source.tags(ns="IMAGE_STRUCTURE").get("MINISWHITE") == "YES"
        self.bands = self._checked(chosen.bands) if chosen else self._usual_bands()
        self._known_in = chosen.known if chosen else None
        self._alpha = _alpha(source, self.bands)
        self._sees_through = bool(self._alpha) and not chosen
        self._seen = self._hidden = 0  # px
        self.value_range = self._range(value_range)

    @property
    def notes(self) -> list[str]:
        """Sentences about what was decided, and about what transparency took of what was read so far."""
        return [*self._decided, *filter(None, [self.transparency])]

    @property
    def transparency(self) -> str | None:
        """The sentence about a band that is marked as transparency and hid something; None where none did."""
        if not self._hidden:
            return None
        share = 100 * self._hidden / self._seen
        told = "all" if self.shows_nothing else f"{share:.0f} %" if share >= 1 else "less than 1 %"
        return (
            f"Its band {self._alpha} is marked as transparency and hides {told} of it; where that band is something "
            f"else, such as near infrared, name the bands to keep it all: {','.join(map(str, self.bands))}."
        )

    @property
    def shows_nothing(self) -> bool:
        """Whether transparency hid everything that was read."""
        return self._seen > 0 and self._hidden == self._seen

    def read(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """(h, w, channels) uint8 and (h, w) bool of a window; a pixel is known where any of its bands is."""
        values = self._source.read(list(self.bands), window=window)
        valid = np.logical_or.reduce(self._known(window), axis=0)
        if self._sees_through:
            self._seen += valid.size
            self._hidden += int(valid.size - valid.sum())
        if self._palette is not None:
            colours = self._palette[values[0]]
            return colours[..., :3], valid & (colours[..., 3] >= 128)
        if values.dtype.kind == "f":
            valid &= np.isfinite(values).all(axis=0)
        if self.value_range is not None:
            values = stretched(values, *self.value_range)
        if self._white_is_zero:
            values = 255 - values
        return np.moveaxis(np.broadcast_to(values, (self.channels, *values.shape[1:])), 0, 2), valid

    def _known(self, window: Window) -> np.ndarray:
        """(bands, h, w) bool."""
        if self._known_in is not None:
            return self._source.read([self._known_in], window=window) >= 128
        if self._alpha and not self._sees_through:
            return np.ones((len(self.bands), int(window.height), int(window.width)), bool)
        return self._source.read_masks(list(self.bands), window=window) >= 128

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
            self._decided.append(f"Of its {len(colours)} bands {shown} are taken {as_what}; others can be chosen.")
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
        self._decided.append(
            f"It has more than 8 bits a band ({', '.join(sorted(kinds))}): values {low:g} to {high:g} "
            f"({PERCENTILES[0]:g}nd to {PERCENTILES[1]:g}th percentile) became 0 to 255; another range can be given."
        )
        return low, high

    def _percentiles(self) -> tuple[float, float]:
        """Of all bands together, so that the colours keep their balance."""
        found = []
        for window in _sample(self._source.width, self._source.height):
            values = self._source.read(list(self.bands), window=window)
            known = self._known(window)
            if values.dtype.kind == "f":
                known &= np.isfinite(values)
            found.append(values[known])
        return percentiles(np.concatenate(found))


def _alpha(source: DatasetReader, bands: Sequence[int]) -> int | None:
    """The band whose transparency hides pixels of `bands`; None where none does (nodata and masks come first)."""
    hides = any(MaskFlags.alpha in source.mask_flag_enums[band - 1] for band in bands)
    return source.colorinterp.index(ColorInterp.alpha) + 1 if hides else None


def _palette(source: DatasetReader) -> np.ndarray | None:
    """(n, 4) uint8 RGBA of a picture with a colour table of n possible values; None where it has none."""
    if source.colorinterp[0] != ColorInterp.palette or source.dtypes[0] not in ("uint8", "uint16"):
        return None
    table = np.zeros((np.iinfo(source.dtypes[0]).max + 1, 4), np.uint8)
    for value, colour in source.colormap(1).items():
        if 0 <= value < len(table):
            table[value] = colour
    return table


def _sample(width: int, height: int) -> list[Window]:
    """Windows spread evenly over a picture, in the order of its rows."""
    columns, rows = (
        sorted({max(0, round((i + 0.5) / SAMPLES * side) - SAMPLE_SIDE // 2) for i in range(SAMPLES)})
        for side in (width, height)
    )
    return [Window(x, y, min(SAMPLE_SIDE, width - x), min(SAMPLE_SIDE, height - y)) for y in rows for x in columns]
