"""LoRA files that other trainers write for Stable Diffusion, under diffusers' names."""

from __future__ import annotations

import torch
from torch import Tensor

FOREIGN = ("lora_unet_", "lora_te_")
"""How keys begin that kohya's trainers, and others after them, write."""


def in_diffusers_names(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors under the names of the UNet's layers, each layer's alpha among them.

    Raises:
        ValueError, KeyError: a key stands for no layer.
    """
    from diffusers.loaders import StableDiffusionLoraLoaderMixin
    from diffusers.utils import convert_unet_state_dict_to_peft

    converted, alphas = StableDiffusionLoraLoaderMixin.lora_state_dict(dict(tensors))[:2]
    numbers = {
        f"{name.removesuffix('.alpha').removesuffix('.lora_A.weight')}.alpha": torch.tensor(float(value))
        for name, value in convert_unet_state_dict_to_peft(alphas or {}).items()
    }
    return convert_unet_state_dict_to_peft(converted) | numbers
