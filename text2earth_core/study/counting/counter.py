"""A counter of objects, learned from counts alone: a small network whose answer for each cell adds up to the number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from text2earth_core.alignment import load_towers
from text2earth_core.errors import Text2EarthError, reason_of
from text2earth_core.networks.residual import residual_body
from text2earth_core.study.counting.labels import Labelled
from text2earth_core.study.counting.words import KINDS
from text2earth_core.whole_file import whole_file

WIDTH = 24
"""Of the network: that of the shipped image tower, from which it can begin."""

RATE = 1e-3

MOSAICS = 0.35
"""Share of training images that are put together of four: they hold what the four do, more than captions ever tell."""

COUNTED = 0.7
"""Share of training images on which something is, and not nothing."""

Progress = Callable[[str, int, int], None]


class Counter(nn.Module):
    """Pixels in [0, 1] (B, 3, h, w) to numbers of each kind (B, kinds), none below 0."""

    def __init__(self, width: int = WIDTH, kinds: int = len(KINDS)):
        super().__init__()
        self.body = residual_body(width)
        self.head = nn.Conv2d(8 * width, kinds, 1)
        assert self.head.bias is not None
        nn.init.constant_(self.head.bias, -3.0)  # a few objects in all cells together

    @classmethod
    def begun(cls, seed: int, towers: Path | None) -> Counter:
        """An untrained one, with the body of a model folder's image tower where it is given.

        Raises:
            Text2EarthError: the folder has no towers.
        """
        torch.manual_seed(seed)
        counter = cls()
        if towers is not None:
            counter.body.load_state_dict(load_towers(towers).towers.image.body.state_dict())
        return counter

    def forward(self, pixels: Tensor) -> Tensor:
        return F.softplus(self.head(self.body((pixels - 0.4) / 0.2))).sum((2, 3))


def train(
    counter: Counter, known: Labelled, steps: int, batch: int, seed: int, device: torch.device, progress: Progress
) -> Counter:
    """AdamW with a cosine on the Poisson likelihood of known counts; images are turned, mirrored and put together.

    Raises:
        Text2EarthError: no image has a count.
    """
    rng = np.random.default_rng(seed)
    draws = [_Draw.of(column) for column in known.counts.T]
    kinds = [number for number, draw in enumerate(draws) if len(draw.some)]
    if not kinds:
        raise Text2EarthError("No caption of the training images tells a number of objects: a counter cannot learn.")
    counter.to(device).train()
    optimizer = torch.optim.AdamW(counter.parameters(), RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps, pct_start=0.1)
    for step in range(steps):
        chosen = [int(kinds[number]) for number in rng.integers(len(kinds), size=batch)]
        parts = [_drawn(known, draws[kind], rng) for kind in chosen]
        told = torch.from_numpy(np.stack([counts for _, counts in parts])).to(device)
        found = counter(_unit(np.stack([pixels for pixels, _ in parts]), device))
        sure = ~torch.isnan(told)
        loss = F.poisson_nll_loss(found[sure], told[sure], log_input=False)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(counter.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 10 == 9:
            progress("Training the counter", step + 1, steps)
    return counter.eval()


@torch.no_grad()
def count(counter: Counter, pixels: np.ndarray, device: torch.device, batch: int = 64) -> np.ndarray:
    """int (N, kinds): objects in images uint8 (N, side, side, 3)."""
    counter.eval()
    parts = [counter(_unit(pixels[at : at + batch], device)).cpu().numpy() for at in range(0, len(pixels), batch)]
    return np.rint(np.concatenate(parts)).astype(int) if parts else np.zeros((0, len(KINDS)), int)


def measured(counter: Counter, others: Labelled, usual: np.ndarray, device: torch.device) -> list[dict[str, Any]]:
    """How good a counter is on images that it never saw, kind by kind and on all together, where there is at least one.

    Args:
        usual: (kinds,) the most frequent number in training, to compare with.

    Returns:
        {"kind", "images", "exact", "within_one", "error" (mean absolute), "usual_exact", "usual_error"} of each kind,
        of all, and of all images with two objects and more.
    """
    found = count(counter, others.pixels, device)
    rows, all_pairs = [], []
    for number, kind in enumerate(KINDS):
        known = np.flatnonzero(others.counts[:, number] >= 1)
        if not len(known):
            continue
        told = others.counts[known, number].astype(int)
        pairs = np.stack([told, found[known, number], np.full(len(known), usual[number])], axis=1)
        all_pairs.append(pairs)
        rows.append({"kind": kind.name} | _told(pairs))
    if not rows:
        return []
    together = np.concatenate(all_pairs)
    several = together[together[:, 0] > 1]
    rows.append({"kind": "all"} | _told(together))
    return [*rows, {"kind": "all, two and more"} | _told(several)] if len(several) else rows


def usual_of(counts: np.ndarray) -> np.ndarray:
    """int (kinds,): of each kind the most frequent number from one on; 1 where there is none."""
    return np.array([_most(column[column >= 1].astype(int)) for column in counts.T])


def save(counter: Counter, path: Path) -> None:
    """Write the weights as a whole."""
    with whole_file(path) as part:
        save_file(counter.state_dict(), part)


def load(path: Path, device: torch.device) -> Counter:
    """Read what `save` wrote; Text2EarthError where it is damaged or of another size."""
    counter = Counter()
    try:
        counter.load_state_dict(load_file(path))
    except Exception as error:  # safetensors' own kinds, and torch's of what does not fit
        raise Text2EarthError(f"{path} is no counter of this study ({reason_of(error)}): delete it.") from None
    return counter.to(device).eval()


def _most(numbers: np.ndarray) -> int:
    return int(np.bincount(numbers).argmax()) if len(numbers) else 1


def _told(pairs: np.ndarray) -> dict[str, Any]:
    told, found, usual = pairs.T
    return {
        "images": len(told), "exact": float((told == found).mean()),
        "within_one": float((abs(told - found) <= 1).mean()), "error": float(abs(told - found).mean()),
        "usual_exact": float((told == usual).mean()),
        "usual_error": float(abs(told - usual).mean()),
    }  # fmt: skip


@dataclass(frozen=True)
class _Draw:
    """Images of which a kind's count is known: those with some, how often each is drawn, and those with none."""

    some: np.ndarray
    spread: np.ndarray
    none: np.ndarray

    @classmethod
    def of(cls, counts: np.ndarray) -> _Draw:
        some = np.flatnonzero(counts >= 1)
        numbers = counts[some].astype(int)
        weights = 1 / np.sqrt(np.bincount(numbers)[numbers])  # rare numbers more often
        return cls(some, weights / weights.sum(), np.flatnonzero(counts == 0))

    def one(self, rng: np.random.Generator) -> int:
        if len(self.none) and rng.random() >= COUNTED:
            return int(rng.choice(self.none))
        return int(rng.choice(self.some, p=self.spread))


