"""The bands of a GeoTIFF that hold layers: what they are called when written, and how they are found again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rasterio.enums import ColorInterp
from rasterio.io import DatasetReader, DatasetWriter

from canvas.errors import SceneError
from canvas.layers import LAYERS, bands_of

_NAMES = {layer: (layer,) for layer in LAYERS} | {"rgb": ("red", "green", "blue")}
_MEANING = {
    "red": ColorInterp.red,
    "green": ColorInterp.green,
    "blue": ColorInterp.blue,
    "pan": ColorInterp.pan,
    "nir": ColorInterp.nir,
    "sar": ColorInterp.sar_c,
}
_SYNONYMS = {
    "panchromatic": "pan",
    "near infrared": "nir",
    "near-infrared": "nir",
    "nearinfrared": "nir",
    "backscatter": "sar",
}
_KNOWN = " known"  # how the name of a band ends that says where a layer is known


@dataclass(frozen=True)
class LayerBands:
    """Where a layer lies in a file: its bands (from 1), and the band, if any, that is 0 where it is not known."""

    bands: tuple[int, ...]
    known: int | None = None


def band_names(layers: Sequence[str], known: bool) -> list[str]:
    """The names of the bands of a file that holds `layers`; with `known` a band more for each, see `LayerBands`."""
    names = [name for layer in layers for name in _NAMES[layer]]
    return names + [layer + _KNOWN for layer in layers] if known else names


def name_bands(file: DatasetWriter, names: Sequence[str]) -> None:
    """Write the names of the bands into a new file, and what each means."""
    file.descriptions = tuple(names)
    file.colorinterp = [_MEANING.get(name, ColorInterp.undefined) for name in names]


def layers_in(source: DatasetReader) -> dict[str, LayerBands]:
    """The layers that a file says it holds, by the names of its bands or by what they mean; `rgb` first."""
    named: dict[str, int] = {}
    for band, (words, meaning) in enumerate(zip(source.descriptions, source.colorinterp, strict=True), start=1):
        plain = (words or "").strip().lower()
        name = _SYNONYMS.get(plain, plain)
        if name not in _MEANING and not name.endswith(_KNOWN):
            name = next((known for known, what in _MEANING.items() if what == meaning), "")
        named.setdefault(name, band)
    found = {}
    for layer, parts in _NAMES.items():
        if all(part in named for part in parts):
            found[layer] = LayerBands(tuple(named[part] for part in parts), named.get(layer + _KNOWN))
    return found


def layers_for(
    source: DatasetReader, layer: str | None, bands: Sequence[int] | None, name: str
) -> dict[str, LayerBands | None]:
    """Which layers an import makes, and of which bands of the file; None leaves these to the reader.

    `layer` and `bands` are what a person said: three bands (or a grey one) are `rgb`, a fourth is near infrared, and
    the layers of a single band take one. Without `bands` the file decides, where it says what they are. Raises
    SceneError where a layer of a single band could be any of several.
    """
    if layer is None and bands and len(bands) == 4:
        return {"rgb": LayerBands(tuple(bands[:3])), "nir": LayerBands(tuple(bands[3:]))}
    if bands:
        into = layer or "rgb"
        if bands_of(into) == 1 and len(bands) != 1:
            raise SceneError(f"The layer {into} has one band: name one of the {source.count} of {name}.")
        return {into: LayerBands(tuple(bands))}
    told = layers_in(source)
    if layer is None:
        return {into: _explicit(into, found) for into, found in told.items()} or {"rgb": None}
    if bands_of(layer) > 1:
        return {layer: None}
    colours = [band for band, what in enumerate(source.colorinterp, start=1) if what != ColorInterp.alpha]
    if layer not in told and len(colours) != 1:
        raise SceneError(
            f"{name} has {source.count} bands and the layer {layer} has one: say which it is, as in --bands 4."
        )
    return {layer: told.get(layer) or LayerBands(tuple(colours))}


def _explicit(layer: str, found: LayerBands) -> LayerBands | None:
    """Colours that a file names are what the reader takes anyway, and then transparency counts."""
    return found if found.known or bands_of(layer) == 1 else None
