"""SigLIP, CLIP and their like as transformers writes them, Git-RSCLIP among them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from text2earth_core.device import pick_device
from text2earth_core.errors import Text2EarthError, reason_of
from text2earth_core.layouts import variant_of, weights_there

BATCH = 16
"""Images or texts at a time: large towers on a CPU hold some 100 MB an image."""

FILES = ("*.json", "*.safetensors", "*.txt", "*.model")
"""Of a model on the hub: never its pickles."""


class TransformersModel:
    """Both towers of a model of transformers, with its own preprocessing.

    Args:
        model: has `get_image_features` and `get_text_features`. processor: made for it.
    """

    def __init__(self, model: Any, processor: Any):
        self.model, self.processor = model.eval(), processor
        limits = (processor.tokenizer.model_max_length, model.config.text_config.max_position_embeddings)
        self.length = min(limits)

    @torch.no_grad()
    def embed_images(self, images: Iterable[np.ndarray]) -> np.ndarray:
        """Unit vectors float32 (N, D) of uint8 (H, W, 3) images, prepared as the model's own processor does."""
        remaining, found = iter(images), []
        while part := [Image.fromarray(image) for image in islice(remaining, BATCH)]:
            pixels = self.processor.image_processor(part, return_tensors="pt")
            found.append(_unit(self.model.get_image_features(**pixels.to(self.model.device))))
        return np.concatenate(found)

    @torch.no_grad()
    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors float32 (N, D); padded to the full length, for SigLIP has never seen another one."""
        found = []
        for start in range(0, len(texts), BATCH):
            tokens = self.processor.tokenizer(
                list(texts[start : start + BATCH]), padding="max_length", truncation=True, max_length=self.length,
                return_tensors="pt",
            )  # fmt: skip
            found.append(_unit(self.model.get_text_features(**tokens.to(self.model.device))))
        return np.concatenate(found)

    def logits(self, images: np.ndarray, texts: np.ndarray) -> np.ndarray:
        """The model's own scores (N, M) of unit vectors (N, D) and (M, D): scaled cosines, with SigLIP's bias."""
        bias = getattr(self.model, "logit_bias", None)
        return images @ texts.T * self.model.logit_scale.exp().item() + (0.0 if bias is None else bias.item())


def load_folder(folder: Path, device: str | None = None) -> TransformersModel:
    """Load a folder with `config.json`, safetensors and the files of its processor.

    Raises:
        Text2EarthError: it holds none, is damaged, or is no model of images and texts.
    """
    place = pick_device(device)
    if not list(folder.glob("*.safetensors")):
        raise Text2EarthError(
            f"{folder} holds no .safetensors weights but {weights_there(folder)}: other formats are not loaded, "
            "convert them first."
        )
    from transformers import AutoModel, AutoProcessor

    try:
        kind = json.loads((folder / "config.json").read_bytes())["model_type"]
        model = AutoModel.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, trust_remote_code=False, variant=variant_of(folder),
            dtype=torch.float32,
        )  # fmt: skip
    except Exception as error:
        raise Text2EarthError(f"{folder} cannot be loaded as a model of transformers: {reason_of(error)}.") from None
    if not (hasattr(model, "get_image_features") and hasattr(model, "get_text_features")):
        raise Text2EarthError(f"{folder} is a {kind}, which has no towers for images and texts: give a SigLIP or CLIP.")
    try:
        processor = AutoProcessor.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        return TransformersModel(model.to(place), processor)
    except Exception as error:
        raise Text2EarthError(
            f"The tokenizer or image processor of {folder} cannot be loaded: {reason_of(error)}."
        ) from None


def fetch(hub_id: str) -> Path:
    """The local copy of a model on the hub, fetched where it is not there yet.

    Raises:
        Text2EarthError: there is no such folder, and no such model can be had.
    """
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(hub_id, allow_patterns=list(FILES)))
    except Exception:
        raise Text2EarthError(
            f"There is no folder {hub_id}, OpenCLIP has no model of that name, and none could be fetched from the hub: "
            "check the name and the network."
        ) from None


def _unit(features: Any) -> np.ndarray:
    """Of a tensor, or of an output whose pooled part is the embedding (transformers 5)."""
    vectors: Tensor = features if isinstance(features, Tensor) else features.pooler_output
    return F.normalize(vectors.float(), dim=-1).cpu().numpy()
