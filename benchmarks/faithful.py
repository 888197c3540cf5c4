"""Does what is typed grow? A judge of real images looks at the ground that a changed prompt made beside another one.

    python benchmarks/faithful.py --judge DIR [--model FOLDER] [--samplers fast quality] [--seeds N] [--sheet FILE.png]

Each of eight land covers is extended to the right by two hops with each of the seven others as prompt. The judge, the
classifier that `text2earth evaluate` trains (`NETWORKS/judge-*`), names the new ground of the second hop; beside it
stand the same prompts generated alone, cut to the same shape, the same extensions where the ground leads
(`--follow 0`), and each prompt going on beside itself.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.progress import track
from rich.table import Table

from canvas import Rect, Scene
from canvas.paint.extend import extension_frame
from canvas.paint.painter import Painter
from canvas.scene_file.change import Change
from text2earth_core import Text2Earth
from text2earth_core.evaluation.classifier import WEIGHTS, SceneClassifier
from text2earth_core.sampling.settings import FAST, QUALITY

SHIPPED = Path(__file__).parent.parent / "assets" / "models" / "text2earth-mini"
RESOLUTION = 1.0
AMONG = 3
FIRST, THREE = 0.9, 0.95
"""What share of the hits alone an extension shall reach, by first name and among three."""

COVERS = {
    "dense green forest": ("forest",),
    "a desert": ("desert",),
    "the sea": ("beach", "pond", "port"),
    "a green meadow": ("meadow",),
    "farmland": ("farmland",),
    "dense housing": ("dense residential",),
    "a lake": ("pond",),
    "bare land": ("bare land",),
}
"""Prompt -> the judge's classes that this may be; RSICD calls a lake a pond and shows the sea at beaches and ports."""


@dataclass(frozen=True)
class Strip:
    """A cover that was extended by two hops: with which prompt, and pixels uint8 (h, w, 3) of all."""

    prompt: str
    pixels: np.ndarray


class Grower:
    """Extends land covers; the first window of each is made once."""

    def __init__(self, painter: Painter, sampler: str) -> None:
        self._painter, self._sampler = painter, sampler
        self._first: dict[tuple[str, int], Change] = {}

    def strip(self, ground: str, prompt: str, seed: int, follow: float | None) -> Strip:
        """`ground`, then two hops of half a window to the right."""
        window = self._painter.model.info.window
        with tempfile.TemporaryDirectory() as folder, Scene.create(Path(folder) / "scene.t2e", RESOLUTION) as scene:
            if (ground, seed) not in self._first:
                self._first[ground, seed] = self._made(scene, ground, seed, None)
            scene.accept(self._first[ground, seed])
            for hop in (1, 2):
                scene.accept(self._made(scene, prompt, 100 * hop + seed, follow))
            return Strip(prompt, scene.read(Rect(0, 0, 2 * window, window)).pixels)

    def _made(self, scene: Scene, prompt: str, seed: int, follow: float | None) -> Change:
        frame = extension_frame(scene, "right", self._painter.model.info.window)
        request = self._painter.request(scene, frame, prompt, seed=seed, sampler=self._sampler, follow=follow)
        return self._painter.paint(scene, request)


def hits(judge: SceneClassifier, pictures: list[np.ndarray], prompts: list[str]) -> tuple[float, float]:
    """Share of pictures whose prompt the judge names first, and among its first three."""
    ranked = judge.ranked(picture[:, -picture.shape[0] // 2 :] for picture in pictures)
    named = [[name in COVERS[prompt] for name in names] for names, prompt in zip(ranked, prompts, strict=True)]
    return float(np.mean([row[0] for row in named])), float(np.mean([any(row[:AMONG]) for row in named]))


def measure(
    model: Text2Earth, judge: SceneClassifier, sampler: str, seeds: int
) -> tuple[dict[str, dict[str, float]], dict[str, list[Strip]]]:
    """Figures by way, and the strips of the ways."""
    grower, pairs = Grower(Painter(model), sampler), list(permutations(COVERS, 2))
    ways: dict[str, tuple[list[tuple[str, str]], float | None]] = {
        "another prompt": (pairs, None), "another prompt, the ground leads": (pairs, 0.0),
        "the same prompt": ([(name, name) for name in COVERS], None),
    }  # fmt: skip
    console, strips, figures = Console(stderr=True), {}, {}
    each = seeds * (len(COVERS) - 1)  # as many of each prompt as are extended with it
    alone = [np.asarray(model.generate(name, RESOLUTION, seed=200 + n, sampler=sampler)[0])
             for name in track(COVERS, f"{sampler}: alone", console=console, transient=True)
             for n in range(each)]  # fmt: skip
    first, three = hits(judge, alone, [name for name in COVERS for _ in range(each)])
    figures["alone"] = {"count": len(alone), "first": first, "among_three": three}
    for way, (chosen, follow) in ways.items():
        jobs = [(ground, prompt, seed) for ground, prompt in chosen for seed in range(seeds)]
        progress = track(jobs, f"{sampler}: {way}", console=console, transient=True)
        strips[way] = [grower.strip(*job, follow) for job in progress]
        first, three = hits(judge, [strip.pixels for strip in strips[way]], [strip.prompt for strip in strips[way]])
        figures[way] = {"count": len(jobs), "first": first, "among_three": three}
    return figures, strips


def report(figures: dict[str, dict[str, float]], title: str) -> None:
    """Print a row for each way, as a share of the prompts alone too."""
    table = Table("", "strips", "named first", "among three", "first / alone", "among three / alone", title=title)
    alone = figures["alone"]
    for way, row in figures.items():
        ratios = row["first"] / alone["first"], row["among_three"] / alone["among_three"]
        table.add_row(way, str(row["count"]), f"{row['first']:.1%}", f"{row['among_three']:.1%}",
                      *(f"{ratio:.2f}" for ratio in ratios))  # fmt: skip
    Console(width=max(Console().width, 110)).print(table)
    print(f"Another prompt shall reach {FIRST} (first) and {THREE} (among three) of the prompts alone.")


def main() -> None:
    """Read the options, grow, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=SHIPPED)
    parser.add_argument("--judge", type=Path, required=True, help="folder of the evaluation's judge")
    parser.add_argument("--samplers", nargs="+", choices=(FAST, QUALITY), default=[FAST, QUALITY])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--sheet", type=Path, help="write the strips of the first seed as one PNG a sampler and way")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if not (options.judge / WEIGHTS).is_file():
        parser.error(f"{options.judge} holds no {WEIGHTS}: run `text2earth evaluate --networks DIR` first")
    judge = SceneClassifier.load(options.judge / WEIGHTS)
    model = Text2Earth.from_pretrained(options.model, device="cpu")
    found = {}
    for sampler in options.samplers:
        found[sampler], strips = measure(model, judge, sampler, options.seeds)
        if not options.json:
            report(found[sampler], f"{model.info.name} {model.info.fingerprint}, {sampler}")
        for number, made in enumerate(strips.values() if options.sheet else ()):
            rows = [strip.pixels for strip in made[:: options.seeds]]
            file = options.sheet.with_stem(f"{options.sheet.stem}-{sampler}-{number}")
            Image.fromarray(np.vstack(rows)).reduce(2).save(file)
    if options.json:
        print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
