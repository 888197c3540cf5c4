"""Translations of held-back examples against their targets: PSNR, SSIM, and a distance in a pretrained network's eyes.

Real pairs where there are some of a task's kind, else conditions made of held-back images. Beside the model stands what
needs no training: the source as it is for super-resolution (there it is bicubic enlargement already), the dark channel
for haze, and histogram matching to training targets for all others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F
from torchmetrics.functional.image import structural_similarity_index_measure

from text2earth_core.data.corpus import load_corpus
from text2earth_core.errors import Text2EarthError
from text2earth_core.evaluation.context import Context
from text2earth_core.evaluation.dark_channel import dehazed
from text2earth_core.evaluation.reconstruction import psnr
from text2earth_core.model import Text2Earth
from text2earth_core.networks.eyes import NAME, Eyes
from text2earth_core.training.grids import tile_images
from text2earth_core.translation.examples import Example, from_colours, from_pair, possible, real_pairs
from text2earth_core.translation.picture import translate
from text2earth_core.translation.tasks import TASKS, Task

SIDE = 192
"""Of the examples that are made of images, px: at most, and multiples of `MULTIPLE`."""

MULTIPLE = 16

IMAGES = 32
"""Examples of each task, as far as the plan has as many images."""

ROWS, CELL = 3, 128
"""Of the sheet: examples of each task, and the side of a picture, px."""

Way = Callable[[np.ndarray], np.ndarray]
"""uint8 (H, W, bands of a source) to uint8 (H, W, bands of a target)."""


@dataclass(frozen=True)
class Held:
    """Held-back examples of a task, and whether they are measured pairs."""

    task: Task
    examples: list[Example]
    real: bool


def translation(context: Context) -> dict[str, Any]:
    """The table of every task that the model's translator knows."""
    if not context.translation:
        return {"missing": "not asked for: --translation measures it"}
    model = context.model
    if not model.translators.tasks:
        return {"missing": "This model has no translator: make one with `text2earth train translator`."}
    try:
        eyes = Eyes()
    except Text2EarthError as error:
        return {"missing": str(error)}
    tasks = [TASKS[name] for name in model.translators.tasks]
    rows: list[dict[str, Any]] = []
    cells: list[np.ndarray] = []
    for done, held in enumerate(held_back(context.data, tasks, min(IMAGES, context.plan.images))):
        context.progress("translating", done, len(tasks))
        some, pictures = compare_ways(held, ways(model, held.task, context.data, context.samplers), eyes)
        rows, cells = rows + some, cells + pictures
    context.progress("translating", len(tasks), len(tasks))
    place = sheet_of(context)
    place.parent.mkdir(parents=True, exist_ok=True)
    tile_images(cells, len(context.samplers) + 3).save(place)
    return {"network": NAME, "rows": rows}


def sheet_of(context: Context) -> Path:
    """Where the pictures beside each other are kept: rows of source, each sampler's answer, untrained, target."""
    return context.images / f"translations-{context.model.translators.fingerprint}.png"


