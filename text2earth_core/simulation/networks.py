"""The networks that simulate: small U-Nets."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


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

    def forward(self, x: Tensor) -> Tensor:
        kept: list[Tensor] = []
        for level, layer in enumerate(self.down):
            x = layer(F.avg_pool2d(x, 2) if level else x)
            kept.append(x)
        for layer, skip in zip(self.up, kept[-2::-1], strict=True):
            x = layer(torch.cat([skip, F.interpolate(x, scale_factor=2, mode="nearest")], 1))
        return self.last(x) + 0.5


def _pair(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1, padding_mode="replicate"), nn.LeakyReLU(0.1, inplace=True),
        nn.Conv2d(after, after, 3, padding=1, padding_mode="replicate"), nn.LeakyReLU(0.1, inplace=True),
    )  # fmt: skip


def nir_network() -> SmallUNet:
    """From colours to near infrared."""
    return SmallUNet(3, (16, 32, 64))


def sar_network() -> SmallUNet:
    """From grey to backscatter without speckle."""
    return SmallUNet(1, (16, 32, 64))
