"""The arithmetic of sampling: between noisy latents, the network's output and clean latents, as a scheduler has it."""

from diffusers import DDIMScheduler
from torch import Tensor

QUALITY, FAST = "quality", "fast"
"""The samplers: the teacher with guidance in many steps, and the student in a few."""


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
