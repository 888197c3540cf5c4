"""How a tile's arrays become bytes and come back, bit for bit."""

from __future__ import annotations

import io
import zlib

import numpy as np
from PIL import Image

from canvas.errors import SceneError
from canvas.geometry import TILE, TILE_CELLS

LATENT_CHANNELS = 4


def encode_image(pixels: np.ndarray, alpha: np.ndarray | None = None) -> bytes:
    """Lossless WebP of (h, w, 1 or 3) uint8, with (h, w) uint8 alpha where given; what a browser shows as it is.

    WebP has no grey: a single band is its green, and red and blue, which are coded as differences from it, take next
    to no bytes. Method 0 compresses photographs about as well as PNG, three times as fast.
    """
    bands = np.broadcast_to(pixels, (*pixels.shape[:2], 3))
    array = bands if alpha is None else np.dstack([bands, alpha])
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(array)).save(out, "WEBP", lossless=True, quality=20, method=0)
    return out.getvalue()


def decode_image(data: bytes, size: tuple[int, int] = (TILE, TILE)) -> np.ndarray:
    """(h, w, 3 or 4) uint8 of a stored image of `size` (w, h); SceneError where the bytes are not one."""
    try:
        image = Image.open(io.BytesIO(data), formats=["WEBP"])
        if image.size != size:
            raise ValueError(image.size)
        return np.asarray(image if image.mode in ("RGB", "RGBA") else image.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise SceneError("A tile of this scene is damaged: undo the last change, or restore a copy.") from error


def inflate(data: bytes, size: int) -> bytes:
    """What compressed `data` holds, but no more than `size` bytes of it, for a file may come from elsewhere.

    Raises zlib.error where it is no compressed data.
    """
    return zlib.decompressobj().decompress(data, size)


def encode_mask(mask: np.ndarray) -> bytes | None:
    """A boolean mask as compressed bits; None where it is True throughout, the usual case."""
    return None if mask.all() else zlib.compress(np.packbits(mask).tobytes(), 1)


def decode_mask(data: bytes | None, side: int) -> np.ndarray:
    """The (side, side) boolean mask of `encode_mask`."""
    if data is None:
        return np.ones((side, side), bool)
    size = side * side
    try:
        bits = np.frombuffer(inflate(data, size // 8), np.uint8)
        return np.unpackbits(bits, count=size).astype(bool).reshape(side, side)
    except (zlib.error, ValueError) as error:
        raise SceneError("A tile of this scene is damaged: undo the last change, or restore a copy.") from error


def encode_latents(latents: np.ndarray, valid: np.ndarray) -> bytes | None:
    """Latents (4, 32, 32) as little-endian float32; None where no cell has any."""
    if not valid.any():
        return None
    return np.where(valid, latents, 0).astype("<f4").tobytes()


def decode_latents(data: bytes | None) -> np.ndarray:
    """The (4, 32, 32) float32 latents of `encode_latents`."""
    shape = (LATENT_CHANNELS, TILE_CELLS, TILE_CELLS)
    if data is None:
        return np.zeros(shape, np.float32)
    try:
        return np.frombuffer(data, "<f4").reshape(shape).astype(np.float32)
    except ValueError as error:
        raise SceneError("A tile of this scene is damaged: undo the last change, or restore a copy.") from error
