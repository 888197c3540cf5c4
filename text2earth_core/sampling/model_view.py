"""A model as sampling sees it, so that sampling need not know what else a model is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from diffusers import DDIMScheduler, UNet2DConditionModel
from torch import Tensor

from text2earth_core.adapters.library import Chosen
from text2earth_core.facts import ModelFacts
from text2earth_core.modalities import RGB
from text2earth_core.networks.codec import Codec
from text2earth_core.sampling.conditioning import TextConditioner
from text2earth_core.sampling.settings import Sampling, Settled


class InfoView(Protocol):
    """What sampling asks of `text2earth_core.model.ModelInfo`."""

    @property
    def inpaints(self) -> bool:
        """The UNet has the 9-channel input."""

    @property
    def samplers(self) -> tuple[str, ...]:
        """Those that it has."""


class ModelView(Protocol):
    """What sampling asks of `text2earth_core.model.Text2Earth`, where each of these is described."""

    codec: Codec
    facts: ModelFacts
    scheduler: DDIMScheduler
    text: TextConditioner

    @property
    def info(self) -> InfoView:
        """What callers need to know of the model."""

    @property
    def denoise(self) -> Callable[..., Tensor]:
        """One window, in all steps."""

    def settled(self, sampling: Sampling) -> Settled:
        """Settings with nothing left open, adapters included."""

    def unet_of(self, sampler: str, adapters: Chosen = ()) -> UNet2DConditionModel:
        """The network that a sampler asks, with adapters."""

    def encode(self, pixels: np.ndarray, modality: str = RGB) -> Tensor:
        """Pixels (H, W, 3) uint8 to latents (4, H/8, W/8)."""

    def decode(self, latents: Tensor, modality: str = RGB, seed: int = 0, at: tuple[int, int] = (0, 0)) -> np.ndarray:
        """Latents (4, h, w) to pixels (8h, 8w, bands) uint8."""
