"""The first guess of a hazy picture's translation: how much veils it, estimated by a network and taken away by physics.

A regression of the clear picture turns grey where haze is thick. What it is asked for here is what the atmospheric
scattering model (`fog`) asks for, as in DehazeNet (Cai et al. 2016): how deep the haze is at each cell, and how bright.
The clear picture follows, with all of its contrast.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from text2earth_core.translation.condition import DETAIL, KNOWN, LATENT
from text2earth_core.translation.first_guess import Guess, conv

COLOUR = 3
"""Channels of the latent's thumbnail: linear in red, green and blue, so that scattering is the same sum in them."""

SEEN = COLOUR + 4
"""Of each cell: its mean colour; the least, the most and the spread of its brightness; the share that is known."""

WIDTH, DILATIONS = 24, (1, 2, 4)

DEEPEST = 2.5
"""Optical depth that is taken away at most: 8 % of the ground's light comes through."""

EVEN = 5
"""Cells along the squares over which the depth is smoothed: haze has no edges."""


class Veil(Guess):
    """Clear latents of hazy ones."""

    file = "veil.safetensors"

    def __init__(self) -> None:
        super().__init__()
        self.first = conv(SEEN, WIDTH)
        self.blocks = nn.ModuleList(conv(WIDTH, WIDTH, dilation) for dilation in DILATIONS)
        self.whole = nn.ModuleList(nn.Linear(3 * WIDTH, WIDTH) for _ in DILATIONS)
        self.depth = conv(WIDTH, 1)
        self.airlight = nn.Linear(3 * WIDTH, COLOUR)

    def forward(self, condition: Tensor) -> Tensor:
        return self.cleared(condition, *self.estimate(condition))

    @staticmethod
    def cleared(condition: Tensor, depth: Tensor, airlight: Tensor) -> Tensor:
        """What is left of the latents in a condition without haze of such a depth (B, 1, h, w) and airlight."""
        clear = (condition[:, :COLOUR] - airlight) * torch.exp(depth) + airlight
        return torch.cat([clear, condition[:, COLOUR:LATENT]], 1)

    def estimate(self, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Optical depth (B, 1, h, w) of the haze, and its own colour (B, 3, 1, 1) in units of the latent."""
        detail = condition[:, LATENT : LATENT + DETAIL]
        known = condition[:, KNOWN : KNOWN + 1]
        spread = [detail.amin(1, keepdim=True), detail.amax(1, keepdim=True), detail.std(1, keepdim=True)]
        seen = self.first(torch.cat([condition[:, :COLOUR], *spread, known], 1))
        for block, whole in zip(self.blocks, self.whole, strict=True):
            lit = F.silu(seen)
            seen = seen + block(lit) + whole(_summary(lit, known))[..., None, None]
        lit = F.silu(seen)
        depth = F.pad(self.depth(lit), (EVEN // 2,) * 4, mode="replicate")
        depth = DEEPEST * torch.sigmoid(F.avg_pool2d(depth, EVEN, 1))
        return depth, self.airlight(_summary(lit, known))[..., None, None]


def _summary(seen: Tensor, known: Tensor) -> Tensor:
    """(B, 3 C): the mean, the least and the most of each channel over the cells that are known."""
    where = known > 0
    count = where.sum((2, 3)).clamp(min=1)
    mean = torch.where(where, seen, 0).sum((2, 3)) / count
    least = torch.where(where, seen, torch.inf).amin((2, 3)).nan_to_num(posinf=0)
    most = torch.where(where, seen, -torch.inf).amax((2, 3)).nan_to_num(neginf=0)
    return torch.cat([mean, least, most], 1)
