"""How sure a measured figure is: percentile bootstrap intervals over independent groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

FEW = 8
"""With fewer groups than this the members are resampled instead: a handful of groups says nothing of their spread."""


@dataclass(frozen=True)
class Interval:
    """A figure and the bounds between which it lies in 95 % of the resamplings."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.value:.3g} ({self.low:.3g} to {self.high:.3g})"


Statistic = Callable[..., float]
"""Takes one index array for each sample (which members to use, with repetition) and returns the figure."""


def bootstrap(statistic: Statistic, groups: tuple[np.ndarray, ...], repeats: int = 400, seed: int = 0) -> Interval:
    """Resample groups (scenes, chains, images) with replacement and watch a figure.

    Args:
        statistic: function of index arrays, one for each sample; see `Statistic`.
        groups: for each sample the group of each of its members, (N,), (M,), ...; a group that is drawn brings its
            members of every sample along, so that a scene's seam lines stay with its off-seam lines.

    Returns:
        The figure on everything, and its 2.5 and 97.5 percentiles.
    """
    rng = np.random.default_rng(seed)
    names = np.unique(np.concatenate(groups))
    members = [[np.flatnonzero(sample == name) for name in names] for sample in groups]
    values = []
    for _ in range(repeats):
        if len(names) < FEW:
            drawn = [rng.integers(len(sample), size=len(sample)) for sample in groups]
        else:
            picked = rng.integers(len(names), size=len(names))
            drawn = [np.concatenate([mine[i] for i in picked]) for mine in members]
        if all(len(indices) for indices in drawn):
            values.append(statistic(*drawn))
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return Interval(float(statistic(*(np.arange(len(sample)) for sample in groups))), float(low), float(high))
