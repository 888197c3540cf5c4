"""Distances between sets of image patches: sliced Wasserstein on a Laplacian pyramid, and the nearest patch."""

from __future__ import annotations

import cv2
import numpy as np

PATCH = 7
"""Pixels along a patch, at every level of the pyramid (Karras et al. 2018)."""


def laplacian_pyramid(image: np.ndarray, levels: int) -> list[np.ndarray]:
    """Band-pass images from fine to coarse; the last one holds what is left.

    Args:
        image: (H, W, 3), sides at least 2**levels.

    Returns:
        float32 (H / 2**k, W / 2**k, 3) for k = 0 .. levels - 1.
    """
    pyramid = []
    current = image.astype(np.float32)
    for _ in range(levels - 1):
        smaller = cv2.pyrDown(current)
        larger = cv2.pyrUp(smaller, dstsize=(current.shape[1], current.shape[0]))
        pyramid.append(current - larger)
        current = np.asarray(smaller, np.float32)
    return [*pyramid, current]


def patches_of(image: np.ndarray, columns: tuple[int, int], count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw square patches whose centres lie within a range of columns.

    Returns:
        float32 (count, PATCH * PATCH * 3).
    """
    low = max(0, columns[0] - PATCH // 2)
    high = max(low + 1, min(image.shape[1] - PATCH + 1, columns[1] - PATCH // 2))
    top = rng.integers(0, image.shape[0] - PATCH + 1, count)
    left = rng.integers(low, high, count)
    return np.stack([image[y : y + PATCH, x : x + PATCH].ravel() for y, x in zip(top, left, strict=True)])


def sliced_wasserstein(a: np.ndarray, b: np.ndarray, projections: int = 128, seed: int = 0) -> float:
    """Mean 1-Wasserstein distance of two equally large sets of vectors over random directions.

    Args:
        a, b: float (N, D). Each dimension is divided by the standard deviation of both sets together, so that the
            result has no unit.
    """
    if len(a) != len(b):
        raise ValueError(f"sets of {len(a)} and {len(b)} vectors: their sorted projections cannot be paired")
    both = np.concatenate([a, b])
    scale = both.std(0) + 1e-6
    directions = np.random.default_rng(seed).normal(size=(a.shape[1], projections)).astype(np.float32)
    directions /= np.linalg.norm(directions, axis=0)
    first = np.sort((a - both.mean(0)) / scale @ directions, axis=0)
    second = np.sort((b - both.mean(0)) / scale @ directions, axis=0)
    return float(np.abs(first - second).mean())


def strip_distance(a: np.ndarray, b: np.ndarray, levels: int = 3, each: int = 16, seed: int = 0) -> float:
    """Sliced Wasserstein distance between the middles of two equally large sets of strips, mean over octaves.

    Args:
        a, b: uint8 (N, L, W, 3); patches are centred in the middle half of the columns. each: patches of a strip.
    """
    rng = np.random.default_rng(seed)
    sets: tuple[list[list[np.ndarray]], ...] = ([[] for _ in range(levels)], [[] for _ in range(levels)])
    for strips, found in zip((a, b), sets, strict=True):
        for strip in strips:
            for level, image in enumerate(laplacian_pyramid(strip, levels)):
                width = image.shape[1]
                found[level].append(patches_of(image, (width // 4, width - width // 4), each, rng))
    distances = [sliced_wasserstein(np.concatenate(x), np.concatenate(y)) for x, y in zip(*sets, strict=True)]
    return float(np.mean(distances))


def nearest_patch_distance(of: np.ndarray, among: np.ndarray, side: int = 16, step: int = 8) -> float:
    """How far the patches of one picture are from the most similar ones of another: 0 where one copies the other.

    Args:
        of, among: uint8 (H, W, 3).

    Returns:
        Mean over patches of the root mean square difference to the nearest patch, in grey levels of 255.
    """
    ours, theirs = _grid(of, side, step), _grid(among, side, step)
    squared = (ours**2).sum(1)[:, None] + (theirs**2).sum(1)[None] - 2 * ours @ theirs.T
    return float(np.sqrt(squared.min(1).clip(min=0) / ours.shape[1]).mean())


def _grid(image: np.ndarray, side: int, step: int) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(image.astype(np.float32), (side, side), axis=(0, 1))
    chosen = windows[::step, ::step]
    return chosen.reshape(-1, chosen.shape[2] * side * side)
