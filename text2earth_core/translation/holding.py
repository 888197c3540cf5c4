"""What the source of a translation says of the target for certain, put into the pixels that were made of it.

A panchromatic picture is the luma of the colours that are asked for, and a coarse picture holds the means of the finer
one. A decoder knows neither to the last bit; pan-sharpening and super-resolution have long put it back afterwards
(component substitution, Carper et al. 1990; back-projection, Irani & Peleg 1991).
"""

from __future__ import annotations

import cv2
import numpy as np

from text2earth_core.modalities import LUMA, MODALITIES
from text2earth_core.translation.tasks import Task

ROUNDS = 3
"""Of back-projection: what is added between the centres of coarse pixels must not move their means."""


def hold(task: Task, made: np.ndarray, source: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Pixels of a target, uint8 (H, W, bands), corrected by what the source says of them.

    Args:
        source: uint8 (H, W, bands of the source). known: bool (H, W), where it is known and corrects anything.
            Sides are multiples of the task's `finer`, and coarse pixels begin at the upper left corner.
    """
    if not task.holds or not known.any():
        return made
    pixels, wanted = made.astype(np.float32), source.astype(np.float32)
    if task.holds == "luma":
        missed = np.where(known, wanted[..., 0] - _luma(pixels), 0)[..., None]
        return np.rint(pixels + missed).clip(0, 255).astype(np.uint8)
    for _ in range(ROUNDS):
        missed = np.where(known[..., None], wanted - pixels, 0)
        pixels = (pixels + _coarse(missed, task.finer)).clip(0, 255)
    return np.rint(pixels).astype(np.uint8)


def coarsen(pixels: np.ndarray, factor: int) -> np.ndarray:
    """A picture uint8 (H, W, 3) as a sensor with pixels `factor` times as wide sees it, enlarged to its own size again.

    Means, and the cubic enlargement with which a picture is put onto a finer scene.
    """
    height, width = pixels.shape[:2]
    small = cv2.resize(pixels, (width // factor, height // factor), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def luma(rgb: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 1) of colours, as the latent's thumbnail has it."""
    return MODALITIES["pan"].to_bands(rgb)


def _luma(rgb: np.ndarray) -> np.ndarray:
    return rgb @ (np.array(LUMA, np.float32) / 1000)


def _coarse(values: np.ndarray, factor: int) -> np.ndarray:
    """Means over squares, enlarged smoothly."""
    height, width = values.shape[:2]
    means = cv2.resize(values, (width // factor, height // factor), interpolation=cv2.INTER_AREA)
    return cv2.resize(means, (width, height), interpolation=cv2.INTER_LINEAR).reshape(values.shape)
