"""Noise levels as angles arctan(noise / signal), and the fractional timesteps at which a schedule has them."""

import torch
from torch import Tensor


def angles_of(alphas_cumprod: Tensor) -> Tensor:
    """The angles arctan(noise / signal) of a schedule's timesteps, float32, rising."""
    return torch.arccos(alphas_cumprod.double().sqrt().clamp(0, 1)).float()


def timesteps_at(angles: Tensor, known: Tensor) -> Tensor:
    """The fractional timesteps at which a schedule has these angles: what the network is told.

    Args:
        angles: (B,), within `known`. known: (timesteps,), see `angles_of`.
    """
    after = torch.searchsorted(known, angles.contiguous()).clamp(1, len(known) - 1)
    low, high = known[after - 1], known[after]
    return (after - 1) + ((angles - low) / (high - low)).clamp(0, 1)
