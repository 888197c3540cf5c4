"""At which noise levels a UNet is trained, and where its loss comes from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

EDGES = (0.01, 0.1, 0.5, 2.0, 8.0, 32.0, 128.0)
"""Signal-to-noise ratios between which the shares of the loss are told."""

REMEMBERED = 0.99
"""What a share keeps from batch to batch: one batch has too few samples at any one level to say anything."""


@dataclass(frozen=True)
class NoiseLevels:
    """A distribution of ln(noise / signal), over amplitudes of latents of unit variance.

    It is normal (Karras et al. 2022, "Elucidating the design space of diffusion-based generative models"): most of what
    there is to decide, where a road runs and how a field is bounded, is decided at signal-to-noise ratios around 1 to
    3, below 0.01 only the mean colour and beyond 30 only the finest grain. Evenly drawn timesteps spend a fifth of the
    loss on the former and nearly nothing from 8 on.

    mean, spread: of the normal distribution. anywhere: share of the samples that is drawn along evenly distributed
    angles arctan(noise / signal) instead, pure noise included, so that no level the sampler visits is forgotten.
    """

    mean: float
    spread: float
    anywhere: float = 0.1

    def draw(self, count: int, known: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Random angles arctan(noise / signal) within those of a schedule.

        Args:
            known: (timesteps,), rising angles of the schedule (`sampling.angles`).

        Returns:
            float32 (count,) on the device of `known`.
        """
        normal = torch.randn(count, generator=generator)
        angles = torch.atan(torch.exp(self.mean + self.spread * normal))
        low, high = float(known[0]), float(known[-1])
        even = low + (high - low) * torch.rand(count, generator=generator)
        chosen = torch.rand(count, generator=generator) < self.anywhere
        return torch.where(chosen, even, angles.clamp(low, high)).to(known.device)


class LossShares:
    """Which share of the loss comes from which noise levels, over the latest hundred batches or so."""

    def __init__(self) -> None:
        self._sums = torch.zeros(len(EDGES) + 1)

    def add(self, angles: Tensor, losses: Tensor) -> None:
        """Take in a batch: angles (B,) and weighted losses (B,)."""
        ratios = torch.tan(angles.detach().float().cpu()).clamp(min=1e-4) ** -2
        places = torch.bucketize(ratios, torch.tensor(EDGES))
        fresh = torch.zeros_like(self._sums).index_add_(0, places, losses.detach().float().cpu())
        self._sums = REMEMBERED * self._sums + (1 - REMEMBERED) * fresh

    def named(self) -> dict[str, float]:
        """The shares by name, from noisy to clean: "share_snr_below_0.01" to "share_snr_above_128"; they sum to 1."""
        edges = [f"{edge:g}" for edge in EDGES]
        between = [f"{low}_to_{high}" for low, high in pairwise(edges)]
        names = [f"below_{edges[0]}", *between, f"above_{edges[-1]}"]
        total = max(float(self._sums.sum()), math.ulp(1.0))
        return {f"share_snr_{name}": float(part) / total for name, part in zip(names, self._sums, strict=True)}
