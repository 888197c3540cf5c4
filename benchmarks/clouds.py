"""Clouds taken out of real images: ours, OpenCV's two inpainters and stock diffusers on the same masks, in one table.

    python benchmarks/clouds.py --data DIR --judge DIR [--model FOLDER_OR_HUB_ID] [--files rsicd ...] [--images N]
                                [--samples N] [--steps N] [--sheet FILE.png] [--json]

Clouds with shadows are simulated over validation images, so that what was below is known. Every way gets the true
mask, grown by a few pixels, and no prompt. Ours and stock are judged by one sample; a single sharp sample loses PSNR to
a blur by nature, so that the mean of several of ours has a row of its own. The border columns tell whether the mask's
border shows (1 = like any other line of the known ground), "class right" how often the judge names the image's true
class, "class as clear" how often it says what it says of the image without cloud, whose row is each figure's target.

The last line tells how well `find_clouds` would have proposed the mask. Its thresholds were chosen on training images
and every other texture; it is measured on the rest.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.progress import track
from rich.table import Table

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.ground import Ground, edited  # noqa: E402
from benchmarks.measures.borders import (  # noqa: E402
    border_ratio,
    colour_steps,
    masked_patch_distance,
    roughness,
    texture_steps,
)
from benchmarks.measures.cloud_simulation import CloudyImage, load_cloud_textures, with_cloud  # noqa: E402
from benchmarks.prompts import merged  # noqa: E402
from benchmarks.stock import StockInpainting  # noqa: E402
from canvas.paint.clouds import find_clouds  # noqa: E402
from canvas.paint.painter import Painter  # noqa: E402
from canvas.request import EDIT_FEATHER  # noqa: E402
from text2earth_core import Text2Earth  # noqa: E402
from text2earth_core.data.corpus import Picture, load_corpus  # noqa: E402
from text2earth_core.evaluation.bootstrap import bootstrap  # noqa: E402
from text2earth_core.evaluation.classifier import WEIGHTS, SceneClassifier  # noqa: E402
from text2earth_core.sampling.conditioning import level_of  # noqa: E402
from text2earth_core.sampling.settings import Sampling  # noqa: E402

GROWN = 4  # px by which every way's mask exceeds what visibly changed
RADIUS = 5  # px that OpenCV's inpainters look at
RESOLUTION = 1.0  # m/px of the scene; the images' own is unknown
BORDER = ("border_gradient", "border_colour_step", "border_texture_step")

ENOUGH = 40
"""Images from which the figures are worth quoting."""


@dataclass(frozen=True)
class Case:
    """One validation image with a simulated cloud, and the mask (bool) that every way gets."""

    clear: Picture
    cloudy: CloudyImage
    mask: np.ndarray


def cases(data: Path, files: Sequence[str], count: int, side: int) -> list[Case]:
    """Clouds over `count` validation images spread over the files, which are resized to `side` px."""
    textures = load_cloud_textures(data)[1::2]
    pictures = merged(load_corpus(data, "val", files))
    chosen = [pictures[i] for i in np.random.default_rng(1).permutation(len(pictures))[:count]]
    rng, found = np.random.default_rng(2), []
    for picture in chosen:
        pixels = cv2.resize(picture.pixels, (side, side), interpolation=cv2.INTER_CUBIC)
        cloudy = with_cloud(pixels, textures, rng)
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * GROWN + 1, 2 * GROWN + 1))
        mask = cv2.dilate(cloudy.mask.astype(np.uint8), disc) > 0
        clear = Picture(pixels, picture.label, picture.captions, picture.resolution, picture.source)
        found.append(Case(clear, cloudy, mask))
    return found


def ours(model: Text2Earth, steps: int | None) -> Callable[[Case, int], np.ndarray]:
    """The canvas: an edit without prompt, as the page asks for it."""
    painter = Painter(model)

    def fill(case: Case, seed: int) -> np.ndarray:
        ground, mask = Ground(case.cloudy.pixels, RESOLUTION), case.mask.astype(np.uint8) * 255
        # Without a prompt and a negative one guidance has nothing to strengthen: 1 gives the same in half the time.
        return edited(painter, ground, mask, seed=seed, steps=steps, guidance=1.0, feather=EDIT_FEATHER)

    return fill


def stock(folder: str, steps: int | None) -> Callable[[Case, int], np.ndarray]:
    """diffusers' inpainting pipeline with the same UNet; known pixels are put back as they were."""
    # In float32: its parts would otherwise have to share one precision, and the autoencoder suffers from bfloat16.
    model = Text2Earth.from_pretrained(folder, dtype="float32")
    pipeline = StockInpainting(model.unet, model.codec.vae, model.scheduler, level=level_of(RESOLUTION))
    null = model.text.embed([""])
    taken = model.settled(Sampling(steps=steps, guidance=1.0)).steps

    def fill(case: Case, seed: int) -> np.ndarray:
        (made,) = pipeline(null, null, [case.cloudy.pixels], case.mask, taken, 1.0, seed)
        return np.where(case.mask[..., None], made, case.cloudy.pixels)

    return fill


