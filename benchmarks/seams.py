"""Can one see where windows met? Seam metrics of real images, naive tiles, stock outpainting and ours, in a table.

    python benchmarks/seams.py --data DIR [--model FOLDER_OR_HUB_ID] [--scenes N] [--hops N] [--steps N]
                               [--sampler quality|fast] [--sheets DIR] [--ways naive stock ours changed fill recipes]

Every figure compares lines where windows met with other lines of the same scenes; the row of real images, whose lines
are all alike, says what each figure is when there is no seam. Scenes are strips that grow to the right by half a
window, one prompt each; region fill makes the same width in one go. The detector counts only if it finds the seams of
naive tiles.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measures.drift import STATISTICS, copying, drift
from measures.vae_features import vae_features
from PIL import Image
from rich.console import Console
from rich.progress import track
from rich.table import Table
from stock import StockInpainting

from canvas import CELL, Rect, Scene
from canvas.fill import grid as fill_grid
from canvas.fill.region_fill import RegionFill, fill_request
from canvas.fill.survey import bounds_of
from canvas.paint.extend import extension_frame
from canvas.paint.painter import Painter
from text2earth_core import Text2Earth
from text2earth_core.data.corpus import load_corpus
from text2earth_core.evaluation.lines import Line, SeamScene, lines_through, pieces
from text2earth_core.evaluation.seam_detector import COUNTS
from text2earth_core.evaluation.seams import line_count, measure_seams
from text2earth_core.sampling.conditioning import level_of
from text2earth_core.sampling.settings import FAST, QUALITY, Sampling

ASSETS = Path(__file__).parent.parent / "assets"
SHIPPED = ASSETS / "models" / "text2earth-mini"
RECIPES = ASSETS / "recipes"
PROMPTS = ("dense green forest", "farmland", "a desert", "dense housing", "a meadow", "an industrial area", "mountains",
           "a beach by the sea", "bare land", "a parking lot", "a large lake", "a park")  # fmt: skip
RESOLUTION = 1.0
WAYS = ("naive", "stock", "ours", "changed", "fill", "recipes")
"""Naive tiles, stock outpainting, the canvas hop by hop, the same with another prompt every two hops, region fill in
one go, the shipped recipes' scenes."""

ENOUGH = 200
"""Lines from which the figures are worth quoting."""

DRIFTED = 6
"""Hops from which drift can be told."""


def real_scenes(data: Path, size: int) -> list[SeamScene]:
    """Held-back real images at least as large as a window, with a line anywhere through each."""
    pictures = load_corpus(data, "val", ["resisc", "rsscn7", "ucm"], limit=60)
    large = [picture.pixels for picture in pictures if min(picture.pixels.shape[:2]) >= size]
    places = np.random.default_rng(0).random(len(large))  # the middle is where photographers put things
    return [
        SeamScene(pixels, lines_through(pixels, n % 2 == 0, place))
        for n, (pixels, place) in enumerate(zip(large, places, strict=True))
    ]


