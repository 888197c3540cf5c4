"""What is trained of a translator: first guesses of a target, and a copy of the UNet's encoder to complete them."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from torch import Tensor, nn

from text2earth_core.errors import Text2EarthError, reason_of
from text2earth_core.folder import save_part
from text2earth_core.translation.condition import CHANNELS
from text2earth_core.translation.first_guess import FirstGuess, Guess
from text2earth_core.translation.tasks import Task
from text2earth_core.translation.veil import Veil

WEIGHTS_FILE = "diffusion_pytorch_model.safetensors"

EMBEDDING = (128,)
"""Channels between the condition and the control's first layer. One number: the condition is at the latent's resolution
already, and a second would halve it."""


class Trunk(nn.Module):
    """All, as they are trained and kept; `forward` is the control's, in the way of `diffusers.ControlNetModel`."""

    def __init__(self, control: ControlNetModel, guess: FirstGuess, veil: Veil) -> None:
        super().__init__()
        self.control, self.guess, self.veil = _cast_levels(control), guess, veil

    @classmethod
    def new(cls, unet: UNet2DConditionModel) -> Trunk:
        """One whose control leaves what `unet` predicts as it is, bit for bit, until it is trained.

        Its outputs are zero at first, its view of the condition is not: with both at zero nothing would be learned of
        the condition until the outputs have grown.
        """
        control = ControlNetModel.from_unet(
            unet, conditioning_channels=CHANNELS, conditioning_embedding_out_channels=EMBEDDING
        )
        control.controlnet_cond_embedding.conv_out.reset_parameters()
        return cls(control, FirstGuess(), Veil())

    @classmethod
    def load(cls, folder: Path) -> Trunk:
        """That in a folder, in its stored precision; Text2EarthError where it is damaged or of another make."""
        try:
            control = ControlNetModel.from_pretrained(folder, use_safetensors=True, local_files_only=True)
        except Exception as error:
            raise Text2EarthError(f"The translator in {folder} cannot be loaded: {reason_of(error)}.") from None
        if control.config.conditioning_channels != CHANNELS:
            raise Text2EarthError(
                f"The translator in {folder} sees {control.config.conditioning_channels} channels, not {CHANNELS}: "
                "train it anew."
            )
        return cls(control, FirstGuess.load(folder), Veil.load(folder)).requires_grad_(False)

    def save(self, folder: Path, dtype: torch.dtype) -> None:
        """Write the control as diffusers does, and the guesses beside it."""
        self.to(dtype).control.register_to_config(_name_or_path="")
        save_part(self.control, folder)
        self.guess.save(folder)
        self.veil.save(folder)

    def guess_for(self, task: Task) -> Guess:
        """What guesses the target of a task."""
        return self.veil if task.made == "fog" else self.guess

    def forward(
        self, inputs: Tensor, t: Tensor, embeddings: Tensor, condition: Tensor, levels: Tensor
    ) -> tuple[list[Tensor], Tensor]:
        """What is added to the UNet's skips and to its middle."""
        return self.control(inputs, t, embeddings, controlnet_cond=condition, class_labels=levels, return_dict=False)


def _cast_levels(control: ControlNetModel) -> ControlNetModel:
    """Bring the embedded level to the control's precision, as the UNet does and stock ControlNetModel forgets to."""
    if control.class_embedding is not None:
        control.class_embedding.register_forward_pre_hook(
            lambda module, given: (given[0].to(control.dtype), *given[1:])
        )
    return control
