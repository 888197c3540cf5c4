"""How large things are in a picture: a scale in pixels that halves when the ground resolution doubles in m/px."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from scipy.stats import spearmanr

from text2earth_core.data.captions import class_of
from text2earth_core.data.corpus import Picture

SIDE = 128
"""Pixels along the square in the middle that is looked at: what every real image has left after shrinking."""

LEVEL = 0.3
"""Of the autocorrelation; of several levels and of spectral estimates this one follows m/px best on real images."""

RESOLUTIONS = (0.3, 0.42, 0.56, 0.75, 1.0, 1.5, 2.1)
"""m/px at which the resolution control is tested: within what RSSCN7 and UC Merced show."""


def texture_scale(pixels: np.ndarray) -> float:
    """Size of things in px: the radius at which the autocorrelation of luma falls to `LEVEL`.

    Enlarging a picture by k multiplies the estimate by k, as long as things stay small against the square.

    Args:
        pixels: uint8 (H, W, 3), sides at least `SIDE`.
    """
    height, width = pixels.shape[:2]
    top, left = (height - SIDE) // 2, (width - SIDE) // 2
    square = pixels[top : top + SIDE, left : left + SIDE].astype(np.float32) @ np.array([0.299, 0.587, 0.114])
    taper = np.outer(np.hanning(SIDE), np.hanning(SIDE))
    tapered = (square - (square * taper).sum() / taper.sum()) * taper
    # Padded, so that the picture does not wrap around; divided by the taper's own, so that the taper does not count.
    correlation, own = (np.fft.ifft2(np.abs(np.fft.fft2(x, (2 * SIDE,) * 2)) ** 2).real for x in (tapered, taper))
    if correlation[0, 0] < 1e-6:
        return float(SIDE)
    profile = _radial_mean(correlation / np.maximum(own, 1e-9)) / (correlation[0, 0] / own[0, 0])
    if profile.min() >= LEVEL:
        return float(SIDE // 2)
    beyond = int(np.argmax(profile < LEVEL))
    before, after = profile[beyond - 1], profile[beyond]
    return float(beyond - 1 + (before - LEVEL) / (before - after))


def _radial_mean(correlation: np.ndarray) -> np.ndarray:
    """Mean over circles of radius 0, 1, ... SIDE / 2 - 1 px around the first element, which wraps."""
    offset = np.minimum(np.arange(2 * SIDE), 2 * SIDE - np.arange(2 * SIDE))
    radius = np.hypot(offset[:, None], offset[None]).round().astype(int)
    inside = radius < SIDE // 2
    return np.bincount(radius[inside], correlation[inside]) / np.bincount(radius[inside])


def real_at_resolution(pictures: Sequence[Picture], resolution: float) -> list[np.ndarray]:
    """Real pictures brought to a ground resolution: taken from the nearest finer ones and shrunk, never enlarged.

    Args:
        pictures: of known resolution.

    Returns:
        uint8 (H, W, 3) with sides of at least `SIDE`; empty where no picture is fine and large enough.
    """
    fine = [p for p in pictures if p.resolution is not None and p.resolution <= resolution * 1.1]
    if not fine:
        return []
    source = max(p.resolution for p in fine if p.resolution is not None)
    found = []
    for picture in fine:
        if picture.resolution is None or picture.resolution < source * 0.9:
            continue
        factor = min(1.0, picture.resolution / resolution)
        height, width = (round(side * factor) for side in picture.pixels.shape[:2])
        if min(height, width) >= SIDE:
            found.append(cv2.resize(picture.pixels, (width, height), interpolation=cv2.INTER_AREA))
    return found


def class_scales(pictures: Sequence[Picture], label: str) -> dict[float, float]:
    """Mean scale (geometric, px) of a class's real images at each of `RESOLUTIONS` that the data cover."""
    mine = [picture for picture in pictures if class_of(picture.label) == label]
    scales = {}
    for resolution in RESOLUTIONS:
        images = real_at_resolution(mine, resolution)
        if images:
            scales[resolution] = mean_scale(images)
    return scales


def mean_scale(images: Sequence[np.ndarray]) -> float:
    """Geometric mean of `texture_scale`."""
    return float(np.exp(np.mean([np.log(texture_scale(image)) for image in images])))


def spearman(a: Sequence[float], b: Sequence[float]) -> float:
    """Rank correlation; ties share their mean rank. 0 where one of them is all alike."""
    return float(spearmanr(a, b).statistic) if min(len(set(a)), len(set(b))) > 1 else 0.0


def centred_spearman(made: Sequence[dict[float, float]], real: Sequence[dict[float, float]]) -> float:
    """Rank correlation of scales over classes and resolutions, after taking out what distinguishes the classes.

    Args:
        made, real: for each class {m/px: scale}; resolutions that either lacks are left out.
    """
    pairs: list[np.ndarray] = []
    for ours, theirs in zip(made, real, strict=True):
        common = sorted(set(ours) & set(theirs))
        if len(common) > 1:
            values = np.log([[ours[r], theirs[r]] for r in common])
            pairs.append(values - values.mean(0))
    if not pairs:
        return 0.0
    both = np.concatenate(pairs)
    return spearman(both[:, 0].tolist(), both[:, 1].tolist())
