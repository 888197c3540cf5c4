"""Pictures as people hand them over: whatever bits, alpha and orientation they have, as plain RGB or as a mask.

One door for all: `Text2Earth.inpaint`, masks of scenes, and images to train on. Brings no torch.
"""

from __future__ import annotations

import struct

import numpy as np
from PIL import Image, ImageOps

PERCENTILES = (2.0, 98.0)
"""Of what is known, they become 0 and 255 where values have no range of their own (measurements, not colours)."""

_DEEP = 257
"""65535 / 255: 16-bit white is 8-bit white."""


def as_rgb(image: Image.Image) -> np.ndarray:
    """uint8 (H, W, 3) of a picture as a viewer shows it: turned upright, 16 bits divided by 257; alpha is left out.

    Numbers without a range of their own (Pillow's modes I and F) are taken as `_eight_bits` says.
    """
    image = _upright(image)
    if image.mode[0] in "IF":
        return np.repeat(_eight_bits(image)[..., None], 3, axis=2)
    return np.array(_plain(image).convert("RGB"))


def as_mask(image: Image.Image) -> np.ndarray:
    """uint8 (H, W) of a mask: 255 = make anew, 0 = keep, between = by a degree. Transparent means keep, in every mode.

    16 bits are divided by 257; a colour counts as its brightness.
    """
    image = _upright(image)
    clear = image.info.get("transparency")
    if image.mode[0] in "IF":
        grey = _eight_bits(image)
        return grey if clear is None else np.where(np.asarray(image) == clear, np.uint8(0), grey)
    image = _plain(image).copy()
    if "A" not in image.mode and clear is None:
        return np.array(image.convert("L"))
    if isinstance(clear, tuple) and max(clear) > 255:  # Pillow halves the pixels of a 16-bit PNG, but not this
        image.info["transparency"] = tuple(value >> 8 for value in clear)
    black = Image.new("RGBA", image.size, (0, 0, 0, 255))
    return np.array(Image.alpha_composite(black, image.convert("RGBA")).convert("L"))


def picture_of(bands: np.ndarray) -> Image.Image:
    """A picture of uint8 (H, W, 3), or of (H, W, 1) as a grey one."""
    return Image.fromarray(bands if bands.shape[2] == 3 else bands[..., 0])


def percentiles(values: np.ndarray) -> tuple[float, float]:
    """The values that become 0 and 255: the `PERCENTILES` of some values; 0 and 1 where there are none."""
    if values.size == 0:
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(values, PERCENTILES))
    return (low, high) if low < high else (low, low + 1)


def stretched(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """uint8: `low` becomes 0, `high` 255, what lies beyond is cut off and what is no number is 0."""
    scaled = (values.astype(np.float32) - low) * (255 / (high - low)) + 0.5
    return np.clip(np.nan_to_num(scaled), 0, 255).astype(np.uint8)


def _upright(image: Image.Image) -> Image.Image:
    """A photograph as it was held; notes of its camera that cannot be read turn nothing."""
    try:
        image.load()  # which already turns a TIFF, and takes its note away
        return ImageOps.exif_transpose(image)
    except (OSError, ValueError, SyntaxError, KeyError, TypeError, struct.error):
        return image


def _plain(image: Image.Image) -> Image.Image:
    """A picture in a mode that converts to all others: Pillow takes premultiplied alpha back in one way only."""
    return image.convert({"La": "LA", "RGBa": "RGBA"}[image.mode]) if image.mode in ("La", "RGBa") else image


def _eight_bits(image: Image.Image) -> np.ndarray:
    """uint8 (H, W) of a grey picture with more than 8 bits.

    16 bits have their range. In 32 bits anything may stand: floats up to 1 are shares, whole numbers beyond 255 are 16
    bits in a wider coat, and all else is 8 bits.
    """
    values = np.nan_to_num(np.asarray(image).astype(np.float64))
    top = values.max(initial=0)
    if image.mode.startswith("I;16") or (image.mode == "I" and top > 255):
        values = values / _DEEP
    elif image.mode == "F" and top <= 1:
        values = values * 255
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
