"""Measures of structure: what a model knows of lines and layout, in seconds, for evaluations and for each training run.

They steer: distances between sets of pictures need thousands of them and hardly move when roads appear.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from text2earth_core.model import Text2Earth
from text2earth_core.sampling.noise import world_noise
from text2earth_core.sampling.settings import Sampling
from text2earth_core.sampling.stepper import Stepper
from text2earth_core.structure.denoising import HeldBack, held_back_errors
from text2earth_core.structure.from_noise import from_noise, lumas, relative_lines

FROM_NOISE_SHEET = "from-noise.png"

SEED = 4_000
"""Of the first drawn picture."""


def measure_structure(model: Text2Earth, held: HeldBack, drawn: int) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Errors on held-back images, from noise, and line-likeness of pictures drawn to their captions.

    Args:
        drawn: how many of the images are noised and denoised, and how many of their captions drawn.

    Returns:
        {"errors": see `held_back_errors`, "from_noise": see there, "drawn_lines": as "lines" there}, and the thumbnails
        that go with "from_noise", `drawn` in a row.
    """
    few = held.first(drawn)
    returned, thumbnails = from_noise(model, few)
    lines = relative_lines(lumas(model, draw(model, few)), lumas(model, few.clean))
    return {"errors": held_back_errors(model, held), "from_noise": returned, "drawn_lines": lines}, thumbnails


def draw(model: Text2Earth, held: HeldBack) -> torch.Tensor:
    """Latents (N, 4, h, w) of pictures drawn to the captions by the quality sampler, each of its own seed."""
    side = held.clean.shape[-1]
    noise = torch.stack([world_noise(SEED + number, 0, 0, side, side) for number in range(len(held.clean))])
    stepper = Stepper(model, held.captions, Sampling())
    return stepper.denoise(noise, torch.zeros_like(noise), torch.ones_like(noise[:, :1]), torch.eye(len(noise)), None)


def flat(found: dict[str, Any]) -> dict[str, float]:
    """The figures under one name each, for a run's log: "error_y_snr_1", "kept_snr_0.2" and the like."""
    figures = {"drawn_lines": found["drawn_lines"]}
    for snr, errors in found["errors"].items():
        y, *_, learned = errors["channels"]
        figures |= {f"error_y_snr_{snr}": y, f"error_learned_snr_{snr}": learned}
        figures |= {f"error_y_band_{number}_snr_{snr}": error for number, error in enumerate(errors["bands"])}
    for snr, returned in found["from_noise"].items():
        figures |= {f"{name}_snr_{snr}": returned[name] for name in ("kept", "lines")}
    return figures
