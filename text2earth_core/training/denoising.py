"""The loss of denoising at given noise levels, for whatever a UNet predicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from text2earth_core.sampling.angles import timesteps_at
from text2earth_core.training.windows import Conditioned


class Noised:
    """A batch at drawn noise levels, as a UNet is asked and what it should say.

    Args:
        noise: like `given.clean`. angles: (B,), of the noise levels. known: rising angles of the schedule's timesteps.
        prediction: what the UNet predicts, in diffusers' words.

    given: the batch. target: what the UNet should say.
    """

    def __init__(self, given: Conditioned, noise: Tensor, angles: Tensor, known: Tensor, prediction: str):
        signal, amount = torch.cos(angles)[:, None, None, None], torch.sin(angles)[:, None, None, None]
        self.given, self._t = given, timesteps_at(angles, known)
        self._inputs = given.inputs(signal * given.clean + amount * noise, given.masks)
        match prediction:
            case "epsilon":
                self.target = noise
            case "v_prediction":
                self.target = signal * noise - amount * given.clean
            case _:
                self.target = given.clean

    def ask(self, unet: Any) -> Tensor:
        """What a UNet predicts, float32 (B, 4, h, w)."""
        given = self.given
        return unet(self._inputs, self._t, given.embeddings, class_labels=given.levels).sample.float()


def squared_errors(output: Tensor, target: Tensor, counted: Tensor, channels: Sequence[int] | None = None) -> Tensor:
    """Mean squared error of each window, (B,), where `counted` (B, 1, h, w) is not 0, over some channels or all."""
    wrong = output - target if channels is None else (output - target)[:, list(channels)]
    error = wrong.square().mean(1, keepdim=True) * counted
    return error.sum((1, 2, 3)) / counted.sum((1, 2, 3))
