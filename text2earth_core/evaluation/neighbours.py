"""Does the model copy? The nearest training image of each generated one, against that of held-back real images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

SIDE = 24
"""Pixels along the thumbnails whose distance is taken."""

SUSPICIOUS = 1.0
"""Percentile of the held-back real images' distances below which a generated image counts as suspiciously near."""


@dataclass(frozen=True)
class Nearest:
    """For each query its nearest training image: index (N,) and distance (N,)."""

    index: np.ndarray
    distance: np.ndarray


def nearest(queries: np.ndarray, training: np.ndarray, block: int = 256) -> Nearest:
    """Euclidean nearest neighbours of float (N, D) among (M, D)."""
    indices, distances = [], []
    squares = np.square(training, dtype=np.float32).sum(1)
    for start in range(0, len(queries), block):
        part = queries[start : start + block].astype(np.float32)
        table = np.square(part).sum(1)[:, None] + squares[None] - 2 * part @ training.T.astype(np.float32)
        best = table.argmin(1)
        indices.append(best)
        distances.append(np.sqrt(table[np.arange(len(part)), best].clip(min=0)))
    return Nearest(np.concatenate(indices), np.concatenate(distances))


def nearest_pixels(queries: Sequence[np.ndarray], training: np.ndarray) -> Nearest:
    """The nearest thumbnail in any of the eight turned and mirrored forms; root mean square, in grey levels.

    Args:
        queries: uint8 (H, W, 3). training: thumbnails (M, SIDE * SIDE * 3) of `thumbnails`.
    """
    found = [
        nearest(thumbnails([np.rot90(q[:, ::-1] if mirrored else q, turns) for q in queries]), training)
        for mirrored in (False, True)
        for turns in range(4)
    ]
    distances = np.stack([one.distance for one in found])
    best, every = distances.argmin(0), np.arange(len(queries))
    index = np.stack([one.index for one in found])[best, every]
    return Nearest(index, distances[best, every] / np.sqrt(training.shape[1]))


def thumbnails(images: Sequence[np.ndarray]) -> np.ndarray:
    """uint8 (H, W, 3) images as rows float32 (N, SIDE * SIDE * 3)."""
    rows = [
        cv2.resize(np.ascontiguousarray(image), (SIDE, SIDE), interpolation=cv2.INTER_AREA).ravel() for image in images
    ]
    return np.stack(rows).astype(np.float32)


def compare_distances(generated: np.ndarray, held_back: np.ndarray) -> dict[str, float]:
    """Median distance relative to held-back real images, and the share that is nearer than nearly all of those.

    A model that generalises is at about 1 and 0.01; one that copies is far below 1 and near 1.
    """
    limit = np.percentile(held_back, SUSPICIOUS)
    return {
        "median_ratio": float(np.median(generated) / max(float(np.median(held_back)), 1e-9)),
        "suspicious": float((generated < limit).mean()),
    }