def opencv(method: int) -> Callable[[Case, int], np.ndarray]:
    """One of OpenCV's inpainters, which know no chance."""

    def fill(case: Case, _seed: int) -> np.ndarray:
        return cv2.inpaint(case.cloudy.pixels, case.mask.astype(np.uint8), RADIUS, method)

    return fill


def psnr(made: np.ndarray, real: np.ndarray, mask: np.ndarray) -> float:
    """Peak signal-to-noise ratio under the mask, dB."""
    return float(10 * np.log10(255**2 / np.square(made.astype(np.float64) - real)[mask].mean()))


def measured(made: Sequence[np.ndarray], all_cases: Sequence[Case], judge: SceneClassifier) -> dict[str, Any]:
    """Every figure of one way's single answers."""
    real, masks = [case.clear.pixels for case in all_cases], [case.mask for case in all_cases]
    right = [names[0] == case.clear.label for names, case in zip(judge.ranked(made), all_cases, strict=True)]
    same = [a[0] == b[0] for a, b in zip(judge.ranked(made), judge.ranked(real), strict=True)]
    return {
        "patch_distance": masked_patch_distance(made, real, masks),
        "border_gradient": border_ratio(roughness, made, masks).as_dict(),
        "border_colour_step": border_ratio(colour_steps, made, masks).as_dict(),
        "border_texture_step": border_ratio(texture_steps, made, masks).as_dict(),
        "class_right": float(np.mean(right)),
        "class_as_clear": float(np.mean(same)),
    }


def proposal(all_cases: Sequence[Case]) -> dict[str, float]:
    """How the proposed mask agrees with what was simulated, means over images; and what it finds where nothing is."""
    rows = []
    for case in all_cases:
        found, cloudy = find_clouds(case.cloudy.pixels) > 0, case.cloudy
        on_clear = find_clouds(case.clear.pixels) > 0
        rows.append(
            {
                "iou": _share(found & cloudy.mask, found | cloudy.mask),
                "cloud_recall": _share(found & cloudy.cloud, cloudy.cloud),
                "shadow_recall": _share(found & cloudy.shadow, cloudy.shadow),
                "precision": _share(found & cloudy.mask, found),
                "found_without_cloud": float(on_clear.mean()),
                "clear_images_marked": float(on_clear.any()),
            }
        )
    return {name: float(np.nanmean([row[name] for row in rows])) for name in rows[0]}


def _share(part: np.ndarray, whole: np.ndarray) -> float:
    return float(part.sum() / whole.sum()) if whole.any() else float("nan")


def run(options: argparse.Namespace, judge: SceneClassifier) -> dict[str, Any]:
    """All ways on all images; see the module's first lines."""
    model = Text2Earth.from_pretrained(options.model)
    all_cases = cases(options.data, options.files, options.images, model.info.window)
    ways = {
        "ours": ours(model, options.steps),
        "stock diffusers": stock(options.model, options.steps),
        "Telea": opencv(cv2.INPAINT_TELEA),
        "Navier-Stokes": opencv(cv2.INPAINT_NS),
    }
    made: dict[str, list[np.ndarray]] = {
        "clear": [case.clear.pixels for case in all_cases],
        "cloudy": [case.cloudy.pixels for case in all_cases],
    }
    console, figures = Console(stderr=True), {}
    for name, fill in ways.items():
        made[name] = [fill(case, 0) for case in track(all_cases, name, console=console, transient=True)]
    for name, pictures in made.items():
        figures[name] = measured(pictures, all_cases, judge)
        pairs = zip(pictures, all_cases, strict=True)
        if name != "clear":
            figures[name]["psnr"] = _psnr([psnr(picture, c.clear.pixels, c.mask) for picture, c in pairs])
    means = []
    for number, case in enumerate(track(all_cases, "mean of samples", console=console, transient=True)):
        others = [ways["ours"](case, seed) for seed in range(1, options.samples)]
        mean = np.mean([made["ours"][number], *others], axis=0)
        means.append(psnr(mean, case.clear.pixels, case.mask))
    figures[f"ours, mean of {options.samples}"] = {"psnr": _psnr(means)}
    if options.sheet:
        columns = [made["clear"], made["cloudy"], [np.where(c.mask, 255, 0) for c in all_cases]]
        columns += [made[name] for name in ways]
        rows = [np.hstack([_rgb(column[n]) for column in columns]) for n in range(len(all_cases))]
        Image.fromarray(np.vstack(rows)).save(options.sheet)
    return {
        "model": f"{model.info.name} {model.info.fingerprint}",
        "images": len(all_cases),
        "steps": model.info.steps_of(options.steps, None),
        "covered": float(np.mean([case.mask.mean() for case in all_cases])),
        "proposal": proposal(all_cases),
        "ways": figures,
    }


