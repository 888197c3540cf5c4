"""How well a model denoises real images it has never seen, by noise level and by band of detail.

Seconds instead of the hours that distances between sets of pictures need, and paired: the same images with the same
noise for every model, so that differences of a hundredth are no chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from text2earth_core.data.captions import caption_of, spread_classes
from text2earth_core.data.corpus import Picture, load_corpus, scene_sets
from text2earth_core.device import pick_dtype
from text2earth_core.errors import Text2EarthError
from text2earth_core.model import Text2Earth
from text2earth_core.sampling.angles import angles_of, timesteps_at
from text2earth_core.sampling.conditioning import inpainting_input, level_of

SNRS = (0.05, 0.2, 1.0, 3.0, 10.0, 30.0, 100.0)
"""Signal-to-noise ratios, of latents of unit variance."""

BATCH = 16


@dataclass(frozen=True)
class HeldBack:
    """Real images as a model meets them.

    clean: (N, 4, h, w) latents. captions: N. embeddings: (N, tokens, width). levels: (N,).
    """

    clean: Tensor
    captions: tuple[str, ...]
    embeddings: Tensor
    levels: Tensor

    def first(self, count: int) -> HeldBack:
        """The first `count` of them."""
        return HeldBack(self.clean[:count], self.captions[:count], self.embeddings[:count], self.levels[:count])


def held_back_pictures(data: Path, window: int, count: int) -> list[Picture]:
    """The first `count` held-back pictures of at least `window` px, all classes in turn; none where data hold none."""
    try:
        found = load_corpus(data, "val", scene_sets(data), limit=4 * count)
    except Text2EarthError:  # none was held back, which is no mistake of a training run
        return []
    return spread_classes([picture for picture in found if min(picture.pixels.shape[:2]) >= window])[:count]


def hold_back(model: Text2Earth, pictures: Sequence[Picture], window: int) -> HeldBack:
    """Bring the largest middle square of each picture to `window` px, and encode it with its first caption."""
    clean, levels = [], []
    for picture in pictures:
        height, width = picture.pixels.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        square = np.ascontiguousarray(picture.pixels[top : top + side, left : left + side])
        clean.append(model.encode(cv2.resize(square, (window, window), interpolation=cv2.INTER_AREA)))
        levels.append(level_of(None if picture.resolution is None else picture.resolution * side / window))
    captions = tuple(caption_of(picture) for picture in pictures)
    return HeldBack(torch.stack(clean), captions, model.text.embed(captions), torch.tensor(levels))


def estimates(model: Text2Earth, held: HeldBack, snr: float, seed: int = 0) -> Tensor:
    """The model's estimates of the clean latents from noisy ones of one signal-to-noise ratio, (N, 4, h, w)."""
    known = angles_of(model.scheduler.alphas_cumprod)
    angle = torch.atan(torch.tensor([snr]) ** -0.5).clamp(known[0], known[-1])
    signal, amount = float(torch.cos(angle)), float(torch.sin(angle))
    noise = torch.randn(held.clean.shape, generator=torch.Generator().manual_seed(seed))
    noisy = signal * held.clean + amount * noise
    output = predict(model, noisy, float(timesteps_at(angle, known)), held)
    match model.scheduler.config.prediction_type:
        case "epsilon":
            return (noisy - amount * output) / signal
        case "v_prediction":
            return signal * noisy - amount * output
        case _:
            return output


@torch.no_grad()
def predict(model: Text2Earth, noisy: Tensor, timestep: float, held: HeldBack) -> Tensor:
    """The UNet's output, without guidance, where all of (N, 4, h, w) noisy latents is to be generated."""
    place, found = model.unet.device, []
    for start in range(0, len(noisy), BATCH):
        part = slice(start, start + BATCH)
        inputs = noisy[part]
        if model.info.inpaints:
            grey = model.codec.grey[:, None, None].expand_as(inputs)
            inputs = inpainting_input(inputs, torch.ones_like(inputs[:, :1]), grey)
        embeddings, levels = held.embeddings[part].to(place), held.levels[part].to(place)
        with torch.autocast(place.type, torch.bfloat16, enabled=pick_dtype(place) == torch.bfloat16):
            output = model.unet(inputs.to(place), torch.tensor(timestep), embeddings, class_labels=levels).sample
        found.append(output.float().cpu())
    return torch.cat(found)


def held_back_errors(model: Text2Earth, held: HeldBack) -> dict[str, dict[str, list[float]]]:
    """The share of each channel's variance that is not explained, by signal-to-noise ratio.

    Returns:
        For each ratio of `SNRS`, as text: "channels" of the latent; "bands" of the first channel (luma in the models
        trained here) from coarse to fine, each an octave; "linear", the first channel's by the best linear filter.
    """
    truth = _cosines(held.clean[:, :1])
    power = truth.square().mean((0, 1))
    found = {}
    for snr in SNRS:
        estimate = estimates(model, held, snr)
        wrong = (estimate - held.clean).square().mean((0, 2, 3)) / held.clean.var((0, 2, 3))
        missed = (_cosines(estimate[:, :1]) - truth).square().mean((0, 1))
        linear = (power / (1 + snr * power)).mean() / held.clean[:, 0].var()
        bands = [float(missed[band].sum() / power[band].sum()) for band in _octaves(len(power))]
        found[f"{snr:g}"] = {"channels": wrong.tolist(), "bands": bands, "linear": [float(linear)]}
    return found


def _cosines(maps: Tensor) -> Tensor:
    """Discrete cosine transform, orthonormal, of (..., n, n): unlike Fourier's it knows no step between borders."""
    n = maps.shape[-1]
    at = torch.arange(n, dtype=torch.float64)
    basis = torch.cos(torch.pi / n * at[:, None] * (at + 0.5)) * (2 / n) ** 0.5
    basis[0] /= 2**0.5
    return basis @ maps.double() @ basis.T


def _octaves(n: int) -> list[Tensor]:
    """Masks (n, n) of cosine frequencies, from coarse (the mean left out) to fine: below n / 8, n / 4, n / 2, n."""
    at = torch.arange(n)
    highest = torch.maximum(at[:, None], at)
    edges = [1, n // 8, n // 4, n // 2, n]
    return [(highest >= low) & (highest < high) for low, high in pairwise(edges) if high > low]
