"""How long a 256 px tile takes: student and teacher against stock diffusers and the official model's size, in one run.

    python benchmarks/speed.py [--model FOLDER_OR_HUB_ID] [--repeat N] [--threads N] [--without-official] [--json]

Stock diffusers: its inpainting pipeline with the same UNet, 50 steps with guidance, and an autoencoder of Stable
Diffusion's size. Official size: the same pipeline with a UNet of 868 million weights in bfloat16. Both have random
weights where ours do not fit, which costs the same time; text towers are left out, in their favour.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from rich.console import Console
from rich.table import Table
from stock import StockInpainting, sd_size_vae

from text2earth_core import Text2Earth
from text2earth_core.evaluation.speed import PROMPT, median_seconds, part_seconds, tile_seconds
from text2earth_core.networks.build import build_unet
from text2earth_core.networks.presets import get_preset

SHIPPED = Path(__file__).parent.parent / "assets" / "models" / "text2earth-mini"
STEPS = 50
GUIDANCE = 4.0
WINDOW = 256
TARGETS = {"stock": 20, "official": 150}
"""Times that the student must be faster than each."""


def stock_seconds(unet: UNet2DConditionModel, scheduler: DDIMScheduler, text: torch.Tensor, repeat: int) -> float:
    """One inpainted window with stock diffusers and an autoencoder of Stable Diffusion's size.

    Args:
        text: embeddings (1, tokens, width).
    """
    stock = StockInpainting(unet, sd_size_vae(unet.dtype), scheduler, level=17.0)
    image, mask = np.full((WINDOW, WINDOW, 3), 128, np.uint8), np.zeros((WINDOW, WINDOW), bool)
    mask[:, WINDOW // 2 :] = True
    text = text.to(unet.dtype)

    def work() -> None:
        stock(text, text, [image], mask, STEPS, GUIDANCE, seed=0)

    # The first run of a minute's work warms nothing up that would count.
    return median_seconds(work, repeat, unet.device, warm_up=0)


def official_size_unet() -> UNet2DConditionModel:
    """A UNet of the official dimensions with random weights in bfloat16."""
    torch.set_default_dtype(torch.bfloat16)
    try:
        return build_unet(get_preset("text2earth")).eval()
    finally:
        torch.set_default_dtype(torch.float32)


@torch.no_grad()
def measure(model: Text2Earth, repeat: int, official: bool) -> dict[str, float]:
    """Seconds a tile of each way; ways that this model lacks are left out."""
    found: dict[str, float] = {}
    for name, sampler in (("student", "fast"), ("teacher", "quality")):
        if sampler in model.info.samplers:
            found[name] = tile_seconds(model, sampler, repeat)
        else:
            print(f"{model.info.name} has no student yet: left out.", file=sys.stderr)
    found |= {f"one {part}": seconds for part, seconds in part_seconds(model).items()}
    found["stock"] = stock_seconds(model.unet, model.scheduler, model.text.embed([PROMPT]), 1)
    if official:
        unet = official_size_unet()
        text = torch.randn(1, 77, unet.config.cross_attention_dim)
        found["official"] = stock_seconds(unet, DDIMScheduler(), text, 1)
    return found


def main() -> None:
    """Print seconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=str(SHIPPED))
    parser.add_argument("--repeat", type=int, default=5, help="timings of student and teacher, of which the median")
    parser.add_argument("--threads", type=int, help="CPU threads of torch; default: its own choice")
    parser.add_argument("--without-official", action="store_true", help="leave out the path that takes a minute")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    model = Text2Earth.from_pretrained(options.model)
    found = measure(model, options.repeat, not options.without_official)
    ours = found.get("student", found["teacher"])
    if options.json:
        ratios = {f"{name}_over_ours": found[name] / ours for name in TARGETS if name in found}
        print(json.dumps(found | ratios | {"ours": "student" if "student" in found else "teacher"}, indent=1))
        return
    threads = torch.get_num_threads()
    table = Table("way", "s a tile", "against ours", "required", title=f"{model.info.dtype}, {threads} threads")
    for name, seconds in found.items():
        target = f"{TARGETS[name]}x for the student" if name in TARGETS else ""
        ratio = "" if name.startswith("one ") else f"{seconds / ours:.1f}x"
        table.add_row(name, f"{seconds:.3f}", ratio, target)
    Console().print(table)
    if "student" not in found:
        print("Ratios are to the teacher.")


if __name__ == "__main__":
    main()
