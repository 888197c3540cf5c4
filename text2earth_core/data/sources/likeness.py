"""Images that teach nothing new: copies of others, found by a perceptual hash, and sea without anything on it."""

from __future__ import annotations

import cv2
import numpy as np

NEAR = 3
"""Bits of 64 in which the hashes of two copies may differ; what a lossy format changes."""

SEA_DEVIATION = 6.0
"""Of 255: on an image shrunk to 32 px, each channel of open sea deviates less from its mean."""

_BANDS = NEAR + 1
_PAIRS = 1 << 20


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

    Two hashes that differ in at most `NEAR` bits agree in one of `NEAR + 1` bands, so only those are compared.

    Args:
        hashes: uint64 (N,).

    Returns:
        bool (N,).
    """
    count = len(hashes)
    near: set[tuple[int, int]] = set()
    same = np.ones(count, dtype=bool)
    first = np.unique(hashes, return_index=True)[1]
    same[first] = False  # equal to an earlier one
    kept = np.sort(first)
    width = 64 // _BANDS
    for band in range(_BANDS):
        keys = (hashes[kept] >> np.uint64(band * width)) & np.uint64((1 << width) - 1)
        order = np.argsort(keys, kind="stable")
        ranked, members = keys[order], kept[order]
        for step in range(1, count):
            alike = np.flatnonzero(ranked[step:] == ranked[:-step])
            if not len(alike):
                break
            for start in range(0, len(alike), _PAIRS):
                a, b = members[alike[start : start + _PAIRS]], members[alike[start : start + _PAIRS] + step]
                close = np.bitwise_count(hashes[a] ^ hashes[b]) <= NEAR
                near.update(zip(a[close].tolist(), b[close].tolist(), strict=True))
    gone = np.zeros(count, dtype=bool)
    for earlier, later in sorted(near):  # an image whose original is itself a copy of a third stays if it is unlike it
        gone[later] |= not gone[earlier]
    return same | gone
