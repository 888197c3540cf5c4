"""What a critic is shown of pictures: moved, turned, in other light, so that it must look at what is there.

Differentiable augmentation (Zhao et al. 2020): of the same kinds for real pictures and for others, with gradients.
Colours are varied so far that a picture cannot pass for real by more contrast alone.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

MOVED = 1 / 8
"""Of the side, at most. By single pixels: a critic must not know where the cells of the latent begin."""

LIGHT, COLOUR, CONTRAST = 0.1, 0.3, 0.3
"""At most so much is added to all of a picture, and so much of saturation and of contrast comes or goes."""


def augment(pixels: Tensor) -> Tensor:
    """Draw anew how each of the pictures (B, 3, H, W) in [0, 1] is seen; what may leave that range is not cut off."""
    shown = torch.stack([_move(_turn(picture)) for picture in pixels])

    def vary(amount: float) -> Tensor:
        return amount * (2 * torch.rand(len(shown), 1, 1, 1, device=shown.device) - 1)

    grey = shown.mean(1, keepdim=True)
    shown = grey + (1 + vary(COLOUR)) * (shown - grey)
    middle = shown.mean((1, 2, 3), keepdim=True)
    return middle + (1 + vary(CONTRAST)) * (shown - middle) + vary(LIGHT)


def _turn(picture: Tensor) -> Tensor:
    way = int(torch.randint(8, ()))
    turned = torch.rot90(picture, way % 4, (1, 2))
    return turned.flip(2) if way >= 4 else turned


def _move(picture: Tensor) -> Tensor:
    """Cut out of the picture with its mirrored surroundings, off the middle."""
    side = picture.shape[-1]
    reach = round(MOVED * side)
    down, across = (int(at) for at in torch.randint(2 * reach + 1, (2,)))
    around = F.pad(picture, (reach,) * 4, mode="reflect")
    return around[:, down : down + side, across : across + side]
