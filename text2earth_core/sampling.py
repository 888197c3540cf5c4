"""Sampling as pure functions over a prediction, latents and a diffusers scheduler; the noise comes from outside."""

from collections.abc import Callable

import torch
from diffusers import DDIMScheduler
from torch import Tensor

from text2earth_core.joining import join

Predict = Callable[[Tensor, Tensor], Tensor]
"""(latents (B, 4, h, w), timestep ()) -> the guided prediction of the network, of the scheduler's prediction type."""

Callback = Callable[[int, int, Tensor], None]
"""(step from 1, number of steps, estimate of the clean latents (B, 4, h, w)); it may raise `Cancelled`."""


def sample(
    predict: Predict,
    scheduler: DDIMScheduler,
    noise: Tensor,
    steps: int,
    known: Tensor | None = None,
    mask: Tensor | None = None,
    callback: Callback | None = None,
) -> Tensor:
    """Denoise from pure noise with the scheduler's own update, composing known latents at every step.

    At each step the clean estimate x0 is joined to the known latents outside the mask *before* the scheduler re-noises
    it, so that what is generated always sees its true surroundings.

    Args:
        noise: (B, 4, h, w) standard normal. known: clean latents of the same shape. mask: (B, 1, h, w), 1 = generate.

    Returns:
        Clean latents, equal to `known` wherever the mask is 0.
    """
    scheduler.set_timesteps(steps, device=noise.device)
    latents = noise * scheduler.init_noise_sigma
    for index, t in enumerate(scheduler.timesteps):
        output = predict(latents, t)
        estimate = clean_estimate(scheduler, output, latents, t)
        if known is not None and mask is not None:
            estimate = join(estimate, known, mask)
            output = network_output(scheduler, estimate, latents, t)
        latents = scheduler.step(output, t, latents, return_dict=False)[0]
        if callback is not None:
            callback(index + 1, len(scheduler.timesteps), estimate)
    if known is not None and mask is not None:
        latents = torch.where(mask > 0.5, latents, known)
    return latents


def clean_estimate(scheduler: DDIMScheduler, output: Tensor, latents: Tensor, t: Tensor) -> Tensor:
    """x0 from the network's output (epsilon, v or x0 itself) at timestep t of a variance-preserving process."""
    a, s = _coefficients(scheduler, t, latents)
    match scheduler.config.prediction_type:
        case "epsilon":
            return (latents - s * output) / a
        case "v_prediction":
            return a * latents - s * output
        case _:
            return output


def network_output(scheduler: DDIMScheduler, estimate: Tensor, latents: Tensor, t: Tensor) -> Tensor:
    """The inverse of `clean_estimate`: what the network would have said had it estimated `estimate`."""
    a, s = _coefficients(scheduler, t, latents)
    match scheduler.config.prediction_type:
        case "epsilon":
            return (latents - a * estimate) / s
        case "v_prediction":
            return (a * latents - estimate) / s
        case _:
            return estimate


def amplitudes(scheduler: DDIMScheduler, step: int) -> tuple[float, float]:
    """(a, s) of what step `step` (from 0) starts from: noisy latents are a z + s e; (1, 0) after the last step."""
    if step == len(scheduler.timesteps):
        return 1.0, 0.0
    if step == 0:
        return 0.0, float(scheduler.init_noise_sigma)  # sampling starts from pure noise, whatever the schedule
    cumulative = float(scheduler.alphas_cumprod[int(scheduler.timesteps[step])])
    return cumulative**0.5, (1 - cumulative) ** 0.5


def _coefficients(scheduler: DDIMScheduler, t: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
    """Signal and noise amplitude at timestep t (() or (B,)): z_t = a z_0 + s e, a^2 + s^2 = 1."""
    cumulative = scheduler.alphas_cumprod.to(like.device)[t].to(like.dtype).reshape(-1, 1, 1, 1)
    return cumulative.sqrt(), (1 - cumulative).sqrt()
