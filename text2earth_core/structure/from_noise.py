"""From noise: real images half drowned in noise and denoised from there. Do their roads and rivers come back?

From little noise any denoiser brings them back, from much noise none can know where they were; but where a model knows
what a road is, there are roads again, if others. So two figures: how much of the real lines is kept, and how many
lines there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from text2earth_core.model import Text2Earth
from text2earth_core.sampling.path import even_path
from text2earth_core.structure.denoising import HeldBack, predict
from text2earth_core.structure.lines import line_likeness, ridge_correlation

LEVELS = (3.0, 1.0, 0.2)
"""Signal-to-noise ratios, of latents of unit variance, from which denoising starts."""

STEPS = 18
"""From pure noise to none in angles of 5 degrees; 30 and 45 are ratios of 3 and 1, and 65 is 0.22."""

ENLARGED = 4
"""Pixels along the side of a cell in the thumbnails that people look at."""


def from_noise(
    model: Text2Earth, held: HeldBack, seed: int = 0
) -> tuple[dict[str, dict[str, float]], list[np.ndarray]]:
    """Noise the latents to each of `LEVELS` and denoise them with their captions, without guidance.

    Returns:
        For each level, as text: "kept", the correlation of ridges with those of the real thumbnails (another real
        image's: "chance"), and "lines", line-likeness beyond that of no lines, of which real thumbnails have 1. And
        thumbnails, enlarged, uint8: a row of the real ones, then one for each level, N in each.
    """
    real = lumas(model, held.clean)
    chance = float(np.mean([ridge_correlation(a, b) for a, b in pairwise(real)]))
    found, rows = {}, [held.clean]
    for snr in LEVELS:
        made = denoise_from(model, held, snr, seed)
        thumbnails = lumas(model, made)
        kept = float(np.mean([ridge_correlation(a, b) for a, b in zip(real, thumbnails, strict=True)]))
        found[f"{snr:g}"] = {"kept": kept, "chance": chance, "lines": relative_lines(thumbnails, real)}
        rows.append(made)
    return found, [model.preview(one).repeat(ENLARGED, 0).repeat(ENLARGED, 1) for row in rows for one in row]


def denoise_from(model: Text2Earth, held: HeldBack, snr: float, seed: int = 0) -> Tensor:
    """Real latents noised to about a signal-to-noise ratio and denoised from there step by step, (N, 4, h, w)."""
    path = even_path(model.scheduler, STEPS)
    wanted = np.arctan(snr**-0.5)
    first = int(np.abs(np.arctan2(path.noise, path.signal) - wanted).argmin())
    noise = torch.randn(held.clean.shape, generator=torch.Generator().manual_seed(seed))
    latents = path.signal[first] * held.clean + path.noise[first] * noise
    before = None
    for step in range(first, STEPS):
        output = predict(model, latents, path.timesteps[step], held)
        estimate = path.clean(output, latents, step)
        latents, before = path.advance(latents, estimate, step, step + 1, before), estimate
    return latents


def lumas(model: Text2Earth, latents: Tensor) -> list[np.ndarray]:
    """Luma of the thumbnails of (N, 4, h, w) latents, each float (h, w)."""
    return [model.preview(one).astype(np.float64) @ (0.299, 0.587, 0.114) for one in latents]


def relative_lines(made: Sequence[np.ndarray], real: Sequence[np.ndarray]) -> float:
    """Line-likeness beyond 1 (no lines), over that of real pictures."""
    return (line_likeness(made) - 1) / max(line_likeness(real) - 1, 1e-6)