def naive_strip(model: Text2Earth, prompt: str, hops: int, seed: int, **settings: Any) -> SeamScene:
    """Windows made independently of each other, side by side."""
    count = 1 + -(-hops // 2)
    images = model.generate([prompt] * count, resolution=RESOLUTION, seed=100 * seed, **settings)
    pixels = np.concatenate([np.asarray(image) for image in images], axis=1)
    return SeamScene(pixels, _vertical_seams(pixels, range(model.info.window, pixels.shape[1], model.info.window)))


def our_strip(painter: Painter, prompt: str, hops: int, seed: int, **settings: Any) -> SeamScene:
    """The canvas, hop by hop: stored latents, composition at every step, inflated mask, feather."""
    return grown(painter, [prompt] * (hops + 1), seed, **settings)


def changed_strip(painter: Painter, prompt: str, hops: int, seed: int, **settings: Any) -> SeamScene:
    """The same, but the next prompt of `PROMPTS` leads after every two hops."""
    first = PROMPTS.index(prompt)
    return grown(painter, [PROMPTS[(first + hop // 2) % len(PROMPTS)] for hop in range(hops + 1)], seed, **settings)


def grown(painter: Painter, prompts: Sequence[str], seed: int, **settings: Any) -> SeamScene:
    """A strip whose windows have one prompt each."""
    window = painter.model.info.window
    with tempfile.TemporaryDirectory() as folder, Scene.create(Path(folder) / "scene.t2e", RESOLUTION) as scene:
        for hop, prompt in enumerate(prompts):
            frame = extension_frame(scene, "right", window)
            request = painter.request(scene, frame, prompt, seed=100 * seed + hop, **settings)
            scene.accept(painter.paint(scene, request))
        pixels = scene.read(Rect(*scene.bounds)).pixels
    return SeamScene(pixels, _half_window_seams(pixels, window))


def filled_region(model: Text2Earth, prompt: str, hops: int, seed: int, **settings: Any) -> SeamScene:
    """A region as wide as the strips and twice as high, filled in one go."""
    window = model.info.window
    bbox = [0, 0, window + hops * window // 2, 2 * window]
    return filled(model, RESOLUTION, bbox, [{"text": prompt}], seed=seed, **settings)


def filled(
    model: Text2Earth, resolution: float, bbox: list[int], prompts: list[dict[str, Any]], **settings: Any
) -> SeamScene:
    """One region fill of an empty scene; seams where windows of the last step met."""
    with tempfile.TemporaryDirectory() as folder, Scene.create(Path(folder) / "scene.t2e", resolution) as scene:
        request = fill_request(model, scene, bbox, prompts, **settings)
        bounds, window = bounds_of(scene, request, model.info.window), model.info.window // CELL
        last = fill_grid.phases(bounds, window, request.steps)[-1]
        RegionFill(scene, model, request).run()
        pixels = scene.read(request.frame).pixels
    return SeamScene(pixels, tuple(lines_of(last, pixels.shape[0], pixels.shape[1])))


def shipped_recipes(model: Text2Earth, **settings: Any) -> list[SeamScene]:
    """The scenes of the paper's Fig. 13, as `assets/recipes` has them."""
    found = []
    for file in sorted(RECIPES.glob("*.json")):
        recipe = json.loads(file.read_text(encoding="utf-8"))
        wish = {name: recipe[name] for name in ("resolution", "bbox", "prompts", "seed")}
        found.append(filled(model, **wish, **settings))
    return found


def lines_of(phase: fill_grid.Phase, height: int, width: int) -> list[Line]:
    """Where the windows of a phase met, inside a picture."""
    vertical = [line for at in borders(phase.xs) for line in pieces(True, at, 0, height)]
    return vertical + [line for at in borders(phase.ys) for line in pieces(False, at, 0, width)]


def borders(spans: tuple[fill_grid.Span, ...]) -> list[int]:
    """Where neighbours meet along an axis, px: the middle of what both have a share in."""
    return [(a.owned[1] + b.owned[0]) // 2 * CELL for a, b in pairwise(spans)]


class StockOutpainting:
    """What one gets from diffusers: encode the pixels, inpaint the right half of a window, paste it hard."""

    def __init__(self, folder: str) -> None:
        # In float32: its parts would otherwise have to share one precision, and the autoencoder suffers from bfloat16.
        self.model = Text2Earth.from_pretrained(folder, dtype="float32")
        parts = self.model.unet, self.model.codec.vae, self.model.scheduler
        self.stock = StockInpainting(*parts, level=level_of(RESOLUTION))

    def __call__(self, prompt: str, hops: int, seed: int, steps: int | None) -> SeamScene:
        model, window = self.model, self.model.info.window
        settled = model.settled(Sampling(steps=steps))
        text, null = model.text.embed([prompt]), model.text.embed([""])
        half = window // 2
        mask = np.zeros((window, window), bool)
        mask[:, half:] = True
        (first,) = model.generate([prompt], resolution=RESOLUTION, seed=100 * seed, steps=steps)
        pixels = np.asarray(first)
        for hop in range(hops):
            seen = np.concatenate([pixels[:, -half:], np.zeros((window, half, 3), np.uint8)], axis=1)
            (made,) = self.stock(text, null, [seen], mask, settled.steps, settled.guidance, seed=100 * seed + hop + 1)
            pixels = np.concatenate([pixels, made[:, half:]], axis=1)
        return SeamScene(pixels, _half_window_seams(pixels, window))


def maker(way: str, model: Text2Earth, folder: str) -> Callable[..., SeamScene]:
    """The function (prompt, hops, seed, steps=, sampler=) -> scene of one of `WAYS`; the stock way has one sampler."""
    if way == "stock":
        return StockOutpainting(folder)
    if way in ("ours", "changed"):
        painter, strip = Painter(model), our_strip if way == "ours" else changed_strip
        return lambda *task, **settings: strip(painter, *task, **settings)
    make = naive_strip if way == "naive" else filled_region
    return lambda *task, **settings: make(model, *task, **settings)


def hops_of(scene: SeamScene, window: int) -> list[np.ndarray]:
    """What each hop added."""
    return [scene.pixels[:, x : x + window // 2] for x in range(window, scene.pixels.shape[1], window // 2)]


def neighbours_in(scenes: list[SeamScene], window: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Adjacent crops of real images, as large as what a hop adds."""
    half = window // 2
    return [(s.pixels[:window, :half], s.pixels[:window, half:window]) for s in scenes]


def _half_window_seams(pixels: np.ndarray, window: int) -> tuple:
    return _vertical_seams(pixels, range(window, pixels.shape[1], window // 2))


def _vertical_seams(pixels: np.ndarray, columns: range) -> tuple:
    return tuple(line for at in columns for line in pieces(True, at, 0, pixels.shape[0]))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=str(SHIPPED))
    parser.add_argument("--data", type=Path, default=os.environ.get("TEXT2EARTH_DATA"))
    parser.add_argument("--scenes", type=int, default=12)
    parser.add_argument("--hops", type=int, default=6)
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--sampler", choices=(QUALITY, FAST), default=QUALITY, help="for all but the stock pipeline")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS, help="which to measure besides real images")
    parser.add_argument("--sheets", type=Path, help="write each scene as a PNG into this folder")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.data is None:
        parser.error("give the folder of real images with --data or TEXT2EARTH_DATA")
    model = Text2Earth.from_pretrained(options.model)
    window = model.info.window
    scenes = {"real": real_scenes(options.data, window)}
    for name in options.ways:
        if name == "recipes":
            scenes[name] = shipped_recipes(model, steps=options.steps, sampler=options.sampler)
            continue
        make = maker(name, model, options.model)
        numbers = track(range(options.scenes), name, console=Console(stderr=True), transient=True)
        settings = {"steps": options.steps} | ({} if name == "stock" else {"sampler": options.sampler})
        scenes[name] = [make(PROMPTS[n % len(PROMPTS)], options.hops, n, **settings) for n in numbers]
    found = {}
    for name, mine in scenes.items():
        stride = {"stock": window // 2, "ours": window // 2, "changed": window // 2, "naive": window}.get(name)
        figures = {
            metric: figure.as_dict()
            for metric, figure in measure_seams(mine, lambda pixels: vae_features(model, pixels), stride).items()
        }
        if name in ("stock", "ours") and options.hops >= DRIFTED:
            chains = [hops_of(scene, window) for scene in mine]
            figures |= {f"drift_{k}": figure.as_dict() for k, figure in drift(chains).items()}
            figures["new_content"] = copying(chains, neighbours_in(scenes["real"], window)).as_dict()
        found[name] = {"lines": line_count(mine), "scenes": len(mine)} | figures
        if options.sheets:
            options.sheets.mkdir(parents=True, exist_ok=True)
            for n, scene in enumerate(mine[: options.scenes]):
                Image.fromarray(scene.pixels).save(options.sheets / f"{name}-{n:02d}.png")
    if options.json:
        print(json.dumps(found, indent=1))
        return
    size = f"{options.scenes} scenes of {options.hops} hops, sampler {options.sampler}"
    report(found, f"{model.info.name} {model.info.fingerprint}, {size}")


def report(found: dict[str, dict], title: str) -> None:
    """Print the figures with their intervals, ways as columns."""
    table = Table("metric (1 = like any other line)", *found, title=title)
    metrics = dict.fromkeys(metric for figures in found.values() for metric in figures)
    for metric in metrics:
        row = [_cell(figures.get(metric)) for figures in found.values()]
        table.add_row({"detector_auc": "detector_auc (0.5 is perfect)"}.get(metric, metric), *row)
    Console(width=max(Console().width, 150)).print(table)
    naive = found.get("naive", {}).get("detector_auc", {"value": 0.0})["value"]
    if naive < COUNTS:
        print(f"The detector has not reached {COUNTS} on naive tiles ({naive:.2f}): its figures do not count.")
    few = [name for name, figures in found.items() if figures["lines"] < ENOUGH]
    if few:
        print(f"Fewer than {ENOUGH} lines: {', '.join(few)}. Take more scenes or hops.")
    if not any(f"drift_{k}" in figures for figures in found.values() for k in STATISTICS):
        print(f"Drift needs {DRIFTED} hops or more.", file=sys.stderr)


def _cell(figure: dict | int | None) -> str:
    if figure is None:
        return ""
    if isinstance(figure, int):
        return str(figure)
    return f"{figure['value']:.2f} ({figure['low']:.2f} to {figure['high']:.2f})"


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
