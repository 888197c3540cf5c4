"""How new pixels fade into known ones: how much of each shows where, and what keeps the mixture from going pale."""

import cv2
import numpy as np

from text2earth_core.networks.thumbnail_vae import CELL

FEATHER = 32
"""Pixels of known ground into which new ground fades where a scene grows, and in what evaluation makes of it."""

FINE = 3.0
"""Texture is what is finer than this (standard deviation in px)."""

NEAR = 4.0
"""Texture's energy is compared over about this distance (standard deviation in px)."""

GAINS = 0.7, 1.5
"""Bounds of what texture is multiplied by. Two that have nothing in common lose a factor of 1.41 when averaged."""


def remade_cells(feather: int) -> int:
    """Latent cells of known ground around new ground that are made anew with it: a cell of the feather less than all.

    So what fades over the feather (px) continues the new picture, and ends where both show the same.
    """
    return max(1, feather // CELL - 1)


def feather_weight(mask: np.ndarray, feather: int) -> np.ndarray:
    """Weight of new pixels, float32 (H, W): 1 inside a boolean mask, falling to exactly 0 beyond `feather` px of it.

    The distance is Euclidean and the fall a smoothstep: no direction is preferred, and neither end of the fade shows.
    """
    if feather == 0 or not mask.any():
        return mask.astype(np.float32)
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # A pixel just beyond the feather would keep a rounding error's worth of weight.
    ramp = np.where(distance <= feather, 1 - distance / (feather + 1), 0)
    return np.where(mask, 1, ramp * ramp * (3 - 2 * ramp)).astype(np.float32)


def blend(old: np.ndarray, new: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Fade one picture into another without the pale band that averaging two textures leaves.

    Averaging loses energy of fine detail where the two do not agree. The mixture is given the energy that lies between
    theirs, in the proportion of the weights; where they agree nothing is lost, and nothing changes.

    Args:
        old, new: uint8 (H, W, bands). weights: float32 (H, W) of `new`, from 0 to 1.

    Returns:
        uint8 (H, W, bands), equal to `old` where the weight is 0 and to `new` where it is 1.
    """
    between = (weights > 0) & (weights < 1)
    if not between.any():
        return np.where((weights == 1)[..., None], new, old)
    weight, known, made = weights[..., None], old.astype(np.float32), new.astype(np.float32)
    mixed = known + weight * (made - known)
    coarse = _coarse(mixed)
    # Between logarithms: a busy texture should not outweigh a calm one.
    wanted = weights * np.log(_energy(made) + 1) + (1 - weights) * np.log(_energy(known) + 1)
    gain = np.exp((wanted - np.log(_energy(mixed) + 1)) / 2).clip(*GAINS)[..., None]
    return np.rint(np.where(between[..., None], coarse + gain * (mixed - coarse), mixed)).clip(0, 255).astype(np.uint8)


def _coarse(pixels: np.ndarray) -> np.ndarray:
    """What is left without texture, float32 of the same shape (OpenCV drops the axis of a single band)."""
    return cv2.GaussianBlur(pixels, (0, 0), FINE).reshape(pixels.shape)


def _energy(pixels: np.ndarray) -> np.ndarray:
    """Mean square of the fine detail around each pixel, float32 (H, W)."""
    detail = pixels - _coarse(pixels)
    return cv2.GaussianBlur((detail**2).mean(2), (0, 0), NEAR)
