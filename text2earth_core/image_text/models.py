"""One door to image-text models: the shipped towers, any SigLIP or CLIP of transformers, and OpenCLIP's names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from text2earth_core.alignment import IMAGE_TOWER, load_towers
from text2earth_core.errors import Text2EarthError

OPEN_CLIP_HUB = "hf-hub:"
"""How OpenCLIP writes a model of the hub that is in its own layout."""


class ImageTextModel(Protocol):
    """What embeds images and texts into one space."""

    def embed_images(self, images: Iterable[np.ndarray]) -> np.ndarray:
        """Unit vectors float32 (N, D) of uint8 (H, W, 3) images, seen whole."""

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors float32 (N, D)."""


def load_image_text_model(source: str | Path, device: str | None = None) -> ImageTextModel:
    """The model behind a name.

    Args:
        source: a folder of this program's models, whose towers are taken; a folder that transformers wrote (SigLIP,
            CLIP or another with both towers); an OpenCLIP name, `ARCHITECTURE/TAG` or `hf-hub:OWNER/NAME`; or the id
            of such a transformers model on the hub, `lcybuaa/Git-RSCLIP` for one.
        device: see `pick_device`; the shipped towers stay on the CPU.

    Raises:
        Text2EarthError: there is none, it cannot be loaded or fetched, or has no two towers.
    """
    folder = Path(source).expanduser()
    if (folder / IMAGE_TOWER).is_dir() or (folder / "model_index.json").is_file():
        return load_towers(folder)
    if folder.is_file():
        raise Text2EarthError(f"{folder} is one file: give the folder that holds config.json and model.safetensors.")
    if folder.is_dir():
        from text2earth_core.image_text.transformers_model import load_folder

        return load_folder(folder, device)
    from text2earth_core.image_text.open_clip_model import OpenClipModel, is_open_clip_name

    if str(source).startswith(OPEN_CLIP_HUB) or is_open_clip_name(str(source)):
        return OpenClipModel(str(source), device)
    from text2earth_core.image_text.transformers_model import fetch, load_folder

    return load_folder(fetch(str(source)), device)
