"""How long growing a scene by half a window takes, and how much of that is not the model.

    python benchmarks/extend.py [--model FOLDER_OR_HUB_ID | --preset NAME] [--sampler quality|fast] [--steps N]
                                [--repeat N] [--threads N]

Grows a scene to the right in a temporary file, one half window at a time, from the request to the change on the disk,
previews off. Prints medians: the whole, the part inside the UNet's forward passes, the part in the final decode, and
whole / (UNet + decode): 1.00 would mean that text, scheduler, masks, blending, tiles and disk cost nothing. Last, what
an extension costs whose prompt differs from that of the ground, as a multiple of one that goes on with it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from canvas import Scene
from canvas.paint.extend import extension_frame
from canvas.paint.painter import Painter
from text2earth_core import Text2Earth
from text2earth_core.sampling.settings import FAST, QUALITY, Sampling

SHIPPED = Path(__file__).parent.parent / "assets" / "models" / "text2earth-mini"
PROMPTS = "farmland by a river", "a desert"
TIMED = ("total", "unet", "decode", "accept")


class Stopwatch:
    """Adds up the time spent in parts of a model; waits for an accelerator before it reads the clock."""

    def __init__(self, model: Text2Earth) -> None:
        self.seconds = dict.fromkeys(TIMED, 0.0)
        self._cuda = model.info.device.startswith("cuda")
        self._started = 0.0
        for network in {model.unet_of(sampler) for sampler in model.info.samplers}:
            network.register_forward_pre_hook(lambda *_: self._start())
            network.register_forward_hook(lambda *_: self._stop("unet"))
        model.decode = self._timed(model.decode)  # type: ignore[method-assign]

    def now(self) -> float:
        if self._cuda:
            torch.cuda.synchronize()
        return time.perf_counter()

    def _start(self) -> None:
        self._started = self.now()

    def _stop(self, part: str) -> None:
        self.seconds[part] += self.now() - self._started

    def _timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            self._start()
            result = function(*arguments)
            self._stop("decode")
            return result

        return timed


def measure(model: Text2Earth, sampler: str, steps: int | None, repeat: int) -> dict[str, float]:
    """Median seconds of each part over `repeat` extensions, after two that are not counted.

    In turn with them another prompt takes over, which is asked beside ground that it disagrees with: `changed` is what
    that costs, as a share of the extension just before.
    """
    painter, watch = Painter(model), Stopwatch(model)
    runs: list[dict[str, float]] = []
    changed: list[float] = []

    def extend(seed: int, prompt: str, follow: float | None) -> dict[str, float]:
        watch.seconds = dict.fromkeys(TIMED, 0.0)
        start = watch.now()
        frame = extension_frame(scene, "right", model.info.window)
        settings = Sampling(seed=seed, steps=steps, sampler=sampler, follow=follow)
        change = painter.paint(scene, painter.request(scene, frame, prompt, settings))
        painted = watch.now()
        scene.accept(change)
        watch.seconds["accept"] = watch.now() - painted
        watch.seconds["total"] = watch.now() - start
        return watch.seconds

    with tempfile.TemporaryDirectory() as folder, Scene.create(Path(folder) / "scene.t2e", 1.0) as scene:
        for number in range(repeat + 2):
            plain = extend(number, PROMPTS[number % 2], 0.0)
            led = extend(number, PROMPTS[(number + 1) % 2], None)
            if number >= 2:
                runs.append(plain)
                changed.append(led["total"] / plain["total"])
    median = {part: statistics.median(run[part] for run in runs) for part in TIMED}
    median["changed"] = statistics.median(changed)
    median["ratio"] = statistics.median(run["total"] / (run["unet"] + run["decode"]) for run in runs)
    return median


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the extension of a scene by half a window.")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--model", default=str(SHIPPED), help="folder or hub id; default: the shipped model")
    source.add_argument("--preset", help="random weights of a preset instead: the same time, no picture")
    parser.add_argument("--device", help="cpu, cuda, ...; default: the best there is")
    parser.add_argument("--sampler", choices=(QUALITY, FAST), default=QUALITY)
    parser.add_argument("--steps", type=int, help="default: the sampler's own")
    parser.add_argument("--repeat", type=int, default=9)
    parser.add_argument("--threads", type=int, help="CPU threads of torch; default: its own choice")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.preset:
        model = Text2Earth.from_preset(options.preset)
    else:
        model = Text2Earth.from_pretrained(options.model, device=options.device)
    found = measure(model, options.sampler, options.steps, options.repeat)
    info = model.info
    steps = info.steps_of(options.steps, options.sampler)
    if options.json:
        where = {"model": info.name, "device": info.device, "dtype": info.dtype, "steps": steps}
        print(json.dumps(where | found))
        return
    print(f"{info.name} on {info.device}, {info.dtype}, {torch.get_num_threads()} threads, window {info.window} px, "
          f"{options.sampler}, {steps} steps, median of {options.repeat}")  # fmt: skip
    for label, value in (
        ("extension by half a window", found["total"]),
        ("  in the UNet", found["unet"]),
        ("  in the final decode", found["decode"]),
        ("  accepting (tiles, disk)", found["accept"]),
    ):
        print(f"{label:<30}{value:8.3f} s")
    print(f"{'total / (UNet + decode)':<30}{found['ratio']:8.3f}   (at most 1.25)")
    print(f"{'with another prompt / without':<30}{found['changed']:8.3f}   (at most 1.6)")


if __name__ == "__main__":
    main()
