"""Images that teach nothing new: copies of others, found by a perceptual hash, and sea without anything on it."""

from __future__ import annotations

from array import array

import cv2
import numpy as np

NEAR = 3
"""Bits of 64 in which the hashes of two copies may differ; what a lossy format changes."""

SEA_DEVIATION = 6.0
"""Of 255: on an image shrunk to 32 px, each channel of open sea deviates less from its mean."""

_BANDS = NEAR + 1
_FEW = 64
"""Hashes that are compared one by one faster than all at once."""


def perceptual_hash(pixels: np.ndarray) -> int:
    """64 bits: the signs of the lowest 8x8 frequencies of the 32x32 px grey image against their median.

    Args:
        pixels: uint8 (H, W, 3) RGB.
    """
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:8, :8].ravel()
    bits = low > np.median(low[1:])  # the first is the brightness, which says nothing of the picture
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def is_open_sea(pixels: np.ndarray) -> bool:
    """Whether an image is near-uniform and bluish: no ship, no coast, no cloud.

    Args:
        pixels: uint8 (H, W, 3) RGB.
    """
    small = cv2.resize(pixels, (32, 32), interpolation=cv2.INTER_AREA).reshape(-1, 3).astype(np.float32)
    red, green, blue = small.mean(axis=0)
    return bool(small.std(axis=0).max() < SEA_DEVIATION and max(green, blue) > red and blue >= 0.9 * green)


def copies(hashes: np.ndarray) -> np.ndarray:
    """Which images are copies of an earlier one that stays.

    Two hashes that differ in at most `NEAR` bits agree in one of `NEAR + 1` bands, so only those that do are compared.
    Memory is 32 bytes an image that stays, however many are alike.

    Args:
        hashes: uint64 (N,).

    Returns:
        bool (N,).
    """
    width = 64 // _BANDS
    staying: list[dict[int, array[int]]] = [{} for _ in range(_BANDS)]  # by the bits of a band
    gone = np.zeros(len(hashes), dtype=bool)
    for number, one in enumerate(hashes.tolist()):
        several = [band.setdefault(one >> at * width & (1 << width) - 1, array("Q")) for at, band in enumerate(staying)]
        if any(_holds_near(others, one) for others in several):
            gone[number] = True
            continue
        for others in several:
            others.append(one)
    return gone


def _holds_near(others: array[int], one: int) -> bool:
    if len(others) < _FEW:
        return any((other ^ one).bit_count() <= NEAR for other in others)
    apart = np.bitwise_count(np.frombuffer(others, np.uint64) ^ np.uint64(one))
    return bool((apart <= NEAR).any())
