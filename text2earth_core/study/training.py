"""One training of a classifier on real images, with or without generated ones, and its accuracy on others."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from text2earth_core.device import pick_dtype


@dataclass(frozen=True)
class Pixels:
    """Labelled images: uint8 (N, side, side, 3), and their classes (N,)."""

    pixels: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


def fitted(pixels: np.ndarray, side: int) -> np.ndarray:
    """An image as classifiers see it, uint8 (side, side, 3)."""
    return cv2.resize(np.ascontiguousarray(pixels), (side, side), interpolation=cv2.INTER_AREA)


def train(
    network: nn.Module, real: Pixels, generated: Pixels | None, steps: int, batch: int, rate: float, seed: int,
    device: torch.device,
) -> nn.Module:  # fmt: skip
    """AdamW with a cosine; with generated images every batch is one half of each kind.

    Images are turned, mirrored and cropped at random: what augmentation without a model gives for nothing.
    """
    rng = np.random.default_rng(seed)
    network.to(device).train()
    optimizer = torch.optim.AdamW(network.parameters(), rate, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps, pct_start=0.1)
    for _ in range(steps):
        parts = [_drawn(real, batch if generated is None else batch // 2, rng)]
        if generated is not None:
            parts.append(_drawn(generated, batch - batch // 2, rng))
        pixels = _unit(np.concatenate([part.pixels for part in parts]), device)
        labels = torch.from_numpy(np.concatenate([part.labels for part in parts])).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=pick_dtype(device) is torch.bfloat16):
            loss = F.cross_entropy(network(pixels).float(), labels, label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return network


@torch.no_grad()
def accuracy(network: nn.Module, others: Pixels, device: torch.device, batch: int = 64) -> float:
    """Share of images that are named rightly."""
    network.eval()
    right = 0
    for start in range(0, len(others), batch):
        found = network(_unit(others.pixels[start : start + batch], device)).argmax(1).cpu().numpy()
        right += int((found == others.labels[start : start + batch]).sum())
    return right / len(others)


def _drawn(source: Pixels, count: int, rng: np.random.Generator) -> Pixels:
    chosen = rng.integers(len(source), size=count)
    side = source.pixels.shape[1]
    pixels = np.empty((count, side, side, 3), np.uint8)
    for index, number in enumerate(chosen):
        crop = int(side * rng.uniform(0.7, 1.0))
        top, left = rng.integers(0, side - crop + 1, size=2)
        part = np.rot90(source.pixels[number, top : top + crop, left : left + crop], int(rng.integers(4)))
        part = part[:, ::-1] if rng.random() < 0.5 else part
        pixels[index] = cv2.resize(np.ascontiguousarray(part), (side, side), interpolation=cv2.INTER_LINEAR)
    return Pixels(pixels, source.labels[chosen])


def _unit(pixels: np.ndarray, device: torch.device) -> Tensor:
    return (torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).float() / 255 - 0.4) / 0.2
