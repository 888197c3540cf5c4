"""Translating one picture at once, in memory; regions of any size are filled window by window (`canvas.fill`)."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from PIL import Image

from text2earth_core.errors import Text2EarthError
from text2earth_core.facts import MAX_SIDE
from text2earth_core.pictures import as_rgb, picture_of
from text2earth_core.sampling.model_view import ModelView
from text2earth_core.sampling.noise import world_noise
from text2earth_core.sampling.settings import Sampling
from text2earth_core.sampling.stepper import Stepper
from text2earth_core.translation.condition import condition_of
from text2earth_core.translation.holding import hold
from text2earth_core.translation.tasks import get_task
from text2earth_core.translation.translator import Translators

UNET_MULTIPLE = 64

NO_GUIDANCE = 1.0
"""Guidance is about the text, and a translation is about the picture."""


class TranslatingView(ModelView, Protocol):
    """A model with a translator."""

    translators: Translators


def translate(
    model: TranslatingView,
    image: Image.Image,
    task: str,
    prompt: str = "",
    resolution: float | None = None,
    seed: int = 0,
    steps: int | None = None,
    guidance: float | None = None,
    sampler: str = "quality",
) -> Image.Image:
    """A picture of the task's target of the same size, made from one of its source.

    Args:
        image: up to 2048 px a side. A finer picture (sr2, sr4) is made of one that was enlarged before.
        resolution: m/px. prompt: what is there, where somebody knows.
        guidance: default: none.

    Raises:
        Text2EarthError: the model cannot do it, or a setting is out of range.
    """
    chosen = get_task(task)
    control = model.translators.get(chosen)
    if max(image.size) > MAX_SIDE:
        raise Text2EarthError(f"An image of {image.width}x{image.height} px is too large: cut it to {MAX_SIDE} px.")
    pixels = chosen.sees.to_bands(as_rgb(image))
    height, width = pixels.shape[:2]
    padding = ((0, -height % UNET_MULTIPLE), (0, -width % UNET_MULTIPLE))
    padded = np.pad(pixels, (*padding, (0, 0)), mode="edge")
    known = np.ones(padded.shape[:2], bool)
    condition = condition_of(chosen, padded, known, model.encode, model.codec.grey)
    scale = NO_GUIDANCE if guidance is None and sampler == "quality" else guidance
    sampling = Sampling(
        seed=seed, steps=steps, guidance=scale, sampler=sampler, resolution=resolution, layer=chosen.target
    )
    noise = world_noise(seed, 0, 0, condition.shape[2], condition.shape[1])[None]
    latents = Stepper(model, [prompt], sampling, control).denoise(
        noise, None, torch.ones_like(noise[:, :1]), torch.ones(1, 1), None, condition=condition[None]
    )
    made = hold(chosen, model.decode(latents[0], chosen.target, seed), padded, known)
    return picture_of(made[:height, :width])
