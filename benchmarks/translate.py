"""Translations of held-back pairs: ours, a plain U-Net trained for the same time, and what needs no training.

    python benchmarks/translate.py --data DIR [--model FOLDER] [--translator FOLDER] [--simulators DIR] [--tasks a,b]
                                   [--images N] [--minutes M] [--network FILE] [--sheet FILE.png] [--json]

Real pairs where there are some of a task's kind, else conditions made of validation images. PSNR (dB) and SSIM against
the target, and a perceptual distance: the mean square between features of EfficientNet-Lite1 (ImageNet), each scaled to
length 1 and averaged over its four scales (as LPIPS does without weights of its own). The source itself is a row, and
so are histogram matching to the target's training images (bicubic enlargement for super-resolution: there the source is
that already) and, for fog, the dark channel. The U-Net is trained for M minutes, or read from FILE where it is there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.measures.dark_channel import dehazed  # noqa: E402
from benchmarks.measures.regression import Regression, train  # noqa: E402
from text2earth_core import Text2Earth  # noqa: E402
from text2earth_core.data.corpus import load_corpus, random_crop  # noqa: E402
from text2earth_core.evaluation.reconstruction import psnr  # noqa: E402
from text2earth_core.networks.eyes import NAME, Eyes  # noqa: E402
from text2earth_core.simulation.simulators import Light  # noqa: E402
from text2earth_core.training.grids import tile_images  # noqa: E402
from text2earth_core.training.lessons import Lessons, find_simulators  # noqa: E402
from text2earth_core.translation.examples import (  # noqa: E402
    Example,
    from_colours,
    from_pair,
    possible,
    real_pairs,
)
from text2earth_core.translation.picture import translate  # noqa: E402
from text2earth_core.translation.tasks import TASKS, Task  # noqa: E402

SIDE = 64  # px of the U-Net's training crops
LOADED = 600  # training images of each data set
ROWS = 3  # of the sheet, a task


@dataclass(frozen=True)
class Held:
    """Held-back examples of a task, and whether they are measured pairs."""

    task: Task
    examples: list[Example]
    real: bool


def held_back(arguments: argparse.Namespace, tasks: list[Task]) -> list[Held]:
    """Of each task as many examples as are asked for, spread over what there is."""
    simulators = find_simulators(arguments.simulators)
    corpus = load_corpus(arguments.data, "val", limit=max(8, arguments.images))
    light = Light.of([picture.pixels for picture in corpus])
    found = []
    for task in tasks:
        rng = np.random.default_rng(1)
        pairs = real_pairs(task, arguments.data, "val")
        if pairs:
            chosen = pairs[:: max(1, len(pairs) // arguments.images)][: arguments.images]
            found.append(Held(task, [from_pair(task, pair) for pair in chosen], True))
        elif possible(task, simulators):
            pictures = corpus[:: max(1, len(corpus) // arguments.images)][: arguments.images]
            crops = [picture.pixels[:192, :192] for picture in pictures]
            found.append(Held(task, [from_colours(task, crop, rng, simulators, light) for crop in crops], False))
    return found


def lessons(arguments: argparse.Namespace, tasks: list[Task]) -> Callable[[], tuple[Task, np.ndarray, np.ndarray]]:
    """What the U-Net learns from: the same as a translator."""
    corpus, simulators = load_corpus(arguments.data, limit=LOADED), find_simulators(arguments.simulators)
    pairs = {task.name: real_pairs(task, arguments.data, "train") for task in tasks}
    drawn = Lessons([task.name for task in tasks], corpus, pairs, simulators, SIDE)
    rng = np.random.default_rng(0)

    def draw() -> tuple[Task, np.ndarray, np.ndarray]:
        rgb, _ = random_crop(corpus[rng.integers(len(corpus))], SIDE, rng)
        task, example, _ = drawn.draw(rgb, rng)
        return task, example.source, example.target

    return draw


def matched(task: Task, data: Path) -> Callable[[np.ndarray], np.ndarray]:
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


def ssim(one: np.ndarray, other: np.ndarray) -> float:
    """Structural similarity (Wang et al. 2004) of uint8 (H, W, bands), over Gaussian windows of 1.5 px."""

    def mean(values: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(values, (11, 11), 1.5).reshape(values.shape)

    a, b = one.astype(np.float64), other.astype(np.float64)
    ma, mb = mean(a), mean(b)
    va, vb, vab = mean(a * a) - ma * ma, mean(b * b) - mb * mb, mean(a * b) - ma * mb
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float(((2 * ma * mb + c1) * (2 * vab + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2))).mean())


@torch.no_grad()
def perceptual(eyes: Eyes, made: np.ndarray, target: np.ndarray) -> float:
    """See the head of this file; bands uint8 (H, W, 1 or 3)."""
    both = np.stack([np.repeat(part, 3, 2) if part.shape[2] == 1 else part for part in (made, target)])
    pixels = torch.from_numpy(both).permute(0, 3, 1, 2).float() / 255
    scales = eyes(F.pad(pixels, (0, -pixels.shape[3] % 32, 0, -pixels.shape[2] % 32), mode="replicate"))
    unit = [F.normalize(features, dim=1) for features in scales]
    return float(np.mean([(one[0] - one[1]).square().sum(0).mean().item() for one in unit]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=ROOT / "assets" / "models" / "text2earth-mini")
    parser.add_argument("--translator", type=Path)
    parser.add_argument("--simulators", type=Path)
    parser.add_argument("--tasks", help="default: all that the translator knows")
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--network", type=Path, help="of the U-Net (.safetensors)")
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()

    model = Text2Earth.from_pretrained(arguments.model)
    if arguments.translator:
        model.translators.load(arguments.translator)
    tasks = [TASKS[name] for name in (arguments.tasks.split(",") if arguments.tasks else model.translators.tasks)]
    network = Regression()
    if arguments.network and arguments.network.is_file():
        network.load_state_dict(load_file(arguments.network))
    else:
        network, seen = train(lessons(arguments, tasks), arguments.minutes)
        print(f"The U-Net saw {seen:,} examples in {arguments.minutes:g} minutes.", file=sys.stderr)
        if arguments.network:
            save_file(network.state_dict(), arguments.network)
    eyes, rows, cells = Eyes(), [], []
    for held in held_back(arguments, tasks):
        ways = _ways(model, network, held.task, arguments.data)
        made = {name: [way(example.source) for example in held.examples] for name, way in ways.items()}
        for name, pictures in made.items():
            pairs = [(one, example.target) for one, example in zip(pictures, held.examples, strict=True)]
            figures = {
                "psnr": float(np.mean([psnr(one / 255, target / 255) for one, target in pairs])),
                "ssim": float(np.mean([ssim(one, target) for one, target in pairs])),
                "perceptual": float(np.mean([perceptual(eyes, one, target) for one, target in pairs])),
            }
            told = {"task": held.task.name, "pairs": "real" if held.real else "simulated", "images": len(pairs)}
            rows.append(told | {"way": name} | figures)
        for number, example in enumerate(held.examples[:ROWS]):
            shown = [
                held.task.sees.to_rgb(example.source),
                *(held.task.makes.to_rgb(made[name][number]) for name in ways),
            ]
            cells += [_square(one) for one in (*shown, held.task.makes.to_rgb(example.target))]
        if arguments.sheet:
            tile_images(cells, len(ways) + 2).save(arguments.sheet)
    _print(rows, arguments.json)


def _ways(
    model: Text2Earth, network: Regression, task: Task, data: Path
) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Each way by name; the same names for every task, so that the columns of the sheet are the same."""

    def ours(source: np.ndarray, sampler: str) -> np.ndarray:
        image = Image.fromarray(task.sees.to_rgb(source))
        made = translate(model, image, task.name, sampler=sampler)
        return task.makes.to_bands(np.asarray(made.convert("RGB")))

    def untrained(source: np.ndarray) -> np.ndarray:
        if task.made == "fog":
            return dehazed(source)
        return source if task.made == "coarse" else change(source)

    change = matched(task, data)
    ways: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        f"ours, {sampler}": partial(ours, sampler=sampler) for sampler in model.info.samplers
    }
    return ways | {"U-Net": partial(network.translated, task), "untrained": untrained}


def _square(rgb: np.ndarray) -> np.ndarray:
    side = 128
    return np.asarray(Image.fromarray(rgb).resize((side, side), Image.Resampling.NEAREST))


def _print(rows: list[dict], as_json: bool) -> None:
    if as_json:
        print(json.dumps({"eyes": NAME, "rows": rows}, indent=2))
        return
    table = Table("task", "pairs", "way", "PSNR (dB)", "SSIM", "perceptual", title=f"Translation; distances by {NAME}")
    for row in rows:
        table.add_row(
            row["task"], f"{row['images']} {row['pairs']}", row["way"], f"{row['psnr']:.2f}", f"{row['ssim']:.3f}",
            f"{row['perceptual']:.3f}",
        )  # fmt: skip
    Console().print(table)


if __name__ == "__main__":
    main()
