"""What tells a simulated band from a measured one: pixel by pixel, and by the statistics that radar people look at.

Bands are uint8 (H, W) or stacks of them (N, H, W).
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

BLOCK = 16
"""Pixels along a square in which an area can be flat."""

FLAT = 0.25
"""Share of an image set's squares that counts as flat: those whose quarters differ least from each other."""

DARKEST, BRIGHTEST = 16, 235
"""Mean grey values of squares that are looked at: where values are cut off, speckle is, too."""

RINGS = 8

WET, PURE = 0.0, 0.9
"""NDVI below which a pixel is water, and the share of such pixels that makes a picture one of nothing else."""


def agreement(made: np.ndarray, measured: np.ndarray) -> dict[str, float]:
    """How near a band comes to the measured one: R², mean absolute error (of 1) and correlation, over all pixels."""
    ours, theirs = made.astype(np.float64).ravel() / 255, measured.astype(np.float64).ravel() / 255
    wrong = ((ours - theirs) ** 2).mean()
    return {
        "r2": float(1 - wrong / theirs.var()),
        "mae": float(np.abs(ours - theirs).mean()),
        "correlation": float(np.corrcoef(ours, theirs)[0, 1]),
    }


def histogram_distance(made: Sequence[np.ndarray], measured: Sequence[np.ndarray]) -> float:
    """How far grey values must be moved (of 1, on average) to turn one set's histogram into the other's.

    That is the Wasserstein distance of order 1.
    """
    sums = [np.cumsum(sum(np.bincount(one.ravel(), minlength=256) for one in bands)) for bands in (made, measured)]
    ours, theirs = (total / total[-1] for total in sums)
    return float(np.abs(ours - theirs).sum() / 255)


def number_of_looks(bands: Sequence[np.ndarray]) -> float:
    """The equivalent number of looks, (mean / standard deviation)², of flat areas: the median of their squares.

    Flat are squares whose quarters have nearly one mean. A speckled area has few looks, a smooth one many.
    """
    squares = np.concatenate([_squares(band) for band in bands]).astype(np.float64)
    half = BLOCK // 2
    quarters = squares.reshape(-1, 2, half, 2, half).mean((2, 4)).reshape(-1, 4)
    mean, spread = squares.mean((1, 2)), squares.std((1, 2))
    seen = (mean > DARKEST) & (mean < BRIGHTEST) & (spread > 0)
    unevenness = np.where(seen, quarters.std(1) / np.maximum(spread, 1e-6), np.inf)
    flat = np.argsort(unevenness, kind="stable")[: max(1, int(FLAT * seen.sum()))]
    return float(np.median((mean[flat] / np.maximum(spread[flat], 1e-6)) ** 2))


def spectrum(bands: Sequence[np.ndarray]) -> np.ndarray:
    """Mean power of equally large images in `RINGS` rings of frequency, from coarse to fine, the mean left out."""
    side = min(bands[0].shape)
    window = np.outer(np.hanning(side), np.hanning(side))
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    ring = np.minimum((frequency / 0.5 * RINGS).astype(int), RINGS)
    total = np.zeros(RINGS)
    for band in bands:
        values = band[:side, :side].astype(np.float64) / 255
        power = np.abs(np.fft.fft2((values - values.mean()) * window)) ** 2
        total += np.array([power[ring == number].mean() for number in range(RINGS)])
    return total / len(bands)


def spectrum_distance(made: Sequence[np.ndarray], measured: Sequence[np.ndarray]) -> float:
    """Mean |ln ratio| of two sets' spectra over the rings: 0 is the same, 0.69 a factor of 2."""
    return float(np.abs(np.log(spectrum(made) / spectrum(measured))).mean())


def vegetation_index(near_infrared: np.ndarray, red: np.ndarray) -> np.ndarray:
    """NDVI of near infrared and red, uint8 as in the pairs: reflectance / 0.6 and / 0.3; float64 from -1 to 1."""
    infrared, visible = near_infrared.astype(np.float64) * 2, red.astype(np.float64)
    return (infrared - visible) / np.maximum(infrared + visible, 1)


def coupling(one: np.ndarray, other: np.ndarray) -> float:
    """How far two bands of one size have their borders in the same places, whatever is bright in which of them.

    That is the correlation of their gradients' strengths over squares of 8 px: 1 the same, 0 by chance.
    """
    strengths = []
    for band in (one, other):
        across, down = (np.gradient(band.astype(np.float64), axis=axis) for axis in (0, 1))
        strengths.append(cv2.resize(np.hypot(across, down), None, fx=1 / 8, fy=1 / 8, interpolation=cv2.INTER_AREA))
    first, second = (strength.ravel() - strength.mean() for strength in strengths)
    return float(first @ second / max(np.linalg.norm(first) * np.linalg.norm(second), 1e-9))


def _squares(band: np.ndarray) -> np.ndarray:
    rows, columns = (side // BLOCK for side in band.shape)
    cut = band[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
    return cut.transpose(0, 2, 1, 3).reshape(-1, BLOCK, BLOCK)
