"""How long a tile takes: one clock for our samplers and for anything they are compared with."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch

from text2earth_core.model import Text2Earth
from text2earth_core.networks.thumbnail_vae import CELL
from text2earth_core.sampling.noise import world_noise
from text2earth_core.sampling.settings import Sampling
from text2earth_core.sampling.stepper import Stepper

PROMPT = "farmland by a river"


def median_seconds(work: Callable[[], object], repeat: int, device: torch.device, warm_up: int = 1) -> float:
    """Median wall time of `work` after `warm_up` runs that do not count; waits for an accelerator."""
    times = []
    for number in range(warm_up + repeat):
        _wait(device)
        started = time.perf_counter()
        work()
        _wait(device)
        if number >= warm_up:
            times.append(time.perf_counter() - started)
    return statistics.median(times)


def tile_seconds(model: Text2Earth, sampler: str = "quality", repeat: int = 3, steps: int | None = None) -> float:
    """One window from text to pixels with a sampler's own defaults."""
    seeds = iter(range(10_000))

    def make() -> None:
        model.generate(PROMPT, resolution=1.0, seed=next(seeds), sampler=sampler, steps=steps)

    return median_seconds(make, repeat, model.unet.device)


@torch.no_grad()
def part_seconds(model: Text2Earth, repeat: int = 5) -> dict[str, float]:
    """One forward pass of the UNet for one window without guidance, and one decode of it."""
    side = model.info.window // CELL
    latents = world_noise(0, 0, 0, side, side)
    text = model.text.embed([PROMPT]).to(model.unet.dtype)
    inputs = torch.zeros(1, model.unet.config.in_channels, side, side, dtype=model.unet.dtype, device=model.unet.device)
    level = torch.tensor([17.0], device=model.unet.device)
    time_step = torch.tensor(500, device=model.unet.device)
    return {
        "unet": median_seconds(
            lambda: model.unet(inputs, time_step, text, class_labels=level), repeat, model.unet.device
        ),
        "decode": median_seconds(lambda: model.decode(latents), repeat, model.unet.device),
    }


def step_seconds(model: Text2Earth, sampler: str = "quality", patience: float = 2.0) -> float:
    """One denoising step of one window as the canvas takes it, guidance included; the faster of two, or one long one.

    Args:
        patience: seconds; a first step that takes longer is the measurement.
    """
    side = model.info.window // CELL
    stepper = Stepper(model, [PROMPT], Sampling(sampler=sampler))
    noise, mask = world_noise(0, 0, 0, side, side)[None], torch.ones(1, 1, side, side)

    def step() -> None:
        stepper.step(0, noise, None, mask, torch.ones(1, 1))

    first = median_seconds(step, 1, model.unet.device, warm_up=0)
    return first if first > patience else min(first, median_seconds(step, 3, model.unet.device, warm_up=0))


def decode_seconds(model: Text2Earth) -> float:
    """One window from latents to pixels, after one that does not count."""
    side = model.info.window // CELL
    latents = world_noise(0, 0, 0, side, side)
    return median_seconds(lambda: model.decode(latents), 1, model.unet.device)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()
