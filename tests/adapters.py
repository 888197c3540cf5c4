"""Adapters with random weights, for tests that are not about what they have learned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig

from text2earth_core import Text2Earth
from text2earth_core.adapters.manifest import ATTENTION, RANK, Manifest
from text2earth_core.folder import load_unet
from text2earth_core.modalities import MODALITIES, RGB


def write_adapter(
    folder: Path, base: Path, modality: str = RGB, seed: int = 0, rank: int = RANK, **settings: Any
) -> Path:
    """An adapter for the model in the folder `base`: of a modality, with a manifest, or a style, without one.

    `settings` are peft's.
    """
    unet = load_unet(base)
    torch.manual_seed(seed)
    settings = {"r": rank, "lora_alpha": rank, "target_modules": list(ATTENTION)} | settings
    unet.add_adapter(LoraConfig(**settings, init_lora_weights=False))
    unet.save_lora_adapter(folder)
    if modality != RGB:
        info = Text2Earth.from_pretrained(base).info
        Manifest(modality, MODALITIES[modality].bands, info.base, info.name, rank, ATTENTION).write(folder)
    return folder
