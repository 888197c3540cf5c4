"""Where what is made meets what is known: hidden ground along the border, and estimates carried over to it.

A network that sees known ground right up to the mask leaves a faint line there: the step from an image to grey in its
input rings in its output. So it is told that the mask reaches `MARGIN` cells further. That ground stays known all the
same; and how far the network's estimate misses it there says how far the estimate is off beside it. The difference,
spread softly into the new ground, takes the step away, as a membrane does between two pictures (Pérez et al. 2003).
"""

import torch
from torch import Tensor
from torch.nn import functional as F

MARGIN = 3
"""Latent cells of known ground beside the mask that the network is not shown."""

SPREAD = 4.0
"""Latent cells over which a difference spreads into new ground (standard deviation)."""

FADING = 0.02
"""Share of the surroundings, in the margin, from which the correction fades: far from known ground there is none."""


def told_mask(mask: Tensor) -> Tensor:
    """The mask (B, 1, h, w), 1 = generate, as the network is told it: `MARGIN` cells larger."""
    return F.max_pool2d((mask > 0).to(mask), 2 * MARGIN + 1, stride=1, padding=MARGIN)


def join(estimate: Tensor, known: Tensor, mask: Tensor) -> Tensor:
    """Put known latents around an estimate (B, 4, h, w) such that no step is left between the two.

    Args:
        known: clean latents of the same shape, any finite value where the mask is 1. mask: (B, 1, h, w), 1 = generate;
            what lies between 0 and 1 is the share of the estimate in a mixture with `known`.

    Returns:
        `known`, bit for bit, where the mask is 0; elsewhere the estimate plus what it misses in the margin nearby.
    """
    made = mask > 0
    margin = (told_mask(mask) > 0) & ~made
    if margin.any():
        missed = torch.where(margin, known - estimate, 0)
        spread = _blur(torch.cat([missed, margin.to(missed)], 1))
        estimate = estimate + spread[:, :-1] / (spread[:, -1:] + FADING)
    mixed = torch.where(mask < 1, torch.lerp(known, estimate, mask), estimate)
    return torch.where(made, mixed, known)


def _blur(x: Tensor) -> Tensor:
    """Gaussian of `SPREAD` cells; beyond the edge is nothing."""
    reach = round(3 * SPREAD)
    at = torch.arange(-reach, reach + 1, device=x.device, dtype=x.dtype)
    kernel = torch.softmax(-(at**2) / (2 * SPREAD**2), 0).expand(x.shape[1], 1, 1, -1)
    x = F.conv2d(x, kernel, padding=(0, reach), groups=x.shape[1])
    return F.conv2d(x, kernel.transpose(2, 3), padding=(reach, 0), groups=x.shape[1])
