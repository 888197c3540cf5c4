"""A UNet to begin with: another model's, made to take an inpainting window and a level, and to say what it said."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from torch import nn

from text2earth_core.folder import load_unet

CHANNELS = 9


def starting_unet(folder: Path) -> UNet2DConditionModel:
    """The UNet of a model folder, float32, with 9 input channels and a level embedding.

    Where it has 4 channels, the weights of the others are zero, as the authors did with Stable Diffusion 2; where it
    has no level embedding, the last layer of a new one is. So it begins by saying just what it said.
    """
    unet = load_unet(folder).float()
    if unet.config.in_channels == CHANNELS and unet.config.class_embed_type == "timestep":
        return unet
    changed = dict(unet.config) | {"in_channels": CHANNELS, "class_embed_type": "timestep"}
    wide: UNet2DConditionModel = UNet2DConditionModel.from_config(changed)
    weights = unet.state_dict()
    old = weights["conv_in.weight"]
    weights["conv_in.weight"] = torch.cat([old, old.new_zeros(len(old), CHANNELS - old.shape[1], *old.shape[2:])], 1)
    wide.load_state_dict(weights, strict=False)
    if unet.config.class_embed_type is None:
        nn.init.zeros_(wide.class_embedding.linear_2.weight)
        nn.init.zeros_(wide.class_embedding.linear_2.bias)
    return wide
