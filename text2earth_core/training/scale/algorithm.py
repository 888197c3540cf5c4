"""The paper's Algorithm 1: denoising with text and level dropped by chance, for a batch whose draws are all made."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import DDIMScheduler
from torch import Tensor
from torch.nn import functional as F

from text2earth_core.networks.thumbnail_vae import CELL
from text2earth_core.sampling.angles import angles_of
from text2earth_core.training.denoising import Noised, squared_errors
from text2earth_core.training.encoding import Encoder
from text2earth_core.training.scale.batches import Part
from text2earth_core.training.windows import Conditioned


class Algorithm1:
    """Scores windows. Holds the frozen parts, on `device`."""

    def __init__(self, encoder: Encoder, scheduler: DDIMScheduler, device: torch.device) -> None:
        self._encoder, self._device = encoder, device
        encoder.to(device)
        self._prediction = scheduler.config.prediction_type
        self._known = angles_of(scheduler.alphas_cumprod).to(device)
        self._grey = encoder.encode(torch.full((1, 3, CELL, CELL), 0.5, device=device), torch.zeros(1))[0, :, 0, 0]

    def losses(self, unet: Any, part: Part) -> Tensor:
        """Mean squared error of each sample, (B,)."""
        noised = self._noised(part)
        return squared_errors(noised.ask(unet), noised.target, torch.ones_like(noised.target[:, :1]))

    @torch.no_grad()
    def _noised(self, part: Part) -> Noised:
        pixels = part.pixels().to(self._device)
        masks, noise, draws = (
            torch.stack([getattr(one, name) for one in part.samples]).to(self._device)
            for name in ("mask", "noise", "draws")
        )
        clean = self._encoder.encode(pixels, draws[:, 0])
        shown = None
        if not self._encoder.cellwise:
            hidden = F.interpolate(masks, scale_factor=CELL, mode="nearest") > 0.5
            shown = self._encoder.encode(pixels.masked_fill(hidden, 0.5), draws[:, 1])
        embeddings = self._encoder.text.embed([one.text for one in part.samples]).to(self._device)
        levels = torch.tensor([one.level for one in part.samples], device=self._device)
        given = Conditioned(clean, masks, self._grey, embeddings, levels, shown)
        times = torch.tensor([one.time for one in part.samples], device=self._device)
        angles = self._known[(times * len(self._known)).long().clamp(max=len(self._known) - 1)]
        return Noised(given, noise, angles, self._known, self._prediction)
