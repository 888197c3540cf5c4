"""Known ground that does not fit: now and then the surroundings of a training window come from another image.

Otherwise context and prompt are always of one image, and the network learns to believe the context: after forest,
"farmland" comes out dark green. On the canvas a prompt often asks for other ground than what lies beside it.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

SHARE = 0.1
"""Of the windows with known ground, so many get another image's."""

NARROWEST, WIDEST = 2, 4
"""Cells on both sides of the border that the network is not shown and not scored on: there the two images meet in a
step, and it must neither see one nor learn to draw one."""


def swap_ground(
    clean: Tensor, masks: Tensor, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Put ground of other images of the batch where some windows are known.

    Args:
        clean: (B, 4, h, w) latents. masks: (B, 1, h, w), 1 = regenerate.

    Returns:
        Latents and masks as the network meets them, and (B, 1, h, w) what counts: 0 beside a border of two images.
    """
    count, device = len(clean), clean.device
    chosen = torch.rand(count, generator=generator) < SHARE
    width = int(torch.randint(NARROWEST, WIDEST + 1, (), generator=generator))
    wide, inner = _widened(masks, width), 1 - _widened(1 - masks, width)
    # Ground must remain on both sides of the hidden strip.
    fits = ((1 - wide).sum((1, 2, 3)) > 0) & (inner.sum((1, 2, 3)) > 0)
    here = (chosen.to(device) & fits)[:, None, None, None]
    ground = torch.where(masks > 0.5, clean, clean.roll(1, 0))
    counted = 1 - (wide - inner)
    return (
        torch.where(here, ground, clean),
        torch.where(here, wide, masks),
        torch.where(here, counted, torch.ones_like(counted)),
    )


def _widened(masks: Tensor, width: int) -> Tensor:
    return F.max_pool2d(masks, 2 * width + 1, stride=1, padding=width)
