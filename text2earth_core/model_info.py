"""What callers need to know of a model."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from text2earth_core.sampling.settings import FAST


@dataclass(frozen=True)
class ModelInfo:
    """What callers need to know of a model.

    window: px the UNet sees. cell: px per latent cell. channels: of the latent. halo: cells of context after which a
    part decodes as the whole does. resolutions: m/px it was trained on. steps, guidance: defaults. token_limit: longest
    prompt. inpaints: it has the 9-channel input; one without composes known latents at each step. levels: it knows what
    a resolution is. samplers: "quality", and "fast" where there is a student, which takes
    `fast_steps`. device, dtype: where and how it computes. base: hash of what adapters are made for, the student apart.
    """

    name: str
    fingerprint: str
    window: int
    cell: int
    channels: int
    halo: int
    resolutions: tuple[float, ...]
    resolution: float
    steps: int
    guidance: float
    max_steps: int
    token_limit: int
    inpaints: bool
    levels: bool
    samplers: tuple[str, ...]
    fast_steps: int
    device: str
    dtype: str
    base: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def steps_of(self, steps: int | None, sampler: str | None) -> int:
        """How many steps will be taken: those asked for, or the sampler's default."""
        return steps or (self.fast_steps if sampler == FAST else self.steps)
