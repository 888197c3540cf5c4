"""The model's own text and image towers: how well an image fits a text (this model's CLIP score)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import load_file

from text2earth_core.errors import Text2EarthError
from text2earth_core.folder import load_text
from text2earth_core.training.text import IMAGE_TOWER, SIDE, Towers


class AlignmentTowers:
    """Embeds images and texts into one space; lies in a model folder as `image_encoder/` beside `text_encoder/`."""

    def __init__(self, folder: Path):
        place = folder / IMAGE_TOWER
        if not (place / "config.json").is_file():
            raise Text2EarthError(
                f"{folder} has no {IMAGE_TOWER}/, the image tower of its text training: run `text2earth train text "
                "--resume` on it once more to write it."
            )
        self.tokenizer, text = load_text(folder)
        self.towers = Towers(text, json.loads((place / "config.json").read_text())["width"]).eval()
        weights = load_file(place / "model.safetensors")
        missing = self.towers.load_state_dict(weights, strict=False).missing_keys
        if any(not name.startswith("text.") for name in missing):
            raise Text2EarthError(f"{place} does not fit this program: train the text tower again.")

    @torch.no_grad()
    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors float32 (N, D)."""
        ids = self.tokenizer(list(texts), padding="max_length", truncation=True, return_tensors="pt").input_ids
        return np.concatenate([self.towers.embed_text(part).numpy() for part in ids.split(128)])

    @torch.no_grad()
    def embed_images(self, images: Iterable[np.ndarray]) -> np.ndarray:
        """Unit vectors float32 (N, D) of uint8 (H, W, 3) images, seen whole."""
        remaining, found = iter(images), []
        while part := list(islice(remaining, 128)):
            small = [
                cv2.resize(np.ascontiguousarray(image), (SIDE, SIDE), interpolation=cv2.INTER_AREA) for image in part
            ]
            pixels = torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2).float() / 255
            found.append(self.towers.embed_image(pixels).numpy())
        return np.concatenate(found)

    def score(self, images: Sequence[np.ndarray], texts: Sequence[str]) -> float:
        """100 x mean cosine between each image and its text."""
        return clip_score(self.embed_images(images), self.embed_texts(texts))


def clip_score(images: np.ndarray, texts: np.ndarray) -> float:
    """100 x mean cosine of paired unit vectors (N, D)."""
    if images.shape != texts.shape:
        raise ValueError(f"{images.shape} images and {texts.shape} texts are not pairs")
    return float(100 * (images * texts).sum(1).mean())
