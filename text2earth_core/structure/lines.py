"""Are there lines in a thumbnail? Roads, rivers, the borders of fields: what runs straight on over several cells.

Colours and the amount of texture can be right without a single line: a picture whose Fourier phases are drawn anew has
the same spectrum and none. It is the floor of these figures, a real picture their ceiling.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

FINE, AROUND = 0.7, 2.5
"""Standard deviations, in cells, of the gradient's own blur and of the surroundings over which directions must agree.

A road is one or two cells wide; over five cells chance no longer makes gradients agree."""


def coherence(luma: np.ndarray) -> float:
    """How far gradients nearby point the same way: 0 where they have no common direction, 1 along one straight line.

    The anisotropy (l1 - l2) / (l1 + l2) of the structure tensor's eigenvalues (Bigun & Granlund 1987), each place
    weighing as much as its gradients do.

    Args:
        luma: float (h, w), any scale.
    """
    xx, xy, yy = _tensor(luma)
    difference, total = np.hypot(xx - yy, 2 * xy), xx + yy
    return float(difference.sum() / max(float(total.sum()), 1e-12))


def line_likeness(lumas: Sequence[np.ndarray], seed: int = 0) -> float:
    """Mean coherence of pictures over that of the same pictures with random phases: 1 where nothing runs on."""
    rng = np.random.default_rng(seed)
    own = np.mean([coherence(luma) for luma in lumas])
    floor = np.mean([coherence(random_phases(luma, rng)) for luma in lumas for _ in range(4)])
    return float(own / max(float(floor), 1e-12))


def ridges(luma: np.ndarray) -> np.ndarray:
    """How much brighter or darker each cell is than what lies on both sides of it, (h, w).

    The eigenvalue of larger magnitude of the Hessian, negated: positive on bright lines, negative on dark ones.
    """
    smooth = cv2.GaussianBlur(np.ascontiguousarray(luma, dtype=np.float32), (0, 0), FINE, borderType=cv2.BORDER_REFLECT)
    xx, yy, xy = (
        cv2.Sobel(smooth, cv2.CV_32F, dx, dy, ksize=3, borderType=cv2.BORDER_REFLECT)
        for dx, dy in ((2, 0), (0, 2), (1, 1))
    )
    middle, half = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    return -np.where(middle >= 0, middle + half, middle - half)


def ridge_correlation(luma: np.ndarray, other: np.ndarray) -> float:
    """Correlation of the ridges of two pictures of one shape: 1 where the same lines run, about 0 where others do."""
    a, b = (ridges(picture).ravel() for picture in (luma, other))
    a, b = a - a.mean(), b - b.mean()
    return float((a @ b) / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12))


def random_phases(luma: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A picture (h, w) of the same spectrum in which nothing is where it was.

    The picture is mirrored at its borders first, so that its borders are no lines of the spectrum.
    """
    height, width = luma.shape
    doubled = np.pad(luma, ((0, height), (0, width)), mode="symmetric")
    phases = np.fft.rfft2(rng.standard_normal(doubled.shape))
    phases /= np.maximum(np.abs(phases), 1e-12)
    phases[0, 0] = 1  # the mean stays
    spectrum = np.abs(np.fft.rfft2(doubled))
    return np.fft.irfft2(spectrum * phases, doubled.shape)[:height, :width]


def _tensor(luma: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    smooth = cv2.GaussianBlur(np.ascontiguousarray(luma, dtype=np.float32), (0, 0), FINE, borderType=cv2.BORDER_REFLECT)
    x = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3, borderType=cv2.BORDER_REFLECT)
    y = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3, borderType=cv2.BORDER_REFLECT)
    xx, xy, yy = (
        cv2.GaussianBlur(product, (0, 0), AROUND, borderType=cv2.BORDER_REFLECT) for product in (x * x, x * y, y * y)
    )
    return xx, xy, yy