def held_back(data: Path, tasks: Sequence[Task], images: int) -> list[Held]:
    """Of each task as many examples as are asked for, spread over what there is; none of tasks without any."""
    corpus = load_corpus(data, "val", limit=max(8, images))
    found = []
    for task in tasks:
        rng = np.random.default_rng(1)
        pairs = real_pairs(task, data, "val")
        if pairs:
            chosen = pairs[:: max(1, len(pairs) // images)][:images]
            found.append(Held(task, [from_pair(task, pair) for pair in chosen], True))
        elif possible(task, {}):
            crops = [_cut(picture.pixels) for picture in corpus[:: max(1, len(corpus) // images)][:images]]
            found.append(Held(task, [from_colours(task, crop, rng, {}, None) for crop in crops], False))
    return found


def ways(model: Text2Earth, task: Task, data: Path, samplers: Sequence[str]) -> dict[str, Way]:
    """The model with each sampler, and what needs no training; the same names for every task."""

    def ours(source: np.ndarray, sampler: str) -> np.ndarray:
        made = translate(model, Image.fromarray(task.sees.to_rgb(source)), task.name, sampler=sampler)
        return task.makes.to_bands(np.asarray(made.convert("RGB")))

    found: dict[str, Way] = {f"ours, {sampler}": partial(ours, sampler=sampler) for sampler in samplers}
    return found | {"untrained": _untrained(task, data)}


def _untrained(task: Task, data: Path) -> Way:
    if task.made == "fog":
        return dehazed
    return np.copy if task.made == "coarse" else matched(task, data)


def matched(task: Task, data: Path) -> Way:
    """Histogram matching, band by band, to targets of training pairs (or to training images)."""
    pairs = real_pairs(task, data, "train")
    if pairs:
        targets = [from_pair(task, pair).target for pair in pairs[:: max(1, len(pairs) // 100)]]
    else:
        targets = [task.makes.to_bands(picture.pixels) for picture in load_corpus(data, limit=25)]
    values = [
        np.sort(np.concatenate([t[..., band].ravel()[::16] for t in targets])) for band in range(targets[0].shape[2])
    ]

    def change(source: np.ndarray) -> np.ndarray:
        seen = task.makes.to_bands(task.sees.to_rgb(source))
        bands = []
        for number, wanted in enumerate(values):
            counts = np.cumsum(np.bincount(seen[..., number].ravel(), minlength=256)) / seen[..., number].size
            table = wanted[np.minimum((counts * len(wanted)).astype(int), len(wanted) - 1)]
            bands.append(table[seen[..., number]])
        return np.stack(bands, 2)

    return change


def compare_ways(held: Held, by: Mapping[str, Way], eyes: Eyes) -> tuple[list[dict[str, Any]], list[np.ndarray]]:
    """A row of figures for each way, and of the first examples the source, each way's answer and the target."""
    task, rows = held.task, []
    made = {name: [way(example.source) for example in held.examples] for name, way in by.items()}
    for name, pictures in made.items():
        both = [(one, example.target) for one, example in zip(pictures, held.examples, strict=True)]
        rows.append({
            "task": task.name, "pairs": "real" if held.real else "simulated", "images": len(both), "way": name,
            "psnr": float(np.mean([psnr(one / 255, target / 255) for one, target in both])),
            "ssim": float(np.mean([ssim(one, target) for one, target in both])),
            "perceptual": float(np.mean([perceptual(eyes, one, target) for one, target in both])),
        })  # fmt: skip
    cells = []
    for number, example in enumerate(held.examples[:ROWS]):
        answers = [task.makes.to_rgb(pictures[number]) for pictures in made.values()]
        shown = (task.sees.to_rgb(example.source), *answers, task.makes.to_rgb(example.target))
        cells += [_square(one) for one in shown]
    return rows, cells


def ssim(one: np.ndarray, other: np.ndarray) -> float:
    """Structural similarity (Wang et al. 2004) of uint8 (H, W, bands), over Gaussian windows of 1.5 px."""
    a, b = (torch.from_numpy(np.moveaxis(part, 2, 0).astype(np.float32) / 255)[None] for part in (one, other))
    return float(structural_similarity_index_measure(a, b, data_range=1.0))  # type: ignore[arg-type]


@torch.no_grad()
def perceptual(eyes: Eyes, made: np.ndarray, target: np.ndarray) -> float:
    """Mean square between features of a pretrained network, each scaled to length 1, over its four scales.

    So does LPIPS (Zhang et al. 2018) without weights of its own. Bands are uint8 (H, W, 1 or 3).
    """
    both = np.stack([np.repeat(part, 3, 2) if part.shape[2] == 1 else part for part in (made, target)])
    pixels = torch.from_numpy(both).permute(0, 3, 1, 2).float() / 255
    scales = eyes(F.pad(pixels, (0, -pixels.shape[3] % 32, 0, -pixels.shape[2] % 32), mode="replicate"))
    unit = [F.normalize(features, dim=1) for features in scales]
    return float(np.mean([(one[0] - one[1]).square().sum(0).mean().item() for one in unit]))


def _cut(pixels: np.ndarray) -> np.ndarray:
    """The upper left corner, with sides that all tasks can use."""
    height, width = (min(SIDE, side) // MULTIPLE * MULTIPLE for side in pixels.shape[:2])
    return pixels[:height, :width]


def _square(rgb: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(rgb).resize((CELL, CELL), Image.Resampling.NEAREST))
