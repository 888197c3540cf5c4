"""An adapter's turns with the student, which is told how bright things are and nothing else.

An adapter learns beside the frozen UNet, and the student answers it in its own way: it has guidance built in, which
sharpens what the text says, but not what an adapter adds to it. So in every second step the same factors meet the
student at its few noise levels. Its estimate is a picture, not the mean of all that could be there, and held to single
cells it would blur; the mean of a place takes nothing from its texture.
"""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from peft import LoraConfig
from peft.tuners.lora import LoraLayer
from torch import Tensor
from torch.nn import functional as F

from text2earth_core.facts import FAST_STEPS
from text2earth_core.folder import STUDENT, load_unet, read_facts
from text2earth_core.networks.build import build_scheduler
from text2earth_core.networks.student import Student
from text2earth_core.sampling.path import noise_path
from text2earth_core.sampling.settings import FAST
from text2earth_core.training.windows import Conditioned

COARSE = 4
"""Latent cells along the squares whose means count, from the second step on. In the first there is nothing to see yet,
and only the mean of the whole window can be known."""


class StudentTurns:
    """The student of the model in `start`, with the factors of the adapter of `unet` over it."""

    def __init__(self, start: Path, unet: UNet2DConditionModel, config: LoraConfig) -> None:
        self.unet = Student.load(start / STUDENT, load_unet(start)).unet.requires_grad_(False)
        if not torch.cuda.is_available():  # see `diffusion.DiffusionObjective`
            self.unet.set_attn_processor(AttnProcessor())
        self.unet.add_adapter(config)
        trained = {name: module for name, module in unet.named_modules() if isinstance(module, LoraLayer)}
        for name, module in self.unet.named_modules():
            if isinstance(module, LoraLayer):
                module.lora_A["default"] = trained[name].lora_A["default"]
                module.lora_B["default"] = trained[name].lora_B["default"]
        self.steps = StudentSteps(start)

    def loss(self, given: Conditioned, counted: Tensor) -> Tensor:
        """Mean square of what the brightness of places misses, where `counted` (B, 1, h, w) is 1; a scalar."""
        device = given.clean.device
        self.unet.to(device)
        step = int(torch.randint(FAST_STEPS, ()))
        signal, amount, t = self.steps.at(torch.full((len(given.clean),), step))
        signal, amount = (part.to(device)[:, None, None, None] for part in (signal, amount))
        noise = torch.randn_like(given.clean)
        noisy = signal * given.clean + amount * noise
        inputs = given.inputs(noisy, given.masks)
        output = self.unet(inputs, t.to(device), given.embeddings, class_labels=given.levels).sample.float()
        missed = ((signal * noisy - amount * output - given.clean)[:, :1]) * counted
        side = (missed.shape[2], missed.shape[3]) if step == 0 else (COARSE, COARSE)
        share = F.avg_pool2d(counted, side)
        means = F.avg_pool2d(missed, side) / share.clamp(min=1e-6)
        return (means.square() * share).sum() / share.sum().clamp(min=1e-6)


class StudentSteps:
    """Noise levels and timesteps of a student's few steps."""

    def __init__(self, start: Path) -> None:
        path = noise_path(build_scheduler(), FAST_STEPS, read_facts(start), FAST)
        self._signal, self._noise, self._timesteps = (
            torch.tensor(values[:FAST_STEPS]) for values in (path.signal, path.noise, path.timesteps)
        )
        self._signal[0], self._noise[0] = 0, 1  # sampling starts from pure noise, whatever the schedule

    def at(self, step: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Signal, noise and timestep of steps (n,), each (n,)."""
        return self._signal[step], self._noise[step], self._timesteps[step]
