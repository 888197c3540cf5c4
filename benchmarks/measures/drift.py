"""What becomes of colour, contrast and detail over many hops, and whether a scene only repeats itself."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np

from text2earth_core.evaluation.bootstrap import Interval, bootstrap
from text2earth_core.evaluation.patch_distance import nearest_patch_distance

STATISTICS = ("mean", "std", "saturation", "high_frequency")


def statistics_of(pixels: np.ndarray) -> np.ndarray:
    """Mean and standard deviation of luma, saturation, and Laplacian energy of an image: float64 (4,).

    Luma and saturation are in [0, 1] (saturation: difference of the largest and smallest colour, which unlike HSV's
    quotient does not explode in shadows); the energy is the mean square of the 3x3 Laplacian of luma.
    """
    image = pixels.astype(np.float32) / 255
    luma = image @ np.array([0.299, 0.587, 0.114], np.float32)
    saturation = image.max(2) - image.min(2)
    laplacian = cv2.Laplacian(luma, cv2.CV_32F)[1:-1, 1:-1]
    return np.array([luma.mean(), luma.std(), saturation.mean(), np.square(laplacian).mean()], np.float64)


def drift(chains: Sequence[Sequence[np.ndarray]], first: int = 3, last: int = 3) -> dict[str, Interval]:
    """Relative change of each statistic from the first hops to the last, over independent chains.

    Args:
        chains: for each chain its hops in order, uint8 (h, w, 3): only what each hop added.

    Returns:
        For each of `STATISTICS` the change, 0.1 for 10 % more, with its interval over chains.
    """
    values = np.array([[statistics_of(hop) for hop in chain] for chain in chains])
    if values.shape[1] < first + last:
        raise ValueError(f"chains of {values.shape[1]} hops are too short to compare {first} first with {last} last")
    early, late = values[:, :first].mean(1), values[:, -last:].mean(1)
    groups = np.arange(len(values))
    return {
        name: bootstrap(lambda c, k=k: float(late[c, k].mean() / max(early[c, k].mean(), 1e-9) - 1), (groups,))
        for k, name in enumerate(STATISTICS)
    }


def copying(
    chains: Sequence[Sequence[np.ndarray]], real_neighbours: Sequence[tuple[np.ndarray, np.ndarray]]
) -> Interval:
    """Patch distance of neighbouring hops over that of neighbouring crops of real images; well below 1 is copying.

    Args:
        chains: see `drift`. real_neighbours: pairs of adjacent crops as large as a hop.
    """
    ours = [
        (number, nearest_patch_distance(after, before))
        for number, chain in enumerate(chains)
        for before, after in pairwise(chain)
    ]
    theirs = np.array([nearest_patch_distance(after, before) for before, after in real_neighbours])
    owner = np.array([number for number, _ in ours])
    distance = np.array([value for _, value in ours])
    # Real pairs are groups of their own, numbered after the chains.
    groups = (owner, len(chains) + np.arange(len(theirs)))
    return bootstrap(lambda a, b: float(distance[a].mean() / max(theirs[b].mean(), 1e-9)), groups)
