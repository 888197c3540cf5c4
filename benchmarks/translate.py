"""Translations of held-back pairs: ours, a plain U-Net trained for the same time, and what needs no training.

    python benchmarks/translate.py --data DIR [--model FOLDER] [--translator FOLDER] [--simulators DIR] [--tasks a,b]
                                   [--images N] [--minutes M] [--network FILE] [--sheet FILE.png] [--json]

Measures as in `text2earth evaluate --translation` (`text2earth_core/evaluation/translation.py`), with the U-Net beside
them. It is trained for M minutes on what a translator learns from, or read from FILE where that is there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from safetensors.torch import load_file, save_file

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.measures.regression import Regression, train  # noqa: E402
from text2earth_core import Text2Earth  # noqa: E402
from text2earth_core.data.corpus import load_corpus, random_crop  # noqa: E402
from text2earth_core.evaluation.translation import compare_ways, held_back, ways  # noqa: E402
from text2earth_core.networks.eyes import NAME, Eyes  # noqa: E402
from text2earth_core.training.grids import tile_images  # noqa: E402
from text2earth_core.training.lessons import Lessons, find_simulators  # noqa: E402
from text2earth_core.translation.examples import real_pairs  # noqa: E402
from text2earth_core.translation.tasks import TASKS, Task  # noqa: E402

SIDE = 64  # px of the U-Net's training crops
LOADED = 600  # training images of each data set


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=ROOT / "assets" / "models" / "text2earth-mini")
    parser.add_argument("--translator", type=Path)
    parser.add_argument("--simulators", type=Path, help="with which the U-Net's examples are made")
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
    eyes, samplers = Eyes(), model.info.samplers
    rows: list[dict] = []
    cells: list[np.ndarray] = []
    for held in held_back(arguments.data, tasks, arguments.images):
        by = ways(model, held.task, arguments.data, samplers) | {"U-Net": partial(network.translated, held.task)}
        some, pictures = compare_ways(held, by, eyes)
        rows, cells = rows + some, cells + pictures
        if arguments.sheet:
            tile_images(cells, len(by) + 2).save(arguments.sheet)
    _print(rows, arguments.json)


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
