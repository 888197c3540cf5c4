"""The network of enhancement: residual-in-residual dense blocks (ESRGAN, Wang et al. 2018; Real-ESRGAN, 2021).

Parts are named as in the official weights, so that their state dict loads as it is. Read as far as `RRDBNet.forward`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

RESIDUAL = 0.2
"""What a block finds is added by this share, so that many of them can be stacked."""

SLOPE = 0.2
"""Of the leaky rectifiers below 0."""

OWN_KEYS = ("conv_first.weight", "body.0.rdb1.conv1.weight", "conv_up1.weight", "conv_last.weight")
"""By these a state dict is known to be one of this network."""


@dataclass(frozen=True)
class Shape:
    """Sizes of an `RRDBNet`: features between blocks, blocks, features that a convolution adds, and the scale.

    over_bicubic: what it finds is added to the picture enlarged by bicubic interpolation. The official networks make
    the whole picture; a small one that learns for minutes is better off with what needs no learning.
    """

    features: int = 64
    blocks: int = 23
    growth: int = 32
    scale: int = 2
    over_bicubic: bool = False

    @property
    def shuffle(self) -> int:
        """Pixels along the squares that become channels first: the body always makes four times what it sees."""
        return 4 // self.scale

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor], over_bicubic: bool = False) -> Shape:
        """Read off a state dict; ValueError where it is not one of this network."""
        if not all(key in tensors and tensors[key].ndim == 4 for key in OWN_KEYS):
            raise ValueError("its tensors are not named as those of RRDBNet")
        features, channels = tensors["conv_first.weight"].shape[:2]
        shuffle = {3: 1, 12: 2, 48: 4}.get(channels)
        if shuffle is None or tensors["conv_last.weight"].shape[0] != 3:
            raise ValueError(f"it takes {channels} channels and makes {len(tensors['conv_last.weight'])}, not colours")
        blocks = 1 + max(int(found[1]) for key in tensors if (found := re.match(r"body\.(\d+)\.", key)))
        growth = len(tensors["body.0.rdb1.conv1.weight"])
        return cls(features, blocks, growth, 4 // shuffle, over_bicubic)


class RRDBNet(nn.Module):
    """Enlarges pictures by `Shape.scale`, 1, 2 or 4.

    forward: pixels (B, 3, H, W) in [0, 1], H and W multiples of `Shape.shuffle` -> (B, 3, scale H, scale W), about in
    [0, 1] and not cut off.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        features = shape.features
        self.conv_first = _convolution(3 * shape.shuffle**2, features)
        self.body = nn.Sequential(*(_Block(features, shape.growth) for _ in range(shape.blocks)))
        self.conv_body = _convolution(features, features)
        self.conv_up1, self.conv_up2 = _convolution(features, features), _convolution(features, features)
        self.conv_hr, self.conv_last = _convolution(features, features), _convolution(features, 3)

    def forward(self, pixels: Tensor) -> Tensor:
        seen = F.pixel_unshuffle(pixels, self.shape.shuffle)
        first = self.conv_first(seen)
        x = first + self.conv_body(self.body(first))
        for enlarge in (self.conv_up1, self.conv_up2):
            x = _rectified(enlarge(F.interpolate(x, scale_factor=2, mode="nearest")))
        made = self.conv_last(_rectified(self.conv_hr(x)))
        return made + enlarged(pixels, self.shape.scale) if self.shape.over_bicubic else made


class _Block(nn.Module):
    """Three dense blocks, one after the other, and what they find by a share."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = (_Dense(features, growth) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        return x + RESIDUAL * self.rdb3(self.rdb2(self.rdb1(x)))


class _Dense(nn.Module):
    """Five convolutions, each of which sees what all before it found."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        self.conv1, self.conv2, self.conv3, self.conv4 = (
            _convolution(features + number * growth, growth) for number in range(4)
        )
        self.conv5 = _convolution(features + 4 * growth, features)

    def forward(self, x: Tensor) -> Tensor:
        found = x
        for convolution in (self.conv1, self.conv2, self.conv3, self.conv4):
            found = torch.cat([found, _rectified(convolution(found))], 1)
        return x + RESIDUAL * self.conv5(found)


def begun(shape: Shape) -> RRDBNet:
    """A network to be trained: its blocks begin small, and one over bicubic begins as bicubic interpolation.

    A tenth of the usual spread keeps a stack of dense blocks stable (Wang et al. 2018, section 3.1).
    """
    network = RRDBNet(shape)
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, SLOPE)
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]
            if name.startswith("body."):
                module.weight.data *= 0.1
    if shape.over_bicubic:
        nn.init.zeros_(network.conv_last.weight)
    return network


def enlarged(pixels: Tensor, scale: int) -> Tensor:
    """Pictures (B, C, H, W) enlarged by bicubic interpolation, in 32 bits."""
    if scale == 1:
        return pixels.float()
    return F.interpolate(pixels.float(), scale_factor=scale, mode="bicubic", align_corners=False)


def _convolution(before: int, after: int) -> nn.Conv2d:
    return nn.Conv2d(before, after, 3, padding=1)


def _rectified(x: Tensor) -> Tensor:
    return F.leaky_relu(x, SLOPE)
