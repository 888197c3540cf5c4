"""A model's folder without what a new UNet makes invalid."""

from __future__ import annotations

import shutil
from pathlib import Path

from text2earth_core.folder import STUDENT

LEFT_OUT = ("unet", STUDENT, "adapters", "translator", "runs", ".*", "*.md", "*.msgpack", "*.bin", "*.ckpt")
"""Student, adapters and translators were made for the former UNet."""


def copy_model(start: Path, out: Path) -> None:
    """Copy all parts of a model but its UNet, and what hangs on it; what is there already is written over."""
    shutil.copytree(start, out, ignore=shutil.ignore_patterns(*LEFT_OUT), dirs_exist_ok=True)
