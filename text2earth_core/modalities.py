"""Modalities: the kinds of pictures that are made of a place, and how each goes through an autoencoder of colours.

Importing this brings no torch: the layers of a scene and the command line are checked with it before a model is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from text2earth_core.errors import Text2EarthError

if TYPE_CHECKING:  # nothing heavy: a command line that only says what it can do imports this, too
    import numpy as np

RGB = "rgb"
"""What a model makes without an adapter."""

LUMA = (299, 587, 114)
"""Parts in a thousand of red, green and blue (ITU-R BT.601): the weights of the latent's own thumbnail, so that a cell
of a single band has just the mean that its latent says."""


@dataclass(frozen=True, slots=True)
class Modality:
    """A kind of picture.

    bands: their names, as a GeoTIFF describes them. title: what people call it. speckled: its pixels have speckle,
    which a model is spared (`text2earth_core.speckle`).
    """

    name: str
    bands: tuple[str, ...]
    title: str
    speckled: bool = False

    @property
    def channels(self) -> int:
        """Bands, of a byte each, in a stored pixel."""
        return len(self.bands)

    def to_bands(self, rgb: np.ndarray) -> np.ndarray:
        """What a decoder gives, uint8 (H, W, 3), as this modality's bands, uint8 (H, W, channels).

        A single band is the luma, in whole numbers: equal channels come out as they are, bit for bit.
        """
        if self.channels == 3:
            return rgb
        red, green, blue = (rgb[..., channel].astype("uint32") for channel in range(3))
        luma = (LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue + 500) // 1000
        return luma.astype("uint8")[..., None]

    def to_rgb(self, bands: np.ndarray) -> np.ndarray:
        """This modality's bands, uint8 (H, W, channels), as an encoder takes them, uint8 (H, W, 3)."""
        return bands if self.channels == 3 else bands.repeat(3, axis=2)


_TABLE = (
    #        name   bands                     title
    Modality(RGB,   ("red", "green", "blue"), "RGB"),
    Modality("pan", ("panchromatic",),        "PAN"),
    Modality("nir", ("near infrared",),       "NIR"),
    Modality("sar", ("backscatter",),         "SAR", speckled=True),
)  # fmt: skip

MODALITIES = {modality.name: modality for modality in _TABLE}

ADAPTED = tuple(name for name in MODALITIES if name != RGB)
"""Those that need an adapter."""


def get_modality(name: str) -> Modality:
    """Return a modality by name; an unknown name is a Text2EarthError that lists the known ones."""
    if name not in MODALITIES:
        raise Text2EarthError(f"There is no modality {name!r}: use {', '.join(MODALITIES)}.")
    return MODALITIES[name]
