"""The model's own text and image towers: how well an image fits a text (this model's CLIP score)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import load_file
from transformers import CLIPTextModel, CLIPTokenizer

from text2earth_core.data.captions import CLASSES, class_of
from text2earth_core.data.corpus import Picture
from text2earth_core.errors import Text2EarthError, reason_of
from text2earth_core.folder import load_text
from text2earth_core.networks.towers import TEST_SIDE, Towers, text_states, tokens

IMAGE_TOWER = "image_encoder"
"""Folder of the towers beside the model's parts; sampling does not need it, evaluation does."""


class AlignmentTowers:
    """Embeds images and texts into one space.

    Args:
        side: px at which images are seen. data: data sets that the towers were trained on, where that is known.
    """

    def __init__(
        self,
        tokenizer: CLIPTokenizer,
        encoder: CLIPTextModel,
        towers: Towers,
        side: int = TEST_SIDE,
        data: Sequence[str] = (),
    ):
        self.tokenizer, self.encoder, self.towers = tokenizer, encoder.eval(), towers.eval()
        self.side, self.data = side, tuple(data)

    @torch.no_grad()
    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors float32 (N, D)."""
        ids = tokens(self.tokenizer, texts)
        parts = [self.towers.embed_text(text_states(self.encoder, part)) for part in ids.split(128)]
        return torch.cat(parts).numpy()

    @torch.no_grad()
    def embed_images(self, images: Iterable[np.ndarray]) -> np.ndarray:
        """Unit vectors float32 (N, D) of uint8 (H, W, 3) images, seen whole."""
        remaining, found = iter(images), []
        size = (self.side, self.side)
        while part := list(islice(remaining, 128)):
            small = [cv2.resize(np.ascontiguousarray(image), size, interpolation=cv2.INTER_AREA) for image in part]
            found.append(self.towers.embed_image(torch.from_numpy(np.stack(small))))
        return torch.cat(found).numpy()

    def embed_classes(self, names: Sequence[str]) -> np.ndarray:
        """Unit vectors float32 (N, D): the middle of the wordings by which people ask for a class."""
        middles = np.stack([self.embed_texts(CLASSES.get(name, (name,))).mean(0) for name in names])
        return middles / np.linalg.norm(middles, axis=1, keepdims=True)

    def score(self, images: Sequence[np.ndarray], texts: Sequence[str]) -> float:
        """100 x mean cosine between each image and its text."""
        return clip_score(self.embed_images(images), self.embed_texts(texts))


def load_towers(folder: Path) -> AlignmentTowers:
    """The towers of a model folder: `image_encoder/` beside `text_encoder/`.

    Raises:
        Text2EarthError: the folder has none, or they do not fit its text encoder or this program.
    """
    place = folder / IMAGE_TOWER
    if not (place / "config.json").is_file():
        raise Text2EarthError(
            f"{folder} has no {IMAGE_TOWER}/, the towers beside its text encoder: train them with "
            "`text2earth train text --lock-text`."
        )
    tokenizer, encoder = load_text(folder)
    try:
        config = json.loads((place / "config.json").read_text())
        towers = Towers(**config["towers"])
        towers.load_state_dict(load_file(place / "model.safetensors"))
        if towers.sizes["states"] != 2 * encoder.config.hidden_size:
            raise ValueError("made for another text encoder")
        return AlignmentTowers(tokenizer, encoder.float(), towers, config["side"], config["data"])
    except Exception as error:
        raise Text2EarthError(
            f"{place} does not fit ({reason_of(error)}): train the towers again with "
            "`text2earth train text --lock-text`."
        ) from None


def towers_fingerprint(folder: Path) -> str:
    """Hash of the towers' own weights: two folders with the same one and the same text encoder score alike."""
    file = folder / IMAGE_TOWER / "model.safetensors"
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16] if file.is_file() else ""


@dataclass(frozen=True)
class Named:
    """How often the nearest class was the right one: true and found class names, in the same order."""

    truth: list[str]
    found: list[str]

    @property
    def accuracy(self) -> float:
        return float(np.mean([a == b for a, b in zip(self.truth, self.found, strict=True)]))

    def by_class(self) -> dict[str, float]:
        """Share of each class's members that were named rightly."""
        pairs = list(zip(self.truth, self.found, strict=True))
        return {name: float(np.mean([b == a for a, b in pairs if a == name])) for name in sorted(set(self.truth))}


def zero_shot(towers: AlignmentTowers, pictures: Sequence[Picture]) -> Named:
    """Name each image by the class, of those that occur, whose wordings are nearest."""
    truth = [class_of(picture.label) for picture in pictures]
    return nearest_class(towers, towers.embed_images(picture.pixels for picture in pictures), truth)


def nearest_class(towers: AlignmentTowers, vectors: np.ndarray, truth: Sequence[str]) -> Named:
    """Name vectors (N, D) by the nearest of the classes in `truth`."""
    names = sorted(set(truth))
    nearest = (vectors @ towers.embed_classes(names).T).argmax(1)
    return Named(list(truth), [names[index] for index in nearest])


def clip_score(images: np.ndarray, texts: np.ndarray) -> float:
    """100 x mean cosine of paired unit vectors (N, D)."""
    if images.shape != texts.shape:
        raise ValueError(f"{images.shape} images and {texts.shape} texts are not pairs")
    return float(100 * (images * texts).sum(1).mean())
