"""Whether generated images make a small training set larger (paper, Table V): classifiers with and without them.

Everything made lies in the report's folder: images one by one, and the accuracy of every training once it is done. The
same command goes on after any stop.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from scipy import stats

from text2earth_core.data.captions import caption_of, class_of, spread_classes
from text2earth_core.data.corpus import Picture, load_corpus
from text2earth_core.device import pick_device
from text2earth_core.errors import Text2EarthError
from text2earth_core.evaluation.bootstrap import Interval
from text2earth_core.model import Text2Earth
from text2earth_core.sampling.settings import FAST, QUALITY
from text2earth_core.study.backbones import build
from text2earth_core.study.kept_plan import keep_plan
from text2earth_core.study.plan import Plan
from text2earth_core.study.report import write_report
from text2earth_core.study.training import Pixels, accuracy, fitted, train
from text2earth_core.whole_file import whole_file

DATA_SET = "rsicd"
FIRST_SEED = 1_000_000
"""Of the generated images: far from those with which a model is measured elsewhere."""

RESULTS = "results.json"
WIDER = ("networks", "seeds")
"""Of a plan what may be more when the study goes on: no result that is there depends on it."""

Progress = Callable[[str, int, int], None]


def study_augmentation(
    folder: Path, data: Path, out: Path, plan: Plan, *, sampler: str | None = None, pretrained: bool = False,
    device: str | None = None, progress: Progress,
) -> dict[str, Any]:  # fmt: skip
    """Generate, train, and write `out/report.html` and `out/report.json`.

    Args:
        folder: of the model, or its hub id. sampler: default the fast one where the model has it.

    Raises:
        Text2EarthError: data or model are missing, or `out` holds a study of another plan or model.
    """
    place = pick_device(device)
    model = Text2Earth.from_pretrained(folder, device)
    sampler = sampler or (FAST if FAST in model.info.samplers else QUALITY)
    real = spread_classes(load_corpus(data, "train", [DATA_SET]))[: max(plan.copies)]
    if len(real) < max(plan.copies):
        raise Text2EarthError(f"{data} holds {len(real)} training images of {DATA_SET}, {max(plan.copies)} are needed.")
    told = plan.as_dict() | {"model": model.info.fingerprint, "sampler": sampler, "pretrained": pretrained}
    keep_plan(out, {name: value for name, value in told.items() if name not in WIDER})
    classes = sorted({class_of(picture.label) for picture in real})
    generate(model, real, plan, sampler, out / "images", progress)
    results = _run(plan, classes, real, data, out, pretrained, place, progress)
    report = {"model": model.info.as_dict(), "plan": told, "classes": len(classes), "table": table_of(results, plan)}
    report["pretrained"] = sorted({row["network"] for row in results if row["pretrained"]})
    write_report(report, out)
    return report


def generate(model: Text2Earth, real: list[Picture], plan: Plan, sampler: str, place: Path, progress: Progress) -> None:
    """Make the images that are not there yet, each with its own seed, as PNGs."""
    place.mkdir(parents=True, exist_ok=True)
    wanted = plan.wanted()
    for done, (number, copy) in enumerate(wanted):
        path = place / image_name(number, copy)
        if not path.is_file():
            seed = FIRST_SEED + 1000 * number + copy
            picture = real[number]
            (image,) = model.generate(
                caption_of(picture), resolution=picture.resolution, seed=seed, size=plan.size, sampler=sampler
            )
            with whole_file(path, durable=False) as part:
                Image.fromarray(fitted(np.asarray(image), plan.side)).save(part)
        progress("Generating", done + 1, len(wanted))


def image_name(number: int, copy: int) -> str:
    return f"{number:05d}-{copy:02d}.png"


def table_of(results: list[dict[str, Any]], plan: Plan) -> list[dict[str, Any]]:
    """For each network and number of real images the accuracies without and with generated ones and the gain in points,
    each a mean over the seeds with its 95 % interval.
    """
    rows = []
    by = {(r["network"], r["real"], r["augmented"], r["seed"]): r["accuracy"] for r in results}
    for network in plan.networks:
        for real in plan.copies:
            seeds = [s for s in range(plan.seeds) if all((network, real, a, s) in by for a in (False, True))]
            if not seeds:
                continue
            pairs = np.array([[by[network, real, a, s] for a in (False, True)] for s in seeds])
            row = {"network": network, "real": real, "copies": plan.copies[real], "seeds": len(seeds)}
            row |= {name: mean(pairs[:, i]).as_dict() for i, name in enumerate(("without", "with"))}
            rows.append(row | {"gain": mean(pairs[:, 1] - pairs[:, 0]).as_dict()})
    return rows


def mean(values: np.ndarray) -> Interval:
    """A mean with Student's interval of 95 %; of one value alone nothing is known of its spread."""
    if len(values) < 2:
        return Interval(float(values[0]), float("nan"), float("nan"))
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5
    return Interval(float(values.mean()), float(values.mean() - half), float(values.mean() + half))


def _run(
    plan: Plan, classes: list[str], real: list[Picture], data: Path, out: Path, pretrained: bool, place: torch.device,
    progress: Progress,
) -> list[dict[str, Any]]:  # fmt: skip
    """Every training that is not done yet; each result is on the disk before the next one begins."""
    path = out / RESULTS
    results: list[dict[str, Any]] = json.loads(path.read_text()) if path.is_file() else []
    done = {(row["network"], row["real"], row["augmented"], row["seed"]) for row in results}
    todo = [run for run in plan.runs() if run not in done]
    if not todo:
        return results
    held_back = [p for p in load_corpus(data, "val", [DATA_SET]) if class_of(p.label) in classes]
    others = _of_pictures(held_back, classes, plan.side)
    known = _of_pictures(real, classes, plan.side)
    for number, (network, count, augmented, seed) in enumerate(todo):
        begun = time.monotonic()
        torch.manual_seed(seed)
        built, fetched = build(network, len(classes), plan.side, plan.small, pretrained)
        made = _generated(known, count, plan.copies[count], out / "images") if augmented else None
        mine = Pixels(known.pixels[:count], known.labels[:count])
        trained = train(built, mine, made, plan.steps, plan.batch, plan.learning_rate, seed, place)
        row = {"network": network, "real": count, "augmented": augmented, "seed": seed, "pretrained": fetched}
        row |= {"accuracy": accuracy(trained, others, place), "seconds": round(time.monotonic() - begun, 1)}
        results.append(row)
        with whole_file(path) as part:
            part.write_text(json.dumps(results, indent=1))
        progress("Training classifiers", number + 1, len(todo))
    return results


def _of_pictures(pictures: list[Picture], classes: list[str], side: int) -> Pixels:
    pixels = np.stack([fitted(picture.pixels, side) for picture in pictures])
    return Pixels(pixels, np.array([classes.index(class_of(picture.label)) for picture in pictures]))


def _generated(known: Pixels, count: int, copies: int, place: Path) -> Pixels:
    names = [(number, image_name(number, copy)) for number in range(count) for copy in range(copies)]
    pixels = np.stack([np.asarray(Image.open(place / name).convert("RGB")) for _, name in names])
    return Pixels(pixels, known.labels[[number for number, _ in names]])
