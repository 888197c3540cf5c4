"""One evaluation from start to report: resumable, within a time budget, each measurement stored once it is there."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from text2earth_core.alignment import towers_fingerprint
from text2earth_core.errors import Text2EarthError
from text2earth_core.evaluation.context import Context
from text2earth_core.evaluation.generated import NamedReport
from text2earth_core.evaluation.measurements import MEASUREMENTS
from text2earth_core.evaluation.plan import Plan
from text2earth_core.evaluation.report import write_report
from text2earth_core.evaluation.speed import tile_seconds
from text2earth_core.model import Text2Earth
from text2earth_core.sampling.feather import FEATHER
from text2earth_core.whole_file import whole_file

PLAN_FILE = "plan.json"

MEASURED_WITH_TOWERS = ("towers", "alignment", "guidance")
"""Their figures depend on weights that the model's fingerprint does not cover, as sampling does not need them."""


@dataclass(frozen=True)
class Budget:
    """What a person allows: minutes, or images a side; neither means the protocol's counts."""

    minutes: float | None = None
    images: int | None = None

    def __post_init__(self) -> None:
        if self.images is not None and self.images < 30:
            raise Text2EarthError(f"{self.images} images are too few to measure anything: give 30 or more.")
        if self.minutes is not None and self.minutes <= 0:
            raise Text2EarthError("The time budget must be more than zero minutes.")


def evaluate(
    folder: Path,
    data: Path,
    out: Path,
    budget: Budget,
    *,
    student: bool = False,
    hub: bool = False,
    modalities: bool = False,
    translation: bool = False,
    networks: Path | None = None,
    only: Sequence[str] = (),
    device: str | None = None,
    progress: NamedReport,
) -> dict[str, Any]:
    """Measure a model and write `out/report.html` and `out/report.json`.

    Args:
        folder: the model's. data: parquet files of real images. out: of this evaluation; what an earlier run with the
            same budget left there is taken up. networks: folder of the trained networks, to be shared by evaluations
            (default: inside `out`). hub: also measure with Inception-v3 and CLIP, fetched from the hub. modalities:
            also measure what the model makes with its adapters. translation: and its translator. only: names of
            `MEASUREMENTS`; empty means all.

    Returns:
        The content of `report.json`.

    Raises:
        Text2EarthError: a measurement is not known, the model has no student, or model or data cannot be read.
    """
    unknown = [name for name in only if name not in MEASUREMENTS]
    if unknown:
        raise Text2EarthError(f"There is no measurement {unknown[0]}: choose from {', '.join(MEASUREMENTS)}.")
    model = Text2Earth.from_pretrained(folder, device=device)
    if student and "fast" not in model.info.samplers:
        raise Text2EarthError(f"{folder} has no student: train one with `text2earth train student`, or leave it out.")
    samplers = ("quality", "fast") if student else ("quality",)
    out.mkdir(parents=True, exist_ok=True)
    plan = choose_plan(model, out, budget, len(samplers))
    started = time.monotonic()
    context = Context(
        model, folder, data, out, networks or out / "networks", plan, samplers, hub, progress, modalities, translation
    )
    results = out / "results"
    results.mkdir(exist_ok=True)
    report: dict[str, Any] = {
        "model": model.info.as_dict(), "samples": model.facts.samples, "plan": plan.as_dict(),
        "below_protocol": plan.below_protocol, "samplers": list(samplers), "figures": {}, "skipped": [],
    }  # fmt: skip
    for name, measure in MEASUREMENTS.items():
        depends = [context.sampled_by, plan.as_dict(), samplers, hub and name == "pretrained"]
        if name == "speed":
            depends.append(model.info.device)
        if name == "outpainting":
            depends.append(FEATHER)
        if name == "modalities" and modalities:
            depends += [info.fingerprint for info in model.adapters]
        if name == "translation" and translation:
            depends.append(model.translators.fingerprint)
        if name in MEASURED_WITH_TOWERS:
            depends.append(towers_fingerprint(folder))
        key = hashlib.sha256(json.dumps(depends).encode()).hexdigest()[:12]
        stored = results / f"{name}-{key}.json"
        wanted = not only or name in only
        late = budget.minutes is not None and time.monotonic() - started > 60 * budget.minutes
        if wanted and not stored.is_file() and not late:
            progress(f"measuring {name}", 0, 0)
            figures = measure(context)
            with whole_file(stored, durable=False) as part:
                part.write_text(json.dumps(figures, indent=1), encoding="utf-8")
        if stored.is_file():
            report["figures"][name] = json.loads(stored.read_text(encoding="utf-8"))
        else:
            report["skipped"].append(name)
    report["minutes"] = round((time.monotonic() - started) / 60, 1)
    write_report(report, context)
    return report


def choose_plan(model: Text2Earth, out: Path, budget: Budget, samplers: int) -> Plan:
    """The plan of a budget; a time budget's is written down, so that a resumed run has the same counts."""
    if budget.minutes is None:
        return Plan.with_images(budget.images) if budget.images else Plan()
    wish = {"minutes": budget.minutes, "model": model.info.fingerprint, "samplers": samplers}
    file = out / PLAN_FILE
    if file.is_file():
        stored = json.loads(file.read_text())
        if stored["wish"] == wish:
            return Plan(**stored["plan"])
    plan = Plan.within(budget.minutes, tile_seconds(model, repeat=1), samplers)
    file.write_text(json.dumps({"wish": wish, "plan": plan.as_dict()}, indent=1))
    return plan