def _psnr(values: Sequence[float]) -> dict[str, float]:
    found = np.array(values)
    return bootstrap(lambda chosen: float(found[chosen].mean()), (np.arange(len(found)),)).as_dict()


def _rgb(picture: np.ndarray) -> np.ndarray:
    return picture if picture.ndim == 3 else np.dstack([picture.astype(np.uint8)] * 3)


def report(found: dict[str, Any]) -> None:
    """The table, and whether ours is better where it should be."""
    ways = found["ways"]
    metrics = ("psnr", "patch_distance", *BORDER, "class_right", "class_as_clear")
    title = f"{found['model']}, {found['images']} images, {found['covered']:.0%} under masks, {found['steps']} steps"
    table = Table("way", *(name.replace("_", " ") for name in metrics), title=title)
    for way, figures in ways.items():
        table.add_row(way, *(_cell(figures.get(metric)) for metric in metrics))
    Console(width=max(Console().width, 150)).print(table)
    print("proposed mask: " + ", ".join(f"{k.replace('_', ' ')} {v:.2f}" for k, v in found["proposal"].items()))
    if found["images"] < ENOUGH:
        print(f"Fewer than {ENOUGH} images: no verdict. Take more with --images.")
        return
    mine, others = ways["ours"], [ways[name] for name in ("stock diffusers", "Telea", "Navier-Stokes")]
    mean = next(figures["psnr"]["value"] for way, figures in ways.items() if way.startswith("ours, mean"))
    verdicts = {
        "patch distance below all others": all(mine["patch_distance"] < o["patch_distance"] for o in others),
        "border nearest to invisible": all(seam_score(mine) < seam_score(other) for other in others),
        "class as right as any other's": all(mine["class_right"] >= other["class_right"] for other in others),
        "PSNR of the mean at least Telea's less 0.5 dB": mean >= ways["Telea"]["psnr"]["value"] - 0.5,
    }
    for sentence, good in verdicts.items():
        print(f"{sentence}: {'ok' if good else 'MISSED'}")


def seam_score(figures: dict[str, Any]) -> float:
    """How far the border is from any other line, over all three figures: 0 is invisible."""
    return float(np.mean([abs(np.log(figures[name]["value"])) for name in BORDER]))


def _cell(figure: dict[str, float] | float | None) -> str:
    if figure is None:
        return ""
    if isinstance(figure, dict):
        return f"{figure['value']:.2f} ({figure['low']:.2f} to {figure['high']:.2f})"
    return f"{figure:.3f}"


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=str(ROOT / "assets" / "models" / "text2earth-mini"))
    parser.add_argument("--data", type=Path, default=os.environ.get("TEXT2EARTH_DATA"))
    parser.add_argument("--judge", type=Path, required=True, help="folder of a classifier that prompts.py has trained")
    parser.add_argument("--files", nargs="+", default=["rsicd"], help="data sets to take validation images of")
    parser.add_argument("--images", type=int, default=48)
    parser.add_argument("--samples", type=int, default=8, help="of ours, for the mean")
    parser.add_argument("--steps", type=int, default=None, help="default: the model's own")
    parser.add_argument("--sheet", type=Path, help="write all pictures as one PNG; it shows images of the data sets")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if options.data is None:
        parser.error("give the folder of real images with --data or TEXT2EARTH_DATA")
    if not (options.judge / WEIGHTS).is_file():
        parser.error(f"{options.judge} holds no {WEIGHTS}: train a judge with benchmarks/prompts.py --judge")
    torch.manual_seed(0)
    found = run(options, SceneClassifier.load(options.judge / WEIGHTS))
    if options.json:
        print(json.dumps(found, indent=1))
    else:
        report(found)


if __name__ == "__main__":
    main()
