"""A row as a training sample: everything that is drawn for it is drawn by its position, on whichever process it is.

So any split of a batch over processes and micro-batches, and any resumed run, meets the same crops, masks and noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from text2earth_core.data.captions import clean
from text2earth_core.data.corpus import Picture, decode_image, random_crop
from text2earth_core.data.sources.faults import DAMAGED, NO_IMAGE, SEA
from text2earth_core.data.sources.git10m import Row
from text2earth_core.data.sources.likeness import is_open_sea
from text2earth_core.errors import Text2EarthError
from text2earth_core.networks.thumbnail_vae import CELL
from text2earth_core.sampling.conditioning import NULL_LEVEL, level_of
from text2earth_core.training.masks import random_mask

TOO_SMALL = "image is smaller than the window"

DROPPED = 0.1
"""Of the texts, and independently of the levels (paper, Algorithm 1)."""


class Unusable(Exception):
    """A row whose image cannot be trained on; the message is the reason, under which it is counted."""


@dataclass(frozen=True)
class Sample:
    """pixels: uint8 (side, side, 3). text: "" where it was dropped. level: 0 where it was. mask: float32 (1, h, w).
    noise: (4, h, w). draws: (2, 4, h, w), by which a KL autoencoder draws the latents of the picture, and of that
    with its masked part painted grey. time: from 0 to 1, even."""

    pixels: Tensor
    text: str
    level: float
    mask: Tensor
    noise: Tensor
    draws: Tensor
    time: float


def sample_of(row: Row, image: bytes, place: str, side: int, seed: int, position: int) -> Sample:
    """The sample at a position.

    Raises:
        Unusable: its image is missing, damaged, too small or open sea.
    """
    if not image:
        raise Unusable(NO_IMAGE)
    try:
        pixels = decode_image(image, place)
    except Text2EarthError:
        raise Unusable(DAMAGED) from None
    if min(pixels.shape[:2]) < side:
        raise Unusable(TOO_SMALL)
    if is_open_sea(pixels):
        raise Unusable(SEA)
    rng = np.random.default_rng((seed, 1, position))
    crop, resolution = random_crop(Picture(pixels, "", (row.caption,), row.resolution, ""), side, rng)
    cells = side // CELL
    mask = random_mask(cells, rng)
    without_text, without_level = rng.random(2) < DROPPED
    drawn = torch.from_numpy(rng.standard_normal((3, 4, cells, cells), dtype=np.float32))
    return Sample(
        torch.from_numpy(crop),
        "" if without_text else clean(row.caption),
        NULL_LEVEL if without_level or resolution is None else level_of(resolution),
        torch.from_numpy(mask)[None],
        drawn[0],
        drawn[1:],
        float(rng.random()),
    )
