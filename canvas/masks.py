"""Masks around what is to be made: growing them, and the weights that blend new into old."""

from __future__ import annotations

import numpy as np


def dilate(mask: np.ndarray, by: int = 1) -> np.ndarray:
    """A boolean mask grown by `by` elements in all eight directions."""
    grown = mask.copy()
    for _ in range(by):
        step = grown.copy()
        step[1:] |= grown[:-1]
        step[:-1] |= grown[1:]
        grown = step.copy()
        grown[:, 1:] |= step[:, :-1]
        grown[:, :-1] |= step[:, 1:]
    return grown


def feather_weights(mask: np.ndarray, feather: int) -> np.ndarray:
    """float32: 1 in the mask, falling evenly to 0 just beyond `feather` px outside it."""
    levels = np.ones(mask.shape, np.float32) * mask
    grown = mask
    for _ in range(feather):
        grown = dilate(grown)
        levels += grown
    return levels / (feather + 1)


def spread(values: np.ndarray, known: np.ndarray, reach: int) -> np.ndarray:
    """(c, h, w) values carried from the known cells outwards, up to `reach` cells: each takes its neighbours' mean.

    For cells in which nothing is: what stands there must not pull a decoder's output at the edge anywhere.
    """
    values, known = np.where(known, values, 0).astype(np.float32), known.copy()
    for _ in range(reach):
        total, count = np.zeros_like(values), np.zeros(known.shape, np.float32)
        for axis, sign in ((1, 1), (1, -1), (2, 1), (2, -1)):
            source: list[slice] = [slice(None)] * 3
            target: list[slice] = [slice(None)] * 3
            source[axis], target[axis] = (slice(None, -1), slice(1, None))[::sign]
            total[tuple(target)] += (values * known)[tuple(source)]
            count[tuple(target[1:])] += known[tuple(source[1:])]
        new = ~known & (count > 0)
        values[:, new] = total[:, new] / count[new]
        known |= new
    return values
