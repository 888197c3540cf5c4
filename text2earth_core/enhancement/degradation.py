"""Damage as pictures meet it between a sensor and a map service, to learn to take it back.

Twice in a row a picture is blurred, resized, gets noise and is compressed (second order, in the spirit of
Real-ESRGAN, Wang et al. 2021). Half as large at the end, it is what an enhancer sees. The extremes are milder than
theirs: tiles of a map service are compressed and soft, not ruined, and who learns from ruins smears what was sound.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

SOUND = 0.1
"""Share of pictures that are only made smaller: what is sound is to stay so."""


@dataclass(frozen=True)
class Stage:
    """One round of damage; pairs are the lowest and the highest.

    blurred: share of pictures that are. sigma: of the blur, px. resize: factor of the side. noise: standard deviation
    of 255. quality: of JPEG.
    """

    blurred: float
    sigma: tuple[float, float]
    resize: tuple[float, float]
    noise: tuple[float, float]
    quality: tuple[int, int]


FIRST = Stage(0.9, (0.2, 1.8), (0.6, 1.2), (0, 8), (50, 95))
SECOND = Stage(0.6, (0.2, 1.0), (0.8, 1.2), (0, 5), (40, 95))

_WAYS = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)


def degraded(picture: np.ndarray, rng: np.random.Generator, scale: int = 2) -> np.ndarray:
    """uint8 (H, W, 3), sides multiples of `scale`, as it looks 1 / `scale` as large after damage by chance."""
    height, width = picture.shape[0] // scale, picture.shape[1] // scale
    if rng.random() < SOUND:
        return cv2.resize(picture, (width, height), interpolation=_WAYS[0])
    damaged = _blurred(picture, FIRST, rng)
    damaged = _noisy(_resized(damaged, picture.shape[:2], FIRST, rng), FIRST, rng)
    damaged = _blurred(_compressed(damaged, FIRST, rng), SECOND, rng)
    damaged = _noisy(_resized(damaged, (height, width), SECOND, rng), SECOND, rng)
    compressed_last = rng.random() < 0.5  # as it is stored; else it was made to size later, as a map service does
    if not compressed_last:
        damaged = _compressed(damaged, SECOND, rng)
    damaged = cv2.resize(damaged, (width, height), interpolation=_way(damaged, width, rng))
    return _compressed(damaged, SECOND, rng) if compressed_last else damaged


def _resized(picture: np.ndarray, about: tuple[int, ...], stage: Stage, rng: np.random.Generator) -> np.ndarray:
    """Resized to (height, width) `about` times a factor by chance."""
    factor = rng.uniform(*stage.resize)
    height, width = (max(4, round(side * factor)) for side in about)
    return cv2.resize(picture, (width, height), interpolation=_way(picture, width, rng))


def _way(picture: np.ndarray, width: int, rng: np.random.Generator) -> int:
    """An interpolation by chance; by areas only where it shrinks, for else it repeats pixels."""
    return _WAYS[int(rng.integers(0 if width <= picture.shape[1] else 1, 3))]


def _blurred(picture: np.ndarray, stage: Stage, rng: np.random.Generator) -> np.ndarray:
    if rng.random() >= stage.blurred:
        return picture
    return cv2.filter2D(picture, -1, kernel(rng, stage.sigma), borderType=cv2.BORDER_REFLECT_101)


def kernel(rng: np.random.Generator, sigma: tuple[float, float], side: int = 13) -> np.ndarray:
    """A blur float32 (side, side) with the sum 1: a Gauss bell, often longer one way, flatter or more pointed."""
    along, across = rng.uniform(*sigma, size=2)
    if rng.random() < 0.5:
        across = along
    angle, power = rng.uniform(0, np.pi), 1.0 if rng.random() < 0.6 else rng.uniform(0.5, 2.0)
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    bell = np.exp(-0.5 * ((u / along) ** 2 + (v / across) ** 2) ** power)
    return (bell / bell.sum()).astype(np.float32)


def _noisy(picture: np.ndarray, stage: Stage, rng: np.random.Generator) -> np.ndarray:
    """Noise of the sensor (stronger where it is bright) or of what is behind it, of each colour or of all alike."""
    strength = rng.uniform(*stage.noise)
    bands = 1 if rng.random() < 0.4 else 3
    noise = rng.standard_normal((*picture.shape[:2], bands), np.float32) * np.float32(strength)
    if rng.random() < 0.5:
        noise = noise * np.sqrt(picture / np.float32(128))
    return np.rint(picture + noise).clip(0, 255).astype(np.uint8)


def _compressed(picture: np.ndarray, stage: Stage, rng: np.random.Generator) -> np.ndarray:
    quality = int(rng.integers(stage.quality[0], stage.quality[1] + 1))
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    stored = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    found = cv2.imdecode(stored, cv2.IMREAD_COLOR)
    assert found is not None
    return cv2.cvtColor(found, cv2.COLOR_BGR2RGB)
