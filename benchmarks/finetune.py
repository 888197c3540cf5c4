"""Does fine-tuning teach a class and leave the others alone? A judge that saw real images names what is made.

    python benchmarks/finetune.py [--data DIR] [--label parking] [--minutes 10] [--seeds 16] [--out runs/finetune]

Two hundred training images of RSICD of one class become a folder as a user has it (`metadata.jsonl`), the shipped
model is fine-tuned on it as by `text2earth finetune`, and the same prompts and seeds are made with and without the
adapter. The judge is a logistic regression on features that know nothing of this data (the extra `[train]`).
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import cv2
import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from text2earth_core import Text2Earth
from text2earth_core.data.captions import CLASSES, class_of
from text2earth_core.data.corpus import decode_image, read_rows
from text2earth_core.data.own.folder import read_folder
from text2earth_core.networks.eyes import Eyes
from text2earth_core.training.finetune import finetune
from text2earth_core.training.grids import tile_images

ROOT = Path(__file__).parent.parent
MODEL = ROOT / "assets" / "models" / "text2earth-mini"
DATA_SET, IMAGES = "rsicd", 200
SIDE = 128
"""px at which the judge looks."""

TAUGHT, TESTED = 60, 15
"""Images of each class that the judge learns from, and that it is tested with."""


def main() -> None:
    """Print the share of each class that the judge names rightly, before and after."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("TEXT2EARTH_DATA"))
    parser.add_argument("--label", default="parking")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seeds", type=int, default=16)
    parser.add_argument("--sampler", default="fast")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "finetune")
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("give the folder of real images with --data or TEXT2EARTH_DATA")
    rows = read_rows(arguments.data, DATA_SET)
    pictures, adapter = arguments.out / arguments.label, arguments.out / f"my-{arguments.label}"
    write_folder(rows, arguments.label, pictures)
    finetune(read_folder(pictures), adapter, start=MODEL, minutes=arguments.minutes)
    eyes = Eyes()
    judge, real = train_judge(rows, eyes)
    model = Text2Earth.from_pretrained(MODEL)
    weights = {model.load_adapter(adapter, "own").name: 1.0}
    classes = [str(name) for name in judge.classes_ if name in CLASSES]
    table = Table(
        "class", "before", "after", title=f"{arguments.label}; the judge is right on {real:.0%} of real images"
    )
    changes, sheet = {}, []
    for name in track(classes, "Measuring", console=Console(stderr=True), transient=True):
        shares = []
        for adapters in (None, weights):
            texts = [CLASSES[name][0]] * arguments.seeds
            made = model.generate(texts, resolution=1.0, seed=0, sampler=arguments.sampler, adapters=adapters)
            images = [np.asarray(image) for image in made]
            shares.append(float(np.mean(judge.predict(looked_at(eyes, images)) == name)))
            if name in (arguments.label, "forest", "beach"):
                sheet += images[:8]
        changes[name] = shares[1] - shares[0]
        table.add_row(name, *(f"{share:.0%}" for share in shares))
    others = [change for name, change in changes.items() if name != arguments.label]
    Console().print(table)
    print(f"{arguments.label} {changes[arguments.label]:+.0%}, mean of the {len(others)} others {np.mean(others):+.1%}")
    tile_images(sheet, columns=8).save(arguments.out / "before-after.png")


def write_folder(rows: list[dict], label: str, folder: Path) -> None:
    """Images of a class with their captions, as a user has them."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = [row for row in rows if row["split"] == "train" and class_of(row["label"]) == label][:IMAGES]
    lines = []
    for number, row in enumerate(chosen):
        name = f"{number:03d}.webp"
        (folder / name).write_bytes(row["image"]["bytes"])
        lines.append(json.dumps({"file_name": name, "text": row["captions"]}))
    (folder / "metadata.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def train_judge(rows: list[dict], eyes: Eyes) -> tuple[Pipeline, float]:
    """A judge of RSICD's classes, and its accuracy on images that were held back."""
    found = []
    for split, count in (("train", TAUGHT), ("val", TESTED)):
        taken: dict[str, list[dict]] = {}
        for row in rows:
            if row["split"] == split:
                taken.setdefault(class_of(row["label"]), []).append(row)
        chosen = [
            (name, row)
            for name, several in sorted(taken.items())
            for row in several[:: len(several) // count or 1][:count]
        ]
        images = [decode_image(row["image"]["bytes"], row["place"]) for _, row in chosen]
        found.append((looked_at(eyes, images), [name for name, _ in chosen]))
    judge = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500)).fit(*found[0])
    return judge, float(judge.score(*found[1]))


@torch.no_grad()
def looked_at(eyes: Eyes, images: list[np.ndarray]) -> np.ndarray:
    """Means of the features at three scales, float32 (N, 472)."""
    found = []
    for start in range(0, len(images), 32):
        small = [cv2.resize(np.ascontiguousarray(one), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
                 for one in images[start : start + 32]]  # fmt: skip
        pixels = torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2).float() / 255
        found.append(np.concatenate([part.mean((2, 3)).numpy() for part in eyes(pixels)[1:]], 1))
    return np.concatenate(found)


if __name__ == "__main__":
    main()
