"""What a trunk sees of a source: its latent (an exact thumbnail and a learned channel), its detail, and the task."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from text2earth_core.modalities import LUMA
from text2earth_core.networks.thumbnail_vae import CELL
from text2earth_core.translation.tasks import TASKS, Task

LATENT = 4
DETAIL = CELL * CELL
KNOWN = LATENT + DETAIL
"""The channel that says which share of a cell is known."""

CONTRAST = 0.15
"""Standard deviation, of 1, to which the detail of a cell is scaled."""

ROOM = 16
"""Tasks that a trunk can be told."""

CHANNELS = KNOWN + 1 + ROOM


def condition_of(
    task: Task, pixels: np.ndarray, known: np.ndarray, encode: Callable[[np.ndarray], Tensor], grey: Tensor
) -> Tensor:
    """float32 (CHANNELS, h, w) of a source uint8 (8h, 8w, bands), known where `known` bool (8h, 8w) is set.

    A convolution at the latent's resolution sees every pixel of a cell in a channel of its own, so that no structure is
    lost on the way; where nothing is known stands grey without detail.

    Args:
        encode: of pixels uint8 (8h, 8w, 3), see `Codec.encode`. grey: (4,), the latent of mid-grey.
    """
    rgb = np.where(known[..., None], task.sees.to_rgb(pixels), np.uint8(128))
    return assemble(task, encode(rgb), torch.from_numpy(rgb), torch.from_numpy(known), grey)


def assemble(task: Task, latents: Tensor, rgb: Tensor, known: Tensor, grey: Tensor) -> Tensor:
    """The channels of `condition_of` from the latents (4, h, w), rgb (8h, 8w, 3) and known (8h, 8w) of a source."""
    share = F.avg_pool2d(known.float()[None, None], CELL)
    light = (rgb.float() @ torch.tensor(LUMA, dtype=torch.float32, device=rgb.device) / 255_000)[None, None]
    detail = F.pixel_unshuffle(light, CELL)
    detail = (detail - detail.mean(1, keepdim=True)) / CONTRAST
    latents = torch.where(share[0] > 0, latents, grey.to(latents)[:, None, None])
    told = torch.zeros(1, ROOM, *share.shape[2:], device=rgb.device)
    told[:, list(TASKS).index(task.name)] = 1
    return torch.cat([latents[None], detail * (share > 0), share, told], 1)[0]


def held_channels(task: Task) -> int:
    """How many of the latent's channels, from the first on, a source with a thumbnail says for certain."""
    return {"luma": 1, "coarse": 3}.get(task.holds, 0)


def guessed_channels(task: Task) -> int:
    """How many of them are left to the first guess: all of the thumbnail, where the source says nearly all of it.

    Not the colours of a panchromatic picture or of radar: of these there are many, and a regression makes them grey.
    """
    return 0 if task.holds in ("luma", "coarse") or task.source == "sar" else 3
