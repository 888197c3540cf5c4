"""Loaded networks brought to where `fit` has them compute, with what waits in main memory left there."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from transformers import CLIPTextModel

from text2earth_core.machine.fit import LAYERS, NOTHING, Fit

_MAIN = torch.device("cpu")


def settle(
    unet: UNet2DConditionModel, vae: AutoencoderKL | AutoencoderTiny, text_encoder: CLIPTextModel, fit: Fit
) -> CLIPTextModel:
    """Bring UNet and autoencoder to their place, and return the text encoder at its own.

    A text tower that has to wait computes in main memory: it is asked once for a prompt. The small autoencoder of a
    thumbnail stays in float32, for its colours are exact.
    """
    settle_unet(unet, fit)
    precision = torch.float32 if isinstance(vae, AutoencoderTiny) else fit.dtype
    _bring(vae.eval(), precision, fit, waits=fit.waiting != NOTHING)
    return text_encoder.to(fit.device if fit.waiting == NOTHING else _MAIN, torch.float32).eval()


def settle_unet(unet: UNet2DConditionModel, fit: Fit) -> None:
    """Bring a UNet to its place."""
    if fit.slicing:
        unet.set_attention_slice("max")  # head by head; "auto" halves their number, which may be 1
    _bring(unet.eval(), fit.dtype, fit, waits=fit.waiting == LAYERS)


def _bring(network: Any, precision: torch.dtype, fit: Fit, waits: bool) -> None:
    if not waits:
        network.to(fit.device, precision)
        return
    network.to(_MAIN, precision)
    network.enable_group_offload(onload_device=fit.device, offload_device=_MAIN, offload_type="leaf_level")
