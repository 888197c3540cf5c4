"""Regenerating part of one picture, with everything outside mask + feather kept bit for bit."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from text2earth_core.errors import Text2EarthError
from text2earth_core.modalities import MODALITIES, RGB, Modality, get_modality
from text2earth_core.networks.thumbnail_vae import CELL
from text2earth_core.pictures import as_mask, as_rgb, picture_of
from text2earth_core.sampling.differential import remake
from text2earth_core.sampling.feather import blend, feather_weight
from text2earth_core.sampling.leading import Lead, lead_in
from text2earth_core.sampling.model_view import ModelView
from text2earth_core.sampling.noise import world_noise
from text2earth_core.sampling.settings import Sampling
from text2earth_core.sampling.stepper import StepCallback

UNET_MULTIPLE = 64


def inpaint_image(
    model: ModelView,
    image: Image.Image,
    mask: Image.Image,
    prompt: str,
    sampling: Sampling,
    *,
    strength: float,
    feather: int,
    callback: StepCallback | None = None,
) -> Image.Image:
    """See `Text2Earth.inpaint`."""
    if not 0 < strength <= 1:
        raise Text2EarthError(f"A strength of {strength} is not possible: give more than 0 up to 1 (anew).")
    task = prepare(model, image, mask, feather, sampling.seed, get_modality(sampling.layer))
    share = sampling.follow if sampling.follow is not None else float(bool(prompt.strip()))
    given: dict[str, Any] = {
        "known": task.known,
        "noise": task.noise,
        "lead": _lead(task, share, sampling.seed),
        "callback": callback,
    }
    if strength == 1:
        made = model.denoise(prompt, sampling, mask=task.mask, masked=task.masked, **given)
    else:
        made = remake(model, prompt, sampling, degree=strength * task.mask, **given)
    return finish(model, task, made)


@dataclass(frozen=True)
class Task:
    """A picture that is to be regenerated in part.

    original: uint8 (H, W, 3), a single band three times. weight: of new pixels, float32 (H, W). known, noise:
    (4, h, w), padded to what the UNet can halve. mask: (h, w), 1 = regenerate. masked: see `Text2Earth.denoise`.
    """

    original: np.ndarray
    weight: np.ndarray
    known: Tensor
    mask: Tensor
    noise: Tensor
    masked: Tensor | None
    modality: Modality
    seed: int


def prepare(
    model: ModelView,
    image: Image.Image,
    mask: Image.Image,
    feather: int,
    seed: int,
    modality: Modality = MODALITIES[RGB],
) -> Task:
    """Everything of `Text2Earth.inpaint` that comes before denoising.

    Raises:
        Text2EarthError: picture, mask and feather do not go together.
    """
    if max(image.size) > 2048:
        raise Text2EarthError(
            f"An image of {image.width}x{image.height} px is too large: cut it to at most 2048 px a side."
        )
    if feather < 0:
        raise Text2EarthError("The feather must not be negative.")
    original, chosen = modality.to_rgb(modality.to_bands(as_rgb(image))), as_mask(mask) >= 128
    if original.shape[:2] != chosen.shape:
        (height, width), (rows, columns) = original.shape[:2], chosen.shape
        raise Text2EarthError(f"Image ({width}x{height}) and mask ({columns}x{rows}), both upright, differ in size.")
    if not chosen.any():
        raise Text2EarthError("The mask is empty: paint white where the image should change.")
    weight = feather_weight(chosen, feather)
    pixels = _pad(original)
    known = model.encode(pixels, modality.name)
    cells = cells_touched(_pad(weight) > 0)
    noise = world_noise(seed, 0, 0, known.shape[2], known.shape[1])
    masked = (
        None
        if model.facts.thumbnail or not model.info.inpaints
        else model.encode(_paint_grey(pixels, cells), modality.name)
    )
    return Task(original, weight, known, torch.from_numpy(cells.astype(np.float32)), noise, masked, modality, seed)


def _lead(task: Task, follow: float, seed: int) -> Lead | None:
    """All ground counts as foreign to the prompt: a picture does not say what it was made of."""
    made = task.mask.numpy() > 0
    return lead_in(made, np.ones_like(made), follow, seed, 0, 0)


def finish(model: ModelView, task: Task, made: Tensor) -> Image.Image:
    """Decode denoised latents and blend them into the picture, which stays bit-identical outside mask + feather."""
    painted = task.modality.to_rgb(model.decode(made, task.modality.name, task.seed))
    height, width = task.original.shape[:2]
    blended = blend(task.original, painted[:height, :width], task.weight)
    return picture_of(task.modality.to_bands(blended))


def cells_touched(changed: np.ndarray) -> np.ndarray:
    """Latent cells (H/8, W/8) of which any pixel changes; sides must be multiples of 8."""
    height, width = changed.shape
    return np.any(changed.reshape(height // CELL, CELL, width // CELL, CELL), axis=(1, 3))


def _paint_grey(pixels: np.ndarray, cells: np.ndarray) -> np.ndarray:
    return np.where(np.kron(cells, np.ones((CELL, CELL), bool))[..., None], np.uint8(128), pixels)


def _pad(array: np.ndarray) -> np.ndarray:
    """Repeat the right and lower border up to sides that the UNet can halve."""
    bottom, right = (-side % UNET_MULTIPLE for side in array.shape[:2])
    return np.pad(array, ((0, bottom), (0, right)) + ((0, 0),) * (array.ndim - 2), mode="edge")
