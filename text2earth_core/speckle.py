"""Speckle of radar: laid over what a decoder makes, and taken from what an encoder is shown.

Speckle multiplies backscatter, and pictures of backscatter show decibels, so there it is added: on flat ground of the
real pairs its standard deviation is the same at every brightness, and its distribution is nearly normal. It is chance
and no part of what a prompt says, so a model need not learn it: the model makes the mean, and speckle is keyed by place
as the noise of sampling is. A pixel of the world has the same speckle whatever window looks at it, so nothing changes
at seams.
"""

from __future__ import annotations

import cv2
import numpy as np

STRENGTH = 28.0
"""Standard deviation of 255: that of the real pairs with panchromatic pictures, of which one can say what they show; of
the few with colours, another product, it is 46."""

DARK = 80.0
"""Mean of 255 below which it falls with the root of the mean, to 20 at 28 and 11 at 10, as the pairs have it."""

WIDTH = 1.0
"""Standard deviation (px) of the blur that correlates neighbours: 0.78, 0.37 and 0.11 at 1, 2 and 3 px, where the
pairs have 0.75, 0.38 and 0.13."""

BLOCK = 64
"""Pixels along the side of a block that one generator fills."""

REACH = 4
"""Pixels beyond which the blur sees nothing."""

LEE = 7
"""Pixels along the squares over which speckle is filtered."""

_KEY = 0x5AD


def field(seed: int, x: int, y: int, w: int, h: int) -> np.ndarray:
    """float32 (h, w): speckle of the pixels x..x+w, y..y+h, of standard deviation 1; a function of (seed, pixel)."""
    left, top = (start - REACH for start in (x, y))
    right, bottom = x + w + REACH, y + h + REACH
    white = np.empty((bottom - top, right - left), np.float32)
    for by in range(top // BLOCK, (bottom - 1) // BLOCK + 1):
        for bx in range(left // BLOCK, (right - 1) // BLOCK + 1):
            key = [_KEY, *(number & 0xFFFFFFFF for number in (seed, seed >> 32, bx, by))]
            block = np.random.Generator(np.random.Philox(np.random.SeedSequence(key))).standard_normal(
                (BLOCK, BLOCK), np.float32
            )
            rows = slice(max(top, by * BLOCK), min(bottom, (by + 1) * BLOCK))
            columns = slice(max(left, bx * BLOCK), min(right, (bx + 1) * BLOCK))
            white[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = block[
                rows.start - by * BLOCK : rows.stop - by * BLOCK,
                columns.start - bx * BLOCK : columns.stop - bx * BLOCK,
            ]
    kernel = np.exp(-0.5 * (np.arange(-REACH, REACH + 1) / WIDTH) ** 2)
    kernel /= np.sqrt((kernel**2).sum())
    # By hand, not by a filter of cv2: its sums depend on where a picture ends.
    across, made = np.zeros((len(white), w), np.float32), np.zeros((h, w), np.float32)
    for shift, weight in enumerate(kernel.astype(np.float32)):
        across += weight * white[:, shift : shift + w]
    for shift, weight in enumerate(kernel.astype(np.float32)):
        made += weight * across[shift : shift + h]
    return made


def speckled(bands: np.ndarray, seed: int, x: int = 0, y: int = 0) -> np.ndarray:
    """Bands uint8 (h, w, 1) whose upper left pixel lies at x, y of the world, with speckle."""
    h, w = bands.shape[:2]
    strength = STRENGTH * np.sqrt(np.minimum(bands / np.float32(DARK), 1))
    return np.rint(bands + strength * field(seed, x, y, w, h)[..., None]).clip(0, 255).astype(np.uint8)


def filtered(band: np.ndarray) -> np.ndarray:
    """A band uint8 (h, w) with its speckle filtered out where it is flat, and kept where there is more (Lee 1980)."""
    values = band.astype(np.float32)
    mean = cv2.blur(values, (LEE, LEE))
    variance = np.maximum(cv2.blur(values * values, (LEE, LEE)) - mean * mean, 1e-6)
    return _lee(values, mean, variance)


def filtered_cells(bands: np.ndarray, cell: int) -> np.ndarray:
    """The same of uint8 (h, w, channels), sides multiples of `cell`, from each cell's own pixels alone.

    An encoder that keeps to cells is shown this, and its latents then depend on nothing beyond a cell either.
    """
    h, w = bands.shape[:2]
    cells = bands.reshape(h // cell, cell, w // cell, cell, -1).astype(np.float32)
    mean, variance = cells.mean((1, 3), keepdims=True), np.maximum(cells.var((1, 3), keepdims=True), 1e-6)
    return _lee(cells, mean, variance).reshape(bands.shape)


def _lee(values: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Each value moved to its mean, as far as the variance is that of speckle."""
    kept = np.maximum(1 - STRENGTH**2 / variance, 0)
    return np.rint(mean + kept * (values - mean)).clip(0, 255).astype(np.uint8)
