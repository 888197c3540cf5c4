"""A drawn forest with a drawn cloud over it and its shadow beside it."""

from __future__ import annotations

import cv2
import numpy as np

SIDE = 256


def forest(seed: int = 0, side: int = SIDE) -> np.ndarray:
    """Dark green ground with a fine texture."""
    noise = cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 1, (side, side)).astype(np.float32), (0, 0), 1.2)
    return (np.array([60, 82, 52]) + 14 * (noise / noise.std())[..., None]).clip(0, 255).astype(np.uint8)


def blob(x: float, y: float, radius: float, side: int = SIDE) -> np.ndarray:
    """A round spot with a soft rim: float (side, side), 1 inside."""
    rows, columns = np.mgrid[:side, :side]
    return np.clip((radius - np.hypot(columns - x, rows - y)) / 12 + 0.5, 0, 1)


def cloudy(ground: np.ndarray, at: tuple[int, int], shift: tuple[int, int], radius: int = 34) -> np.ndarray:
    """A white cloud with its shadow `shift` px away."""
    cloud = blob(*at, radius)[..., None]
    shadow = blob(at[0] + shift[0], at[1] + shift[1], radius)[..., None]
    return (ground * (1 - 0.5 * shadow) * (1 - cloud) + 245 * cloud).round().astype(np.uint8)