def _drawn(known: Labelled, draw: _Draw, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """An image and its counts; of four put together what is unknown in one is unknown in all."""
    chosen = [draw.one(rng) for _ in range(4 if rng.random() < MOSAICS else 1)]
    parts = [_turned(known.pixels[one], rng) for one in chosen]
    return parts[0] if len(parts) == 1 else _mosaic(parts), known.counts[chosen].sum(axis=0)


def _turned(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    turned = np.rot90(pixels, int(rng.integers(4)))
    turned = turned[:, ::-1] if rng.random() < 0.5 else turned
    light = rng.uniform(0.8, 1.2, (1, 1, 3)) * rng.uniform(0.8, 1.2)
    return np.clip(turned * light, 0, 255).astype(np.uint8)


def _mosaic(parts: list[np.ndarray]) -> np.ndarray:
    side = len(parts[0])
    top, low = side // 2, side - side // 2
    sizes = [(top, top), (low, top), (top, low), (low, low)]  # width, height
    small = [cv2.resize(part, size, interpolation=cv2.INTER_AREA) for part, size in zip(parts, sizes, strict=True)]
    return np.concatenate([np.concatenate(small[:2], axis=1), np.concatenate(small[2:], axis=1)])


def _unit(pixels: np.ndarray, device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels)).to(device).permute(0, 3, 1, 2).float() / 255
