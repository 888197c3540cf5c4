"""Whether pictures hold as many objects as their prompts say, as the model draws them and with places laid out first.

Everything made lies in the report's folder: the trained counter and the pictures one by one. The same command goes on
after any stop.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from text2earth_core.data.corpus import load_corpus
from text2earth_core.device import pick_device
from text2earth_core.evaluation.bootstrap import bootstrap
from text2earth_core.model import Text2Earth
from text2earth_core.sampling.settings import FAST, QUALITY
from text2earth_core.study.counting.counter import Counter, count, load, measured, save, train, usual_of
from text2earth_core.study.counting.labels import Labelled, labelled
from text2earth_core.study.counting.places import draw_counted
from text2earth_core.study.counting.plan import Plan
from text2earth_core.study.counting.report import write_report
from text2earth_core.study.counting.words import KINDS, Kind, phrase, read_count
from text2earth_core.study.kept_plan import keep_plan
from text2earth_core.study.training import fitted
from text2earth_core.whole_file import whole_file

DATA_SET = "rsicd"
COUNTER = "counter.safetensors"
FIRST_SEED = 2_000_000
"""Of the pictures: far from those with which a model is measured elsewhere."""

WAYS = ("as drawn", "with places")
Progress = Callable[[str, int, int], None]


def study_counting(
    folder: Path, data: Path, out: Path, plan: Plan, *, towers: Path | None = None, sampler: str | None = None,
    device: str | None = None, progress: Progress,
) -> dict[str, Any]:  # fmt: skip
    """Train a counter on real images, draw, count, and write `out/report.html` and `out/report.json`.

    Args:
        folder: of the model, or its hub id. towers: model folder from whose image tower the counter begins, for all
            models the same; None: from scratch. sampler: default the fast one where the model has it.

    Returns:
        {"model", "plan", "training_images", "counter" as `counter.measured` on held-back real images, "table" as
        `table_of`, "pictures": [{"prompt", "files" and "counts" by way}]}.

    Raises:
        Text2EarthError: data or model are missing, or `out` holds a study of another plan or model.
    """
    place = pick_device(device)
    model = Text2Earth.from_pretrained(folder, device)
    sampler = sampler or (FAST if FAST in model.info.samplers else QUALITY)
    told = plan.as_dict() | {"model": model.info.fingerprint, "sampler": sampler}
    known = labelled(load_corpus(data, "train", [DATA_SET], side=plan.side), plan.side)
    others = labelled(load_corpus(data, "val", [DATA_SET], side=plan.side), plan.side)
    keep_plan(out, told)
    counter = _counter(plan, known, towers, out / COUNTER, place, progress)
    pictures = _draw(model, plan, sampler, out, progress)
    for picture in pictures:
        column = KINDS.index(picture["kind"])
        seen = [fitted(np.asarray(Image.open(out / name).convert("RGB")), plan.side) for name in picture["files"]]
        picture["counts"] = count(counter, np.stack(seen), place)[:, column].tolist()
        picture["kind"] = picture["kind"].name
    report = {
        "model": model.info.as_dict(), "plan": told, "training_images": int((known.counts >= 1).any(axis=1).sum()),
        "counter": measured(counter, others, usual_of(known.counts), place), "table": table_of(pictures),
        "pictures": pictures,
    }  # fmt: skip
    write_report(report, out)
    return report


def table_of(pictures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of each kind and of all: how many pictures, and for each way and the gain the share of right counts with its
    interval of 95 %, the share within one and the mean absolute error.

    Args:
        pictures: each with "kind", "number" and "counts" in the order of `WAYS`.
    """
    names = list(dict.fromkeys(picture["kind"] for picture in pictures))
    rows = []
    for name in [*names, *(["all"] if len(names) > 1 else [])]:
        mine = [picture for picture in pictures if name in ("all", picture["kind"])]
        asked = np.array([picture["number"] for picture in mine])
        off = np.abs(np.array([picture["counts"] for picture in mine]) - asked[:, None])  # (N, 2)
        groups = (np.arange(len(mine)),)
        row: dict[str, Any] = {"kind": name, "pictures": len(mine)}
        for column, way in enumerate(WAYS):
            right = off[:, column] == 0
            row[way] = {
                "exact": bootstrap(lambda chosen, right=right: float(right[chosen].mean()), groups).as_dict(),
                "within_one": float((off[:, column] <= 1).mean()), "error": float(off[:, column].mean()),
            }  # fmt: skip
        gain = (off[:, 1] == 0).astype(float) - (off[:, 0] == 0)
        row["gain"] = bootstrap(lambda chosen, gain=gain: float(gain[chosen].mean()), groups).as_dict()
        rows.append(row)
    return rows


def _counter(
    plan: Plan, known: Labelled, towers: Path | None, path: Path, place: torch.device, progress: Progress
) -> Counter:
    if path.is_file():
        return load(path, place)
    counter = train(Counter.begun(0, towers), known, plan.steps, plan.batch, 0, place, progress)
    save(counter, path)
    return counter


def _draw(model: Text2Earth, plan: Plan, sampler: str, out: Path, progress: Progress) -> list[dict[str, Any]]:
    """Every picture both ways, those that are there already left as they are."""
    (out / "images").mkdir(parents=True, exist_ok=True)
    wanted, drawn = plan.wanted(), []
    for done, (kind, number, copy) in enumerate(wanted):
        prompt, seed = phrase(number, kind), FIRST_SEED + 1000 * copy + number
        files = [f"images/{kind.name.replace(' ', '-')}-{number:02d}-{copy}-{way}.png" for way in ("a", "b")]
        for name, made in zip(files, (_as_drawn, _with_places), strict=True):
            if not (out / name).is_file():
                picture = made(model, prompt, kind, seed, plan.size, sampler)
                with whole_file(out / name, durable=False) as part:
                    picture.save(part)
        drawn.append({"prompt": prompt, "kind": kind, "number": number, "seed": seed, "files": files})
        progress("Drawing", done + 1, len(wanted))
    return drawn


def _as_drawn(model: Text2Earth, prompt: str, kind: Kind, seed: int, size: int | None, sampler: str) -> Image.Image:
    """The prompt with the same ground that places are laid out on, so that both ways are asked for the same."""
    (picture,) = model.generate(f"{prompt} on {kind.ground}", seed=seed, size=size, sampler=sampler)
    return picture


def _with_places(model: Text2Earth, prompt: str, kind: Kind, seed: int, size: int | None, sampler: str) -> Image.Image:
    return draw_counted(model, read_count(f"{prompt} on {kind.ground}"), seed=seed, size=size, sampler=sampler)
