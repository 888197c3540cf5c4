"""Remaking known ground by degrees: from a light touch to anew, and by another degree in every cell.

Differential diffusion (Levin and Fried 2023, arXiv 2306.00950): a cell stays pinned to its known latent, noised to the
step at hand, until the part of the schedule that is left is no more than its degree; from then on it is free. A
uniform degree below 1 is what is called strength in image-to-image (SDEdit, Meng et al. 2022). The step in which a
cell's turn comes frees it by the share of that step which its degree reaches into, so that few steps leave no bands
where a mask is soft.
"""

import torch
from torch import Tensor

from text2earth_core.sampling.leading import Lead
from text2earth_core.sampling.model_view import ModelView
from text2earth_core.sampling.settings import Sampling
from text2earth_core.sampling.stepper import StepCallback, Stepper

ROUNDING = 1e-4
"""Of a share of a step: a degree of 1 must free a cell wholly in the first one."""


def remake(
    model: ModelView,
    prompt: str,
    sampling: Sampling,
    *,
    known: Tensor,
    degree: Tensor,
    noise: Tensor,
    lead: Lead | None = None,
    callback: StepCallback | None = None,
) -> Tensor:
    """Denoise one window of latents in which each cell may change by a degree of its own.

    Args:
        known: float32 (4, h, w), clean latents; any finite value where the degree is 1. degree: float32 (h, w), 0 =
            keep, 1 = anew. noise: float32 (4, h, w) standard normal. lead: see `Text2Earth.denoise`.
        callback: (step from 1, number of steps taken, estimate of the clean latents (4, h, w)); may raise `Cancelled`.

    Returns:
        float32 (4, h, w) on the CPU, equal to `known` bit for bit where the degree is 0.

    Raises:
        Text2EarthError: a setting is out of range. Cancelled: the callback raised it.
    """
    stepper = Stepper(model, [prompt], sampling)
    first = next((step for step in range(stepper.steps) if _freed(degree, stepper, step).any()), stepper.steps)
    signal, spread = stepper.amplitudes(first)
    latents, before, weights = (signal * known + spread * noise)[None], None, torch.ones(1, 1)
    for step in range(first, stepper.steps):
        # The network is told anew at every step what it may change: what is still pinned, it sees.
        freed = _freed(degree, stepper, step)
        mask = freed[None, None]
        latents, estimate = stepper.step(step, latents, known[None], mask, weights, before=before, lead=lead)
        before = torch.where(freed == 1, estimate, torch.nan)  # elsewhere it is not the network's own
        if callback is not None:
            callback(step - first + 1, stepper.steps - first, estimate[0])
    return torch.where(degree > 0, latents[0], known)


def _freed(degree: Tensor, stepper: Stepper, step: int) -> Tensor:
    """How far each cell is free at step `step` (from 0): 0 pinned, 1 wholly, between where its turn comes within it."""
    ahead, after = stepper.left(step), stepper.left(step + 1)
    share = (degree * stepper.steps - after) / (ahead - after)
    return torch.where(share > 1 - ROUNDING, 1, share).clamp(min=0)
