"""Noise keyed by place: a cell of the world has the same noise for a seed, whatever window looks at it."""

import numpy as np
import torch
from torch import Tensor

BLOCK = 32
"""Latent cells along the side of a block that one generator fills."""


def world_noise(seed: int, x: int, y: int, w: int, h: int, channels: int = 4) -> Tensor:
    """Standard normal noise of the cells x..x+w, y..y+h of an unbounded plane.

    Args:
        seed: any integer. x, y: latent-cell coordinates of the top left, possibly negative. w, h: size in cells.

    Returns:
        float32 (channels, h, w); a function of (seed, cell) alone, on every platform.
    """
    out = np.empty((channels, h, w), np.float32)
    for by in range(y // BLOCK, (y + h - 1) // BLOCK + 1):
        for bx in range(x // BLOCK, (x + w - 1) // BLOCK + 1):
            key = [seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF, bx & 0xFFFFFFFF, by & 0xFFFFFFFF]
            block = np.random.Generator(np.random.Philox(np.random.SeedSequence(key))).standard_normal(
                (channels, BLOCK, BLOCK), np.float32
            )
            left, top = max(x, bx * BLOCK), max(y, by * BLOCK)
            right, bottom = min(x + w, (bx + 1) * BLOCK), min(y + h, (by + 1) * BLOCK)
            out[:, top - y : bottom - y, left - x : right - x] = block[
                :, top - by * BLOCK : bottom - by * BLOCK, left - bx * BLOCK : right - bx * BLOCK
            ]
    return torch.from_numpy(out)
