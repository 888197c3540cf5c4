"""What filling a region costs: UNet time against covering the area once, and memory against size.

    python benchmarks/fill.py [--model FOLDER_OR_HUB_ID | --preset NAME] [--side PX ...] [--steps N] [--json]

For each side it fills a square in a temporary scene, each in a process of its own, and prints: megapixels, windows
stepped per window of a cover without overlap (1.35 is the limit at 4096 px and more), the same with what batches are
padded by, seconds in the UNet over seconds for that cover at the same number of steps and batch size (only meaningful
on an idle machine), seconds altogether over seconds in the UNet, and the peak of resident memory in MB. `--plan` only
counts windows and computes nothing.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

SHIPPED = Path(__file__).parent.parent / "assets" / "models" / "text2earth-mini"
PROMPTS = [{"text": "forest"}]
PROBES = 8  # batches timed for the cover


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=str(SHIPPED))
    parser.add_argument("--preset", help="a model with random weights instead, such as tiny")
    parser.add_argument("--side", type=int, nargs="+", default=[1024, 4096])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--plan", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = [plan(side, options) if options.plan else _apart(side, options) for side in options.side]
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print("  ".join(f"{name:>12}" for name in rows[0]))
    for row in rows:
        print("  ".join(f"{value:>12}" for value in row.values()))


def plan(side: int, options: argparse.Namespace) -> dict[str, Any]:
    """Windows per window of a cover, counted."""
    from canvas.fill.grid import cover, phases
    from canvas.geometry import CELL, Rect

    window = _load(options).info.window // CELL
    bounds = Rect(0, 0, side // CELL, side // CELL)
    windows = sum(phase.count for phase in phases(bounds, window, options.steps))
    return {"side": side, "windows": windows, "per cover": round(windows / options.steps / cover(bounds, window), 3)}


def measure(side: int, options: argparse.Namespace) -> dict[str, Any]:
    """One fill of `side` x `side` px, timed."""
    import numpy as np

    from canvas import Scene
    from canvas.fill.region_fill import RegionFill, fill_request
    from canvas.fill.workers import Batch, FillWorker, LocalWorkers

    class Timed(FillWorker):
        """Adds up the seconds in the UNet, over all threads."""

        seconds = 0.0
        count = 0

        def step(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
            started = time.perf_counter()
            result = super().step(batch)
            self.seconds += time.perf_counter() - started
            self.count += 1
            self.last = batch
            return result

    model = _load(options)
    with tempfile.TemporaryDirectory() as folder, Scene.create(Path(folder) / "fill.t2e", 1.0) as scene:
        request = fill_request(model, scene, [0, 0, side, side], PROMPTS, steps=options.steps)
        worker = Timed(model, request)
        workers = LocalWorkers(worker, model.info.device)
        fill = RegionFill(scene, model, request, workers)
        started = time.perf_counter()
        fill.run()
        total = time.perf_counter() - started
        spent, batches = worker.seconds, worker.count
        list(workers.map("step", [worker.last] * PROBES))
        per_window = (worker.seconds - spent) / PROBES / len(worker.last.latents)
        workers.close()
    cost = fill.cost
    return {
        "Mpx": round(side * side / 1e6, 2),
        "windows": cost.windows,
        "per cover": round(cost.cover, 3),
        "with padding": round(batches * len(worker.last.latents) * cost.cover / cost.windows, 3),
        "UNet / cover": round(spent / (per_window * cost.windows / cost.cover), 3),
        "all / UNet": round(total * workers.count / spent, 3),
        "seconds": round(total, 1),
        "peak MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def _load(options: argparse.Namespace) -> Any:
    from text2earth_core import Text2Earth

    if options.preset:
        return Text2Earth.from_preset(options.preset)
    return Text2Earth.from_pretrained(options.model)


def _apart(side: int, options: argparse.Namespace) -> dict[str, Any]:
    """In a fresh process: a peak of memory is never taken back."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, (side, options))


if __name__ == "__main__":
    main()
