"""The improved aesthetic predictor, by which Git-10M was scored: a linear head on image embeddings of CLIP ViT-L/14.

The published heads are either one linear layer, or several without any activation between them, which are one too.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from open_clip.constants import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD
from torch import Tensor

from text2earth_core.device import pick_device
from text2earth_core.enhancement.weights import fingerprint, read_tensors
from text2earth_core.errors import Text2EarthError, reason_of
from text2earth_core.quality.scorers import AESTHETIC

DEFAULT_CLIP = "openai/clip-vit-large-patch14"

_LAYER = re.compile(r"(?:.*\.)?(\d+)\.(weight|bias)")


class Aesthetic:
    """Scores about from 1 to 10."""

    name = AESTHETIC

    def __init__(self, clip: Any, head: tuple[Tensor, Tensor], device: torch.device, mark: str) -> None:
        self._clip, self._device, self.fingerprint = clip.eval().requires_grad_(False).to(device), device, mark
        self._weight, self._bias = (part.to(device, torch.float32) for part in head)
        self._side = int(clip.config.image_size)
        self._mean, self._std = (
            torch.tensor(values, device=device)[:, None, None] for values in (OPENAI_DATASET_MEAN, OPENAI_DATASET_STD)
        )

    @classmethod
    def load(cls, head: Path, clip: str, device: str | None = None, allow_pth: bool = False) -> Aesthetic:
        """Read a head, and CLIP from a folder or the hub.

        Raises:
            Text2EarthError: either cannot be had, or they do not fit each other.
        """
        from transformers import CLIPVisionModelWithProjection
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()  # what is read in a moment needs none, and the command has its own
        tensors, _ = read_tensors(head, allow_pth)
        folded = fold(tensors, head)
        try:
            network = CLIPVisionModelWithProjection.from_pretrained(clip, use_safetensors=True)
        except (OSError, ValueError, RuntimeError) as error:
            raise Text2EarthError(
                f"CLIP cannot be had from {clip} ({reason_of(error)}): give a folder of transformers with safetensors, "
                "or leave the head out to score by sharpness."
            ) from None
        if network.config.projection_dim != folded[0].shape[1]:
            raise Text2EarthError(
                f"The head {head} wants {folded[0].shape[1]} numbers an image, and CLIP in {clip} makes "
                f"{network.config.projection_dim}: the predictor's is ViT-L/14 with 768."
            )
        mark = fingerprint(tensors) + fingerprint(dict(network.state_dict()))
        return cls(network, folded, pick_device(device), hashlib.sha256(mark.encode()).hexdigest()[:16])

    @torch.inference_mode()
    def score(self, pixels: np.ndarray) -> float:
        """The more the better; pixels: uint8 (H, W, 3) RGB."""
        embedding = self._clip(pixel_values=self._prepared(pixels)[None]).image_embeds.float()
        unit = embedding / embedding.norm(dim=-1, keepdim=True)
        return float((unit @ self._weight.T + self._bias).squeeze())

    def _prepared(self, pixels: np.ndarray) -> Tensor:
        """The middle square at CLIP's size, normalised."""
        height, width = pixels.shape[:2]
        scale = self._side / min(height, width)
        size = max(self._side, round(width * scale)), max(self._side, round(height * scale))
        shrunk = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        left, top = (size[0] - self._side) // 2, (size[1] - self._side) // 2
        square = shrunk[top : top + self._side, left : left + self._side]
        tensor = torch.from_numpy(np.ascontiguousarray(square)).to(self._device).permute(2, 0, 1).float() / 255
        return (tensor - self._mean) / self._std


def fold(tensors: dict[str, Tensor], file: Path) -> tuple[Tensor, Tensor]:
    """One linear layer of a chain of them: weight (1, D) and bias (1,).

    Raises:
        Text2EarthError: they are no such chain.
    """
    numbered: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        found = _LAYER.fullmatch(name)
        at, kind = (int(found[1]), found[2]) if found else (0, name)
        numbered.setdefault(at, {})[kind] = tensor.double()
    layers = [layer for _, layer in sorted(numbered.items())]
    try:
        weight, bias = layers[0]["weight"], layers[0]["bias"]
        for layer in layers[1:]:
            weight, bias = layer["weight"] @ weight, layer["weight"] @ bias + layer["bias"]
    except (KeyError, RuntimeError, IndexError):
        weight, bias = torch.zeros(0, 0), torch.zeros(0)
    whole = all(set(layer) == {"weight", "bias"} for layer in layers)
    if not whole or weight.ndim != 2 or weight.shape[0] != 1 or bias.shape != (1,):
        raise Text2EarthError(
            f"{file} holds no head that makes one number: linear layers one after another are wanted."
        )
    return weight, bias
