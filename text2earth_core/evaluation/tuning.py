"""Fine-tuning after a protocol (paper, Table II): on RSICD's training images, measured before and after."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from text2earth_core.data.corpus import load_corpus
from text2earth_core.errors import Text2EarthError
from text2earth_core.evaluation.generated import NamedReport
from text2earth_core.evaluation.run import Budget, evaluate
from text2earth_core.folder import locate
from text2earth_core.model import Text2Earth
from text2earth_core.sampling.settings import QUALITY
from text2earth_core.training.copies import copy_model
from text2earth_core.training.finetune import finetune

RSICD = "rsicd"

MEASURED = ("networks", "distances", "class_accuracy", "alignment")
"""Fréchet distance, Cls-OA and CLIP score."""

TUNED = "model"
"""Folder, in that of the adapter, of the model with the adapter folded in: what is measured afterwards."""


def finetune_by_protocol(
    data: Path,
    out: Path,
    start: str | Path,
    images: int | None,
    *,
    full: bool = False,
    progress: NamedReport,
    **options: Any,
) -> dict[str, Any]:
    """Measure, fine-tune on RSICD's training images, and measure again by the same networks.

    Args:
        data: folder with `rsicd` as `data.corpus` reads it. images: a side; None takes the protocol's. options: of
            `finetune`.

    Returns:
        What `finetune` does, with "before" and "after": the figures of the measurements `MEASURED`.

    Raises:
        Text2EarthError: the data set is not there, or as `finetune` and `evaluate`.
    """
    corpus = load_corpus(data, files=[RSICD])
    folder = locate(start)
    if (out / TUNED).resolve() == folder.resolve():
        raise Text2EarthError(f"{folder} is what a former run made of another model: name that one with --model.")
    tuned = finetune(corpus, out, start=folder, full=full, **options)
    after = out
    if not full:
        after = out / TUNED
        write_folded(folder, out, after)
    budget, reports = Budget(images=images), out / "runs" / "protocol"
    shared: dict[str, Any] = {
        "only": MEASURED, "networks": reports / "networks", "device": options.get("device"), "progress": progress
    }  # fmt: skip
    found = {
        name: evaluate(place, data, reports / name, budget, **shared)["figures"]
        for name, place in (("before", folder), ("after", after))
    }
    return tuned | found


def write_folded(start: Path, adapter: Path, out: Path) -> None:
    """Write a model with an adapter folded into its UNet, without its student, of which the UNet is another."""
    model = Text2Earth.from_pretrained(start, device="cpu", dtype="float32")
    info = model.load_adapter(adapter, "own")
    shutil.rmtree(out, ignore_errors=True)
    copy_model(start, out)
    model.unet_of(QUALITY, ((info.fingerprint, 1.0),)).save_pretrained(out / "unet")
