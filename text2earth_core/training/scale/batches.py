"""The part of each global batch that a process trains on, decoded ahead of its step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from text2earth_core.networks.thumbnail_vae import CELL
from text2earth_core.training.scale.rows import Rows
from text2earth_core.training.scale.samples import Sample, Unusable, sample_of


@dataclass(frozen=True)
class Part:
    """A part of a batch: samples in the order of their positions, with weights of 1, or 0 where a row cannot be used.

    faults: those of its images, by reason; of an epoch's repetition none, for each was counted once.
    """

    samples: list[Sample]
    weights: Tensor
    faults: Counter[str]

    def micro(self, size: int) -> list[Part]:
        """The same in pieces of `size` samples."""
        return [
            replace(self, samples=self.samples[start : start + size], weights=self.weights[start : start + size])
            for start in range(0, len(self.samples), size)
        ]

    def pixels(self) -> Tensor:
        """float32 (B, 3, H, W) in [0, 1]."""
        return torch.stack([one.pixels for one in self.samples]).permute(0, 3, 1, 2).float() / 255


class Batches:
    """Makes the parts that a process of several gets: by position, so that any number of processes meet the same batch.

    Args:
        side: px of a window. batch: samples of a step of all processes. rank, world: this process, and how many.
    """

    def __init__(self, rows: Rows, side: int, batch: int, rank: int, world: int, seed: int, threads: int = 4) -> None:
        self._rows, self._side, self._seed = rows, side, seed
        self._share, self._rank = batch // world, rank
        self._pool = ThreadPoolExecutor(threads)

    def part(self, start: int) -> Part:
        """This process's part of the batch that begins with position `start`."""
        first = start + self._rank * self._share
        positions = range(first, first + self._share)
        made = list(self._pool.map(self._sample, zip(positions, self._rows.at(positions), strict=True)))
        faults = Counter(
            one for one, position in zip(made, positions, strict=True)
            if isinstance(one, str) and position < self._rows.count
        )  # fmt: skip
        weights = torch.tensor([0.0 if isinstance(one, str) else 1.0 for one in made])
        return Part([self._nothing() if isinstance(one, str) else one for one in made], weights, faults)

    def _sample(self, asked: tuple[int, tuple]) -> Sample | str:
        position, (place, row, image) = asked
        try:
            return sample_of(row, image, place, self._side, self._seed, position)
        except Unusable as reason:
            return str(reason)

    def _nothing(self) -> Sample:
        """Stands for a row that cannot be used, with a weight of 0: all processes take the same number of steps."""
        cells = self._side // CELL
        latents = torch.zeros(3, 4, cells, cells)
        pixels = torch.zeros(self._side, self._side, 3, dtype=torch.uint8)
        return Sample(pixels, "", 0.0, torch.ones(1, cells, cells), latents[0], latents[1:], 0.5)


def joined(parts: Sequence[Counter[str]]) -> Counter[str]:
    """The sum of counts."""
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return total
