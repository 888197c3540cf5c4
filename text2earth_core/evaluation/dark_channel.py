"""Haze taken away by the dark channel prior (He, Sun & Tang 2009), with OpenCV: what needs no training."""

from __future__ import annotations

import cv2
import numpy as np

PATCH = 15  # px
KEPT = 0.95  # share of the haze that is taken away
THINNEST = 0.1  # transmission below which nothing is amplified
RADIUS, SMOOTH = 24, 1e-3  # of the guided filter


def dehazed(hazy: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) of uint8 (H, W, 3)."""
    seen = hazy.astype(np.float32) / 255
    dark = _dark(seen)
    brightest = np.argsort(dark.ravel())[-max(1, dark.size // 1000) :]
    airlight = seen.reshape(-1, 3)[brightest].mean(0)
    through = 1 - KEPT * _dark(seen / np.maximum(airlight, 1e-3))
    through = _guided(seen.mean(2), through).clip(THINNEST, 1)[..., None]
    return (((seen - airlight) / through + airlight) * 255).round().clip(0, 255).astype(np.uint8)


def _dark(seen: np.ndarray) -> np.ndarray:
    return cv2.erode(seen.min(2), np.ones((PATCH, PATCH), np.uint8))


def _guided(guide: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Guided filter (He et al. 2010)."""

    def mean(image: np.ndarray) -> np.ndarray:
        return cv2.blur(image, (2 * RADIUS + 1, 2 * RADIUS + 1))

    centre, level = mean(guide), mean(values)
    slope = (mean(guide * values) - centre * level) / (mean(guide * guide) - centre**2 + SMOOTH)
    return mean(slope) * guide + mean(level - slope * centre)
