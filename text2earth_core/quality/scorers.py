"""Scores of images, each by a name of its own: scores of two scorers do not compare."""

from __future__ import annotations

from typing import Protocol

import numpy as np

SHARPNESS = "sharpness (1 - blur of Crete et al. 2007, scikit-image)"
"""From 0, blurred, to 1. It knows nothing of beauty or of clouds, and no paper's threshold is meant for it."""

AESTHETIC = "improved aesthetic predictor"

GIVEN = "the data set's own"


class Scorer(Protocol):
    """name: for people and tables. fingerprint: of what its scores depend on."""

    name: str
    fingerprint: str

    def score(self, pixels: np.ndarray) -> float:
        """The more the better; pixels: uint8 (H, W, 3) RGB."""
        ...


class Sharpness:
    """Needs no weights: how much an image loses when it is blurred once more."""

    name = SHARPNESS
    fingerprint = "crete-2007"

    def score(self, pixels: np.ndarray) -> float:
        from skimage.measure import blur_effect

        if min(pixels.shape[:2]) < 3:
            return 0.0  # nothing has edges there
        return 1.0 - float(blur_effect(pixels, channel_axis=-1))
