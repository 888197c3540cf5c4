"""Features of a model's own autoencoder: what its encoder sees before it squeezes it into the latent."""

from __future__ import annotations

import numpy as np
import torch
from diffusers import AutoencoderTiny
from torch import Tensor, nn

from text2earth_core.model import Text2Earth


@torch.no_grad()
def vae_features(model: Text2Earth, pixels: np.ndarray) -> np.ndarray:
    """What goes into the encoder's last layer.

    Args:
        pixels: uint8 (H, W, 3), sides multiples of 8.

    Returns:
        float32 (C, H / 8, W / 8).
    """
    vae = model.codec.vae
    last: nn.Module = vae.encoder.layers[-1] if isinstance(vae, AutoencoderTiny) else vae.encoder.conv_out
    caught: list[Tensor] = []
    hook = last.register_forward_pre_hook(lambda _, inputs: caught.append(inputs[0]))
    try:
        image = torch.from_numpy(np.ascontiguousarray(pixels)).to(vae.device, vae.dtype).permute(2, 0, 1)[None]
        vae.encode(image / 127.5 - 1)
    finally:
        hook.remove()
    return caught[0][0].float().cpu().numpy()
