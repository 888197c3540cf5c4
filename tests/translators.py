"""Translators with random weights, for tests that are not about what they have learned."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from text2earth_core import Text2Earth
from text2earth_core.folder import load_unet
from text2earth_core.translation.tasks import TASKS
from text2earth_core.translation.translator import Manifest
from text2earth_core.translation.trunk import Trunk


def write_translator(folder: Path, base: Path, seed: int = 0, tasks: Sequence[str] = tuple(TASKS)) -> Path:
    """A translator for the model in the folder `base` that adds something to all it is shown."""
    trunk = Trunk.new(load_unet(base))
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in trunk.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    trunk.save(folder, torch.float32)
    info = Text2Earth.from_pretrained(base).info
    Manifest(tuple(tasks), info.base, info.name).write(folder)
    return folder
