"""Does the model answer its prompts? A classifier trained on real images names what was generated.

    python benchmarks/prompts.py [--model FOLDER_OR_HUB_ID] [--data DIR] [--judge FILE] [--seeds N] [--sheet FILE.png]

The judge is trained once (minutes on a CPU) and kept; its accuracy on held-back real images is printed beside the
result, because it is the most that a generator can reach.
"""

import argparse
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from text2earth_core import Text2Earth
from text2earth_core.data.captions import class_of
from text2earth_core.data.corpus import Picture, load_corpus
from text2earth_core.evaluation.classifier import WEIGHTS, SceneClassifier, accuracy, train_classifier
from text2earth_core.training.grids import tile_images

ROOT = Path(__file__).parent.parent
PROMPTS = {
    "dense green forest": "forest",
    "a desert": "desert",
    "a beach": "beach",
    "a lake": "lake",
    "farmland": "farmland",
    "dense housing": "dense residential",
    "a parking lot": "parking",
}
"""Prompt -> the class that the judge should name."""

MERGED = {
    "river and lake": "lake",
    "pond": "lake",
    "residential": "dense residential",
    "medium residential": "dense residential",
}
"""Classes that name the same thing in different data sets, so that the judge need not tell the data sets apart."""


def merged(pictures: list[Picture]) -> list[Picture]:
    """Pictures under the names that this judge uses."""
    return [replace(p, label=MERGED.get(class_of(p.label), class_of(p.label))) for p in pictures]


def main() -> None:
    """Print, for each prompt, how often the judge names its class first and among its first three."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=str(ROOT / "assets" / "models" / "text2earth-mini"))
    parser.add_argument("--data", type=Path, default=os.environ.get("TEXT2EARTH_DATA"))
    parser.add_argument("--judge", type=Path, default=ROOT / "runs" / "judge", help="folder of the trained judge")
    parser.add_argument("--judge-samples", type=int, default=150_000, help="training of the judge, if there is none")
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--resolution", type=float, default=None, help="m/px (default: left to the model)")
    parser.add_argument("--size", type=int, default=None, help="px (default: the model's window)")
    parser.add_argument("--sheet", type=Path, help="write the images as one PNG")
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("give the folder of real images with --data or TEXT2EARTH_DATA")
    weights, held_back = arguments.judge / WEIGHTS, merged(load_corpus(arguments.data, "val"))
    if weights.is_file():
        judge = SceneClassifier.load(weights)
    else:
        real_images = merged(load_corpus(arguments.data))
        judge = train_classifier(real_images, arguments.judge, arguments.judge_samples, held_back=held_back)
    real = accuracy(judge, held_back)
    model = Text2Earth.from_pretrained(arguments.model)
    table = Table(
        "prompt",
        "first",
        "among three",
        "taken for",
        title=f"{model.info.name}, judge right on real images: {real:.1%}",
    )
    images, first, three = [], [], []
    for prompt, wanted in track(PROMPTS.items(), "Generating", console=Console(stderr=True), transient=True):
        made = model.generate([prompt] * arguments.seeds, resolution=arguments.resolution, seed=0, size=arguments.size)
        named = judge.ranked(np.asarray(image) for image in made)
        images += [np.asarray(image) for image in made]
        first += [wanted == names[0] for names in named]
        three += [wanted in names[:3] for names in named]
        others = sorted({names[0] for names in named} - {wanted})
        table.add_row(
            prompt,
            f"{sum(first[-len(made) :])}/{len(made)}",
            f"{sum(three[-len(made) :])}/{len(made)}",
            ", ".join(others),
        )
    table.add_row("all", f"{np.mean(first):.0%}", f"{np.mean(three):.0%}", "", style="bold")
    Console().print(table)
    if arguments.sheet:
        tile_images(images, columns=arguments.seeds).save(arguments.sheet)


if __name__ == "__main__":
    main()
