"""The heads of a critic with eyes from elsewhere: do these pictures look real, and like what the text says?

A Projected GAN's critic (Sauer et al. 2021): frozen features of four scales, mixed by random frozen projections, so
that no head can look at the few channels alone in which two sets of pictures differ most, and small trained heads.
The text comes in by projection (Miyato & Koyama 2018), as in adversarial diffusion distillation (Sauer et al. 2023).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from text2earth_core.networks.eyes import SCALES

HALVED = (2, 1, 0, 0)
"""How often the head of each scale, from fine to coarse, halves its map: all score parts of a picture, not points."""


class CriticHeads(nn.Module):
    """Scores maps of features; higher is more real.

    forward: what `Eyes` makes of (B, 3, H, W) pixels, and the text (B, tokens, text_width) -> a score map (B, 1, h, w)
    for each of the four scales.
    """

    measured: Tensor

    def __init__(self, text_width: int, width: int = 64):
        super().__init__()
        self.register_buffer("measured", torch.zeros((), dtype=torch.long))
        generator = torch.Generator().manual_seed(0)
        for number, channels in enumerate(SCALES):
            self.register_buffer(f"mean_{number}", torch.zeros(channels))
            self.register_buffer(f"deviation_{number}", torch.ones(channels))
            mixed = torch.randn(width, channels, 1, 1, generator=generator) / math.sqrt(channels)
            self.register_buffer(f"mixed_{number}", mixed)
            passed = torch.randn(width, width, 1, 1, generator=generator) / math.sqrt(width)
            self.register_buffer(f"passed_{number}", passed)
        self.heads = nn.ModuleList(_Head(width, text_width, halved) for halved in HALVED)

    def forward(self, maps: Sequence[Tensor], text: Tensor) -> list[Tensor]:
        said = F.layer_norm(text.mean(1), text.shape[-1:])
        return [head(one, said) for head, one in zip(self.heads, self._mixed(maps), strict=True)]

    @torch.no_grad()
    def measure(self, maps: Sequence[Tensor]) -> None:
        """Learn from features of real pictures how large each channel is, so that all count the same."""
        share = 1 / (1 + min(int(self.measured), 100))
        for number, one in enumerate(maps):
            mean, deviation = self._statistics(number)
            mean.lerp_(one.float().mean((0, 2, 3)), share)
            deviation.lerp_(one.float().std((0, 2, 3)).clamp(min=1e-3), share)
        self.measured += 1

    def _mixed(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Random mixtures of each scale's channels and, below, of the coarser scales', from fine to coarse."""
        found: list[Tensor] = []
        for number in reversed(range(len(maps))):
            mean, deviation = (part[:, None, None] for part in self._statistics(number))
            own = F.conv2d((maps[number] - mean) / deviation, self.get_buffer(f"mixed_{number}"))
            if found:
                coarser = F.interpolate(found[-1], size=own.shape[-2:], mode="bilinear", align_corners=False)
                own = (own + F.conv2d(coarser, self.get_buffer(f"passed_{number}"))) / math.sqrt(2)
            found.append(own)
        return found[::-1]

    def _statistics(self, number: int) -> tuple[Tensor, Tensor]:
        return self.get_buffer(f"mean_{number}"), self.get_buffer(f"deviation_{number}")


class _Head(nn.Module):
    def __init__(self, width: int, text_width: int, halved: int):
        super().__init__()
        layers: list[nn.Module] = [spectral_norm(nn.Conv2d(width, width, 3, padding=1)), nn.LeakyReLU(0.2)]
        for _ in range(halved):
            layers += [spectral_norm(nn.Conv2d(width, width, 4, 2, 1)), nn.LeakyReLU(0.2)]
        self.body = nn.Sequential(*layers)
        self.real = spectral_norm(nn.Conv2d(width, 1, 1))
        self.fits = spectral_norm(nn.Linear(text_width, width, bias=False))

    def forward(self, mixed: Tensor, said: Tensor) -> Tensor:
        hidden = self.body(mixed)
        return self.real(hidden) + (hidden * self.fits(said)[..., None, None]).sum(1, keepdim=True) / hidden.shape[1]


def hinge(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """The heads' hinge loss, mean over scales: real pictures above 1, others below -1."""
    found = [F.relu(1 - a.float()).mean() + F.relu(1 + b.float()).mean() for a, b in zip(real, fake, strict=True)]
    return torch.stack(found).mean()
