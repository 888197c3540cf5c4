"""A picture with so many objects: places laid out first, each then drawn as a small masked generation.

A diffusion model does not count: what a prompt of "twelve storage tanks" gives is a ground full of them. Here the
ground is made from the prompt without them, and one of them is asked for wherever a place was laid out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from PIL import Image

from text2earth_core.errors import Text2EarthError
from text2earth_core.modalities import RGB
from text2earth_core.model import Text2Earth
from text2earth_core.sampling.settings import QUALITY
from text2earth_core.study.counting.words import MOST, Counted, read_count

REACH = 0.3
"""Of a cell of the grid: the radius of a place."""

LARGEST = 0.15
"""Of the picture's side: the radius of a place where there are few."""

JITTER = 0.9
"""Of the room that a place has in its cell, so that two never touch."""

FEATHER = 4
"""px: objects have edges."""


def lay_out(number: int, side: int, seed: int) -> tuple[np.ndarray, float]:
    """Places in a square picture: a grid of cells, so many of them chosen, each with a place somewhere in it.

    Args:
        number: from 1 to `MOST`. side: px. seed: the same one gives the same places.

    Returns:
        float (number, 2) centres x, y in px, and the radius of all; discs lie in the picture and do not touch.

    Raises:
        Text2EarthError: there are too many, or none.
    """
    if not 1 <= number <= MOST:
        raise Text2EarthError(f"{number} places cannot be laid out: ask for 1 to {MOST}.")
    rng = np.random.default_rng(seed)
    columns = math.ceil(math.sqrt(number))
    rows = math.ceil(number / columns)
    if rng.random() < 0.5:
        columns, rows = rows, columns
    chosen = rng.permutation(columns * rows)[:number]
    size = np.array([side / columns, side / rows])
    radius = min(REACH * size.min(), LARGEST * side)
    room = JITTER * (size / 2 - radius)
    cells = np.stack([chosen % columns, chosen // columns], axis=1) + 0.5
    return cells * size + rng.uniform(-1, 1, (number, 2)) * room, float(radius)


def mask_of(centres: np.ndarray, radius: float, side: int) -> Image.Image:
    """A picture of mode "L", white where a disc of that radius in px is around a centre."""
    rows, columns = np.mgrid[:side, :side] + 0.5
    apart = np.hypot(columns[..., None] - centres[:, 0], rows[..., None] - centres[:, 1])
    return Image.fromarray(np.where(apart.min(axis=-1) <= radius, 255, 0).astype(np.uint8))


def draw_counted(
    model: Text2Earth,
    prompt: str | Counted,
    *,
    seed: int,
    size: int | None = None,
    resolution: float | None = None,
    steps: int | None = None,
    guidance: float | None = None,
    sampler: str = QUALITY,
    modality: str = RGB,
    adapters: Mapping[str, float] | None = None,
) -> Image.Image:
    """A picture of a prompt with a number, with as many objects as it says.

    Args:
        prompt: or what `read_count` read of it. size: px a side; default the model's window. Others as in
            `Text2Earth.generate`.

    Raises:
        Text2EarthError: the prompt has no number with an object, or a parameter is out of range.
    """
    asked = read_count(prompt) if isinstance(prompt, str) else prompt
    side = size or model.info.window
    settings = {
        "resolution": resolution, "seed": seed, "steps": steps, "guidance": guidance, "sampler": sampler,
        "modality": modality, "adapters": adapters,
    }  # fmt: skip
    (ground,) = model.generate(asked.ground, size=side, **settings)  # type: ignore[arg-type]
    mask = mask_of(*lay_out(asked.number, side, seed), side)
    return model.inpaint(ground, mask, asked.one, feather=FEATHER, **settings)  # type: ignore[arg-type]
