"""A LoRA on a frozen UNet, trained as the UNet was: text to image, extension and edits.

What it learns is told by the subclasses: another modality (`lora`), or a user's own pictures (`finetune`). UNet,
autoencoder and text tower stay what they are, so that one base takes all adapters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from peft import LoraConfig
from peft.tuners.lora import LoraLayer
from safetensors.torch import save_file
from torch import Tensor, nn

from text2earth_core.adapters.manifest import RANK, Manifest
from text2earth_core.adapters.weights import metadata_of
from text2earth_core.facts import WEIGHTS_FILE
from text2earth_core.folder import load_scheduler, load_unet, read_facts
from text2earth_core.sampling.angles import angles_of
from text2earth_core.training.denoising import Noised, squared_errors
from text2earth_core.training.foreign_ground import swap_ground
from text2earth_core.training.loop import Objective
from text2earth_core.training.noise_levels import LossShares
from text2earth_core.training.windows import Windows


class DenoisingObjective(Objective):
    """Denoising of windows by a model's UNet, at noise levels that a subclass draws.

    Attributes:
        windows: of the pictures; set by the subclass.
    """

    windows: Windows

    def __init__(self, name: str, start: Path, window: int):
        """`start`: the model's folder. window: px."""
        self.name, self.start, self.window = name, start, window
        self.facts = read_facts(start)
        scheduler = load_scheduler(start)
        self.prediction = scheduler.config.prediction_type
        self.known = angles_of(scheduler.alphas_cumprod)
        self.unet = training_unet(start)
        self.trainable: Any = self.unet
        self.shares = LossShares()

    def network(self) -> Any:
        """What is asked: what is trained, as the loop has wrapped it."""
        return self.trainable

    def draw_angles(self, count: int) -> Tensor:
        """Noise levels of a batch as angles, (count,)."""
        raise NotImplementedError

    def judged(self) -> Sequence[int] | None:
        """The latent's channels that count; None for all."""
        return None

    def loss(self, batch: dict[str, Any], seen: int) -> tuple[Tensor, dict[str, float]]:
        noised, counted, angles = self.noised(batch, next(self.trainable.parameters()).device)
        per_sample = squared_errors(noised.ask(self.network()), noised.target, counted, self.judged())
        self.shares.add(angles, per_sample)
        return per_sample.mean(), self.shares.named()

    def noised(self, batch: dict[str, Any], device: torch.device) -> tuple[Noised, Tensor, Tensor]:
        """A batch at drawn noise levels; what of it counts, (B, 1, h, w); and the levels, (B,)."""
        given = self.windows.condition(batch, device)
        counted = torch.ones_like(given.masks)
        if self.windows.cellwise:
            clean, masks, counted = swap_ground(given.clean, given.masks)
            given = replace(given, clean=clean, masks=masks)
        noise = torch.randn_like(given.clean)
        self.known = self.known.to(device)
        angles = self.draw_angles(len(noise))
        return Noised(given, noise, angles, self.known, self.prediction), counted, angles


class LowRankObjective(DenoisingObjective):
    """The same with all weights frozen but those of an adapter."""

    def __init__(self, name: str, start: Path, window: int, layers: Sequence[str]):
        """`layers`: those that are adapted, by the end of their names; the rest as before."""
        super().__init__(name, start, window)
        torch.manual_seed(0)
        self.layers = tuple(layers)
        self.config = LoraConfig(r=RANK, lora_alpha=RANK, target_modules=list(layers))
        self.unet.requires_grad_(False)
        self.unet.add_adapter(self.config)
        self.trainable = layers_of(self.unet)

    def network(self) -> UNet2DConditionModel:
        return self.unet.to(next(self.trainable.parameters()).device)

    def write(self, averaged: nn.Module, out: Path, manifest: Manifest) -> None:
        """Write the factors as diffusers does, in bfloat16, and what they are."""
        out.mkdir(parents=True, exist_ok=True)
        tensors = {
            name.replace("/", "."): tensor.to(torch.bfloat16).contiguous().cpu()
            for name, tensor in averaged.state_dict().items()
        }
        save_file(tensors, out / WEIGHTS_FILE, metadata_of(self.config))
        manifest.write(out)


def training_unet(folder: Path) -> UNet2DConditionModel:
    """The UNet of a model folder in float32, with what makes its training fast on the machine.

    One of full size keeps few of its activations and computes the others again.
    """
    unet = load_unet(folder).float()
    if not torch.cuda.is_available():
        # The fused kernel's backward pass is slow on a CPU for the few tokens of a training window (12 % a step).
        unet.set_attn_processor(AttnProcessor())
    if sum(parameter.numel() for parameter in unet.parameters()) > FULL_SIZE:
        unet.enable_gradient_checkpointing()
    return unet


FULL_SIZE = 200_000_000
"""Parameters from which a UNet's activations count in memory."""


def layers_of(unet: nn.Module) -> nn.ModuleDict:
    """The factors of a UNet's one adapter alone, so that the average and the checkpoints of a run hold nothing else."""
    return nn.ModuleDict(
        {
            name.replace(".", "/"): nn.ModuleDict({"lora_A": m.lora_A["default"], "lora_B": m.lora_B["default"]})
            for name, m in unet.named_modules()
            if isinstance(m, LoraLayer)
        }
    )
