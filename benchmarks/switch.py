"""What other modalities cost: switching to one, a generation with its adapter, and memory after many switches.

    python benchmarks/switch.py [--model FOLDER_OR_HUB_ID] [--sampler quality|fast] [--switches N] [--repeat N]
                                [--threads N] [--json]

A switch is everything from a modality's name to a network that is ready: the first one folds its adapter in, and so
does any whose network was given up meanwhile. Generations with and without adapter are timed in turn, so that both
meet the same machine. Memory is what the process holds after a round of all modalities, and after the last.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import time
from itertools import cycle, islice
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from text2earth_core import Text2Earth
from text2earth_core.modalities import RGB
from text2earth_core.sampling.settings import FAST, Sampling

SHIPPED = Path(__file__).parent.parent / "assets" / "models" / "text2earth-mini"
PROMPT = "farmland by a river"
TARGETS = {"switch": 0.3, "ratio": 1.1, "growth": 20.0}
"""At most: seconds, times, MB."""


def switch_seconds(model: Text2Earth, sampler: str, modality: str) -> float:
    """Seconds from the name of a modality to its network."""
    start = time.perf_counter()
    settled = model.settled(Sampling(sampler=sampler, layer=modality))
    model.unet_of(sampler, settled.adapters)
    return time.perf_counter() - start


def generate_seconds(model: Text2Earth, sampler: str, modality: str) -> float:
    """Seconds of one generation."""
    start = time.perf_counter()
    model.generate(PROMPT, sampler=sampler, modality=modality)
    return time.perf_counter() - start


def megabytes() -> float:
    """What the process holds in memory."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 1024)


def measure(model: Text2Earth, sampler: str, switches: int, repeat: int) -> dict[str, float]:
    """Medians of seconds, the ratio of generations, and how much memory grew over all switches, in MB."""
    own = sorted({info.modality for info in model.adapters} - {RGB})
    modalities = [RGB, *own]
    first = [switch_seconds(model, sampler, modality) for modality in own]
    generate_seconds(model, sampler, RGB)
    with_, without = [], []
    for modality in islice(cycle(own), repeat):
        without.append(generate_seconds(model, sampler, RGB))
        with_.append(generate_seconds(model, sampler, modality))
    again, before = [], megabytes()
    for modality in islice(cycle(modalities), switches):
        again.append(switch_seconds(model, sampler, modality))
        noise = torch.zeros(4, 8, 8)
        model.denoise("", Sampling(sampler=sampler, layer=modality), known=None, mask=None, noise=noise)
    return {
        "switch": max(first), "switch_again": statistics.median(again), "slowest_again": max(again),
        "generate": statistics.median(without), "ratio": statistics.median(with_) / statistics.median(without),
        "growth": megabytes() - before, "switches": switches,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=SHIPPED)
    parser.add_argument("--sampler", default=FAST)
    parser.add_argument("--switches", type=int, default=200)
    parser.add_argument("--repeat", type=int, default=15)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    model = Text2Earth.from_pretrained(options.model)
    if not model.adapters:
        sys.exit(f"{options.model} has no adapters: train some with `text2earth train adapters`.")
    found = measure(model, options.sampler, options.switches, options.repeat)
    if options.json:
        print(json.dumps(found, indent=1))
        return
    table = Table("", "measured", "at most", title=f"{model.info.name} {model.info.fingerprint}, {options.sampler}")
    for name, value in found.items():
        table.add_row(name.replace("_", " "), f"{value:.3f}", f"{TARGETS[name]:g}" if name in TARGETS else "")
    Console().print(table)


if __name__ == "__main__":
    main()
