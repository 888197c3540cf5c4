"""Zero-shot classification: each image gets the class whose text is nearest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from text2earth_core.evaluation.bootstrap import Interval


@dataclass(frozen=True)
class Naming:
    """True and found classes of N images, as indices into `classes`."""

    classes: list[str]
    truth: np.ndarray
    found: np.ndarray

    @property
    def accuracy(self) -> Interval:
        """Share named rightly, with Wilson's interval of 95 %."""
        right = int((self.truth == self.found).sum())
        bounds = binomtest(right, len(self.truth)).proportion_ci(method="wilson")
        return Interval(right / len(self.truth), float(bounds.low), float(bounds.high))

    @property
    def confusion(self) -> np.ndarray:
        """Counts (classes, classes): rows are true, columns are found."""
        counts = np.zeros((len(self.classes), len(self.classes)), int)
        np.add.at(counts, (self.truth, self.found), 1)
        return counts


def name_images(images: np.ndarray, labels: Sequence[str], classes: Sequence[str], texts: np.ndarray) -> Naming:
    """Name unit vectors (N, D) of images with true `labels` by the nearest of the classes' vectors (M, D)."""
    index = {name: number for number, name in enumerate(classes)}
    truth = np.array([index[label] for label in labels])
    return Naming(list(classes), truth, (images @ texts.T).argmax(1))
