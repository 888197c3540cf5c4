"""Distances between two sets of images, each given by the features of its images: Fréchet and kernel distance.

Both sets must be equally large, and any two figures that are compared must come from sets of one size: the Fréchet
distance of finite samples is biased upwards, the more so the more dimensions the features have.
"""

from __future__ import annotations

import numpy as np


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """|m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)) (Heusel et al. 2017) in float64.

    Args:
        a, b: features (N, D), N at least 2 on either side.
    """
    _check(a, b)
    a, b = a.astype(np.float64), b.astype(np.float64)
    first, second = np.atleast_2d(np.cov(a, rowvar=False)), np.atleast_2d(np.cov(b, rowvar=False))
    values, vectors = np.linalg.eigh(first)
    root = vectors * np.sqrt(values.clip(min=0)) @ vectors.T
    # C_a C_b has the same eigenvalues as the symmetric matrix root C_b root.
    mixed = np.sqrt(np.linalg.eigvalsh(root @ second @ root).clip(min=0)).sum()
    distance = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(first) + np.trace(second) - 2 * mixed
    return float(max(distance, 0.0))


def kernel_distance(a: np.ndarray, b: np.ndarray, subsets: int = 50, size: int = 500, seed: int = 0) -> float:
    """Unbiased squared MMD with the kernel (x.y / D + 1)^3 (KID, Binkowski et al. 2018), mean over random subsets.

    Around 0 (also a little below) for two samples of one distribution, whatever their number.
    """
    _check(a, b)
    rng = np.random.default_rng(seed)
    size = min(size, len(a), len(b))
    if size == min(len(a), len(b)):
        subsets = 1
    return float(np.mean([_mmd(a[_draw(rng, len(a), size)], b[_draw(rng, len(b), size)]) for _ in range(subsets)]))


def compare(a: np.ndarray, b: np.ndarray) -> dict[str, float]:
    """Both distances of two equally large sets of features (N, D), and N."""
    if len(a) != len(b):
        raise ValueError(f"sets of {len(a)} and {len(b)} images cannot be compared: make them equally large")
    return {"frechet": frechet_distance(a, b), "kid": kernel_distance(a, b), "images": len(a)}


def _draw(rng: np.random.Generator, count: int, size: int) -> np.ndarray:
    return rng.permutation(count)[:size]


def _mmd(x: np.ndarray, y: np.ndarray) -> float:
    x, y = x.astype(np.float64), y.astype(np.float64)
    n = len(x)
    xx, yy, xy = ((left @ right.T / x.shape[1] + 1) ** 3 for left, right in ((x, x), (y, y), (x, y)))
    own = (xx.sum() - np.trace(xx) + yy.sum() - np.trace(yy)) / (n * (n - 1))
    return float(own - 2 * xy.mean())


def _check(a: np.ndarray, b: np.ndarray) -> None:
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise ValueError(f"features of shape {a.shape} and {b.shape} cannot be compared: give (N, D) with N >= 2")
