"""Finding images by their captions and captions by their image: recall at 1, 5 and 10."""

from __future__ import annotations

import numpy as np

DEPTHS = (1, 5, 10)
ROWS = 512
"""Of the table of scores in memory."""


def recall(images: np.ndarray, texts: np.ndarray, owner: np.ndarray) -> dict[str, dict[str, float]]:
    """Share of queries that find one of their own among the first.

    Captions of different images that say the same count as different ones, as in the usual protocol.

    Args:
        images: unit vectors (N, D). texts: unit vectors (M, D). owner: (M,), the image of each text.

    Returns:
        {"text_to_image": {"1": share, "5", "10"}, "image_to_text": the same}.
    """
    of_images = np.arange(len(images))
    return {
        "text_to_image": _shares(_best_ranks(texts, images, owner[:, None] == of_images)),
        "image_to_text": _shares(_best_ranks(images, texts, of_images[:, None] == owner)),
    }


def _best_ranks(queries: np.ndarray, found: np.ndarray, own: np.ndarray) -> np.ndarray:
    """How many of the others are nearer to each query than the nearest of its own (ties count against it)."""
    ranks = []
    for start in range(0, len(queries), ROWS):
        scores, mine = queries[start : start + ROWS] @ found.T, own[start : start + ROWS]
        best = np.where(mine, scores, -np.inf).max(1, keepdims=True)
        ranks.append(((scores >= best) & ~mine).sum(1))
    return np.concatenate(ranks)


def _shares(ranks: np.ndarray) -> dict[str, float]:
    return {str(depth): float((ranks < depth).mean()) for depth in DEPTHS}
