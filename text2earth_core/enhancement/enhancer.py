"""An enhancer at work: pictures in, better and larger ones out, whole or window by window with the same result."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from text2earth_core.device import pick_device
from text2earth_core.enhancement.weights import Network, load_network
from text2earth_core.errors import Text2EarthError

WEIGHTS, CARD = "enhancer.safetensors", "enhancer.json"

WINDOW = 256
"""px of a picture that are made at once."""

HALO = 32
"""px around a window that are seen and not kept; what lies further away changes a pixel by less than rounding does.
Windows see from multiples of it on, so that networks that take pixels together take the same ones everywhere."""


@dataclass(frozen=True)
class Window:
    """A part of a picture: `x`, `y`, `w`, `h` px are made, of what is seen from `left`, `top` to `right`, `bottom`."""

    x: int
    y: int
    w: int
    h: int
    left: int
    top: int
    right: int
    bottom: int


def windows(width: int, height: int) -> Iterator[Window]:
    """Windows that cover a picture row by row; one where it fits into a window and what that sees."""
    side = WINDOW if max(width, height) > WINDOW + 2 * HALO else WINDOW + 2 * HALO
    for y in range(0, height, side):
        for x in range(0, width, side):
            w, h = min(side, width - x), min(side, height - y)
            yield Window(
                x, y, w, h, max(0, x - HALO), max(0, y - HALO), min(width, x + w + HALO), min(height, y + h + HALO)
            )  # fmt: skip


class Enhancer:
    """A network and the device it computes on. It makes pictures `scale` times as large."""

    def __init__(self, network: Network, device: str | None = None, name: str = "enhancer") -> None:
        self._network, self._place = network, pick_device(device)
        network.module.to(self._place)
        self.name = name

    @classmethod
    def load(cls, source: Path, device: str | None = None, allow_pth: bool = False) -> Enhancer:
        """From a folder that `train enhancer` wrote, or a file of weights; errors as `weights.load_network`."""
        file = source / WEIGHTS if source.is_dir() else source
        if source.is_dir() and not file.is_file():
            raise Text2EarthError(f"{source} holds no {WEIGHTS}: give a file of weights, or train an enhancer.")
        return cls(load_network(file, allow_pth), device, source.name if source.is_dir() else source.stem)

    @property
    def scale(self) -> int:
        return self._network.scale

    @property
    def architecture(self) -> str:
        return self._network.architecture

    @property
    def fingerprint(self) -> str:
        """Of the weights."""
        return self._network.fingerprint

    def enhance(self, picture: np.ndarray, same_size: bool = False) -> np.ndarray:
        """uint8 (H, W, 3) RGB to uint8 (scale H, scale W, 3), or to (H, W, 3) with `same_size`: means of what is made.

        Memory is bounded by a window and by both pictures.
        """
        height, width = picture.shape[:2]
        factor = 1 if same_size else self.scale
        made = np.empty((height * factor, width * factor, 3), np.uint8)
        for part in windows(width, height):
            seen = picture[part.top : part.bottom, part.left : part.right]
            rows, columns = (
                slice(at * factor, (at + size) * factor) for at, size in ((part.y, part.h), (part.x, part.w))
            )
            made[rows, columns] = self.window(seen, part, same_size)
        return made

    def window(self, seen: np.ndarray, part: Window, same_size: bool = False) -> np.ndarray:
        """What is made of one window of a picture; `seen`: uint8 (H, W, 3), what the window sees."""
        made = self._made(seen)
        scale, x, y = self.scale, part.x - part.left, part.y - part.top
        made = made[y * scale : (y + part.h) * scale, x * scale : (x + part.w) * scale]
        if same_size:
            made = cv2.resize(made, (part.w, part.h), interpolation=cv2.INTER_AREA)
        return np.rint(made * 255).astype(np.uint8)

    @torch.inference_mode()
    def _made(self, seen: np.ndarray) -> np.ndarray:
        """float32 (scale H, scale W, 3) in [0, 1] of uint8 (H, W, 3) of any size."""
        height, width = seen.shape[:2]
        pixels = torch.from_numpy(np.ascontiguousarray(seen)).to(self._place).permute(2, 0, 1)[None].float() / 255
        pixels = _padded(pixels, self._network.multiple)
        with torch.autocast(self._place.type, torch.float16, enabled=self._place.type == "cuda"):
            made = self._network.run(pixels)
        made = made[0, :, : height * self.scale, : width * self.scale].float().clamp(0, 1)
        return np.ascontiguousarray(made.permute(1, 2, 0).cpu().numpy())


def read_card(folder: Path) -> dict[str, Any]:
    """What is known of an enhancer beside its weights; empty where nothing is, or nothing that can be read."""
    try:
        found = json.loads((folder / CARD).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _padded(pixels: Tensor, multiple: int) -> Tensor:
    """Sides up to a multiple by mirrored pixels, or by repeated ones in a picture of too few."""
    right, below = (-side % multiple for side in (pixels.shape[3], pixels.shape[2]))
    if not right and not below:
        return pixels
    mode = "reflect" if right < pixels.shape[3] and below < pixels.shape[2] else "replicate"
    return F.pad(pixels, (0, right, 0, below), mode)
