"""What is known of a model besides its weights, and the limits within which models and requests lie."""

from dataclasses import dataclass, replace
from typing import Any

MAX_STEPS = 200
MAX_GUIDANCE = 30.0
WEIGHTS_FILE = "pytorch_lora_weights.safetensors"
"""The name diffusers gives to a UNet's LoRA: of the student, and of adapters."""

FAST_STEPS = 4
"""Steps that a student is trained for; it cannot take others."""
MAX_SIDE = 2048
SIDE_STEP = 64
"""The UNet halves its input of side / 8 three times."""
MIN_RESOLUTION, MAX_RESOLUTION = 0.05, 1000.0
"""m/px."""


@dataclass(frozen=True)
class ModelFacts:
    """Properties of a model that its parts' configs do not hold, stored beside them in `text2earth.json`.

    The defaults are those of the official release, whose folder has no such file.

    window: px that the UNet sees. resolutions: m/px it was trained on. resolution: the default m/px of a new scene.
    steps, guidance: sampling defaults. guidance_rise: see `conditioning.guidance_at`. multistep: sample along even
    angles, to second order with the quality sampler, and not as DDIM does through the scheduler's timesteps.
    noise_kept: by the quality sampler, see `sampling.NoisePath.clean`. thumbnail: the latent's first three channels are
    an exact thumbnail. samples: images seen in training; student_samples: by its student.
    """

    version: int = 1
    name: str = "text2earth"
    window: int = 256
    resolutions: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
    resolution: float = 1.0
    steps: int = 50
    guidance: float = 4.0
    guidance_rise: float = 0.0
    multistep: bool = False
    noise_kept: float = 0.0
    thumbnail: bool = False
    samples: int = 0
    student_samples: int = 0


_RESOLUTIONS = (MIN_RESOLUTION, MAX_RESOLUTION)

_LIMITS = {
    "window": (64, MAX_SIDE), "resolutions": _RESOLUTIONS, "resolution": _RESOLUTIONS, "steps": (1, MAX_STEPS),
    "guidance": (1, MAX_GUIDANCE), "guidance_rise": (0, 1), "noise_kept": (0, 0.5),
}  # fmt: skip
"""Lowest and highest values of facts, each part of those that have several."""


def mini_facts(**changes: Any) -> ModelFacts:
    """Facts of the models trained here: a thumbnail in the latent, 20 second-order steps, guidance rising about 3."""
    facts = ModelFacts(
        steps=20,
        guidance=3.0,
        guidance_rise=2 / 3,
        multistep=True,
        noise_kept=0.01,
        thumbnail=True,
        resolutions=(0.3, 0.5, 1.0, 2.0, 4.0),
    )
    return replace(facts, **changes)


def stable_diffusion_facts(cells: Any) -> ModelFacts:
    """Facts of a model without levels, such as Stable Diffusion; `cells`: of its latent, as its UNet's config says."""
    side = cells * 8 if isinstance(cells, int) and not cells % 8 and 64 <= cells * 8 <= MAX_SIDE else 512
    return ModelFacts(name="stable-diffusion", window=side, resolutions=(), guidance=7.5)


def is_possible(name: str, value: Any) -> bool:
    """Whether a fact read from a file is of its field's kind and within reason."""
    usual = getattr(ModelFacts, name)
    if not isinstance(usual, tuple):
        value, usual = (value,), (usual,)
    if not isinstance(value, tuple) or len(value) > 32:
        return False
    kind, (low, high) = type(usual[0]), _LIMITS.get(name, (0, 1e12))
    kinds = (int, float) if kind is float else (kind,)
    return all(type(one) in kinds and (kind is str or low <= one <= high) for one in value)
