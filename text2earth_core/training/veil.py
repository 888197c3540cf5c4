"""The first guess of hazy pictures: optical depth and airlight of simulated fog, and the clear picture that follows."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from text2earth_core.networks.thumbnail_vae import CELL
from text2earth_core.training.first_guess import FirstGuessObjective
from text2earth_core.translation.condition import KNOWN
from text2earth_core.translation.fog import Fog
from text2earth_core.translation.veil import COLOUR, DEEPEST, Veil

DEPTH, AIRLIGHT = 1.0, 0.1
"""What errors of the optical depth and of the airlight count beside those of the clear thumbnail."""


class VeilObjective(FirstGuessObjective):
    """Distances from the clear thumbnail and from the parameters of the fog, where the source is known.

    An error of the depth is one of the logarithm of contrast: by the picture alone thick fog would be left half where
    it is, since a grey answer is never far off. `lessons` are to be of hazy pictures alone.
    """

    name = "veil"
    network = Veil

    def batch(self, size: int, rng: np.random.Generator) -> dict[str, Any]:
        examples = super().batch(size, rng)
        fogs = [Fog(**about) for about in examples["about"]]
        depth = np.stack([-np.log(fog.transmission(self.lessons.side, self.lessons.side)) for fog in fogs])
        examples["depth"] = F.avg_pool2d(torch.from_numpy(depth)[:, None], CELL).clamp(max=DEEPEST)
        examples["airlight"] = torch.tensor([fog.airlight for fog in fogs], dtype=torch.float32)
        return examples

    def loss(self, batch: dict[str, Any], seen: int) -> tuple[Tensor, dict[str, float]]:
        device = next(self.trainable.parameters()).device
        condition, clean = self.seen(batch, device)
        with torch.no_grad():
            plain = batch["airlight"].to(device)[:, :, None, None].expand(-1, -1, CELL, CELL)
            wanted = self.windows.encode(plain)[:, :COLOUR]
        known = (condition[:, KNOWN : KNOWN + 1] == 1).float()
        depth, airlight = self.trainable.estimate(condition)
        cleared = self.trainable.cleared(condition, depth, airlight)
        picture = ((cleared - clean)[:, :COLOUR].abs() * known).mean()
        deep = ((depth - batch["depth"].to(device)).abs() * known).mean()
        bright = (airlight - wanted).abs().mean()
        parts = {"picture": picture.item(), "depth": deep.item(), "airlight": bright.item()}
        return picture + DEPTH * deep + AIRLIGHT * bright, parts
