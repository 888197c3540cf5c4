"""Remaking known ground by degrees: from a light touch to anew, and by another degree in every cell.

Differential diffusion (Levin and Fried 2023, arXiv 2306.00950): a cell stays pinned to its known latent, noised to the
step at hand, until the part of the schedule that is left is no more than its degree; from then on it is free. A
uniform degree below 1 is what is called strength in image-to-image (SDEdit, Meng et al. 2022).
"""

import torch
from torch import Tensor

from text2earth_core.model import Text2Earth
from text2earth_core.sampling.stepper import StepCallback, Stepper

SOFT_STEPS = 12
"""Least number of steps for degrees that differ between cells: with few steps the ground falls into visible bands."""


def remake(
    model: Text2Earth,
    prompt: str,
    *,
    negative_prompt: str = "",
    resolution: float | None,
    steps: int | None,
    guidance: float | None,
    known: Tensor,
    degree: Tensor,
    noise: Tensor,
    callback: StepCallback | None = None,
) -> Tensor:
    """Denoise one window of latents in which each cell may change by a degree of its own.

    Args:
        known: float32 (4, h, w), clean latents; any finite value where the degree is 1. degree: float32 (h, w), 0 =
            keep, 1 = anew. noise: float32 (4, h, w) standard normal.
        callback: (step from 1, number of steps taken, estimate of the clean latents (4, h, w)); may raise `Cancelled`.

    Returns:
        float32 (4, h, w) on the CPU, equal to `known` bit for bit where the degree is 0.

    Raises:
        Text2EarthError: a setting is out of range. Cancelled: the callback raised it.
    """
    stepper = Stepper(
        model, [prompt], negative_prompt=negative_prompt, resolution=resolution, steps=steps, guidance=guidance
    )
    first = next((step for step in range(stepper.steps) if _released(degree, stepper, step).any()), stepper.steps)
    signal, spread = stepper.amplitudes(first)
    latents, before, weights = (signal * known + spread * noise)[None], None, torch.ones(1, 1)
    for step in range(first, stepper.steps):
        # The network is told anew at every step what it may change: what is still pinned, it sees.
        free = _released(degree, stepper, step)
        latents, estimate = stepper.step(step, latents, known[None], free[None, None].float(), weights, before=before)
        before = torch.where(free, estimate, torch.nan)  # of what was pinned the network was not asked
        if callback is not None:
            callback(step - first + 1, stepper.steps - first, estimate[0])
    return torch.where(_released(degree, stepper, stepper.steps - 1), latents[0], known)


def _released(degree: Tensor, stepper: Stepper, step: int) -> Tensor:
    """Which cells are free at step `step` (from 0)."""
    return degree * stepper.steps > stepper.left(step + 1)
