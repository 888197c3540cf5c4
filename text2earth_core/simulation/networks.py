"""The networks that simulate: small U-Nets, of which one gets noise to make speckle of, and its critic."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm


class SmallUNet(nn.Module):
    """Maps (B, inputs, H, W), sides multiples of 4, to one band (B, 1, H, W) around [0, 1]."""

    def __init__(self, inputs: int, widths: Sequence[int]):
        super().__init__()
        before = [inputs, *widths[:-1]]
        self.down = nn.ModuleList(_pair(b, w) for b, w in zip(before, widths, strict=True))
        self.up = nn.ModuleList(
            _pair(fine + coarse, fine) for fine, coarse in zip(widths[-2::-1], widths[:0:-1], strict=True)
        )
        self.last = nn.Conv2d(widths[0], 1, 3, padding=1, padding_mode="replicate")

    def forward(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """`generator`: not needed, as it knows no chance."""
        kept: list[Tensor] = []
        for level, layer in enumerate(self.down):
            x = layer(F.avg_pool2d(x, 2) if level else x)
            kept.append(x)
        for layer, skip in zip(self.up, kept[-2::-1], strict=True):
            x = layer(torch.cat([skip, F.interpolate(x, scale_factor=2, mode="nearest")], 1))
        return self.last(x) + 0.5


class SpeckledUNet(nn.Module):
    """As `SmallUNet`, with speckle: a smooth mean, and what a few layers make of noise and that mean on top of it.

    Apart from each other the mean follows from the picture as fast as any band does, and the speckle, which is much the
    same everywhere, needs few layers.
    """

    def __init__(self, inputs: int, widths: Sequence[int], speckle: int):
        super().__init__()
        self.mean = SmallUNet(inputs, widths)
        self.speckle = nn.Sequential(
            _pair(NOISE + 1, speckle), nn.Conv2d(speckle, 1, 3, padding=1, padding_mode="replicate")
        )

    def forward(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """`generator`: of the noise, on the CPU."""
        return self.speckled(self.mean(x), generator)

    def speckled(self, mean: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Speckle on a mean (B, 1, H, W)."""
        noise = torch.randn((len(mean), NOISE, *mean.shape[2:]), generator=generator).to(mean)
        return mean + self.speckle(torch.cat([mean, noise], 1))


NOISE = 2
"""Channels of noise that speckle is made of."""


def _pair(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1, padding_mode="replicate"), nn.LeakyReLU(0.1, inplace=True),
        nn.Conv2d(after, after, 3, padding=1, padding_mode="replicate"), nn.LeakyReLU(0.1, inplace=True),
    )  # fmt: skip


def nir_network() -> SmallUNet:
    """From colours to near infrared."""
    return SmallUNet(3, (16, 32, 64))


def sar_network() -> SpeckledUNet:
    """From grey to backscatter with speckle."""
    return SpeckledUNet(1, (16, 32, 64), 24)


class PairCritic(nn.Module):
    """Scores patches of a measured band beside the grey picture of its place, at full and at half size.

    forward: (B, 1, H, W) both -> two score maps; higher is more real (pix2pix, Isola et al. 2017).
    """

    def __init__(self, width: int = 32):
        super().__init__()
        self.fine, self.coarse = _patches(width), _patches(width)

    def forward(self, grey: Tensor, band: Tensor) -> list[Tensor]:
        seen = torch.cat([grey, band], 1) * 2 - 1
        return [self.fine(seen), self.coarse(F.avg_pool2d(seen, 2))]


def _patches(width: int) -> nn.Sequential:
    shapes = [(2, width, 2), (width, 2 * width, 2), (2 * width, 2 * width, 1)]
    layers: list[nn.Module] = []
    for before, after, stride in shapes:
        layers += [spectral_norm(nn.Conv2d(before, after, 4 if stride == 2 else 3, stride, 1)), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, spectral_norm(nn.Conv2d(2 * width, 1, 3, padding=1)))
