"""Samples a second of `train scale`, and of a plain loop in the manner of diffusers' text-to-image script.

    python benchmarks/throughput.py [--model FOLDER] [--batch 16] [--steps 6]

Both train the same UNet on the same rows of Git-10M's columns with the same autoencoder, on this machine, one after the
other. The plain loop does what the script is documented to do by default: a data loader decodes and crops images one
by one on the main process, captions are tokenized and encoded anew at every step, all in float32, with AdamW.
Ours decodes in threads ahead of the step, keeps the embeddings of texts, and computes in bfloat16 where that is fast
(`accelerate launch --mixed_precision bf16`). The rows between the two say what each of that is worth.
"""

from __future__ import annotations

import argparse
import io
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from PIL import Image, ImageOps
from rich.console import Console
from rich.table import Table
from torch.nn import functional as F
from torch.utils.data import DataLoader

from text2earth_core.device import pick_device, pick_dtype
from text2earth_core.folder import load_scheduler, load_text
from text2earth_core.sampling.angles import angles_of
from text2earth_core.training.encoding import Encoder
from text2earth_core.training.scale.algorithm import Algorithm1
from text2earth_core.training.scale.batches import Batches
from text2earth_core.training.scale.pretrain import Course, Run
from text2earth_core.training.scale.rows import Rows
from text2earth_core.training.scale.start import starting_unet

ROOT = Path(__file__).parent.parent
ROWS, SIDE = 256, 256


def main() -> None:
    """Print samples a second of each way, and how many times as fast as the plain loop it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=ROOT / "assets" / "models" / "text2earth-mini")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=6)
    arguments = parser.parse_args()
    table = Table(
        "loop", "samples/s", "times", title=f"{arguments.model.name}, {SIDE} px, batches of {arguments.batch}"
    )
    with tempfile.TemporaryDirectory() as place:
        data = Path(place)
        write_rows(data / "rows.parquet")
        ways: dict[str, Callable[[], Callable[[], None]]] = {
            "plain loop": lambda: plain(arguments, data),
            "ours, float32": lambda: ours(arguments, data, "no"),
        }
        if pick_dtype(pick_device()) == torch.bfloat16:  # elsewhere it is emulated, and an eighteenth as fast
            ways["ours, bfloat16"] = lambda: ours(arguments, data, "bf16")
        first = 0.0
        for name, make in ways.items():
            step = make()
            step()  # does not count
            started = time.perf_counter()
            for _ in range(arguments.steps):
                step()
            rate = arguments.steps * arguments.batch / (time.perf_counter() - started)
            first = first or rate
            table.add_row(name, f"{rate:.2f}", f"{rate / first:.2f}")
    Console().print(table)


def ours(arguments: argparse.Namespace, data: Path, precision: str) -> Callable[[], None]:
    """A step of `train scale`."""
    AcceleratorState._reset_state(True)
    accelerator = Accelerator(mixed_precision=precision)
    course = Course(10**9, arguments.batch, arguments.batch, window=SIDE)
    rows = Rows(str(data))
    run = Run(accelerator, arguments.model, data / f"out-{precision}", course, rows)
    encoder, scheduler = Encoder(arguments.model, any_autoencoder=True), load_scheduler(arguments.model)
    algorithm = Algorithm1(encoder, scheduler, accelerator.device)
    batches = Batches(rows, SIDE, arguments.batch, 0, 1, 0)

    def step() -> None:
        run.step(batches.part(run.samples), algorithm)

    return step


def plain(arguments: argparse.Namespace, data: Path) -> Callable[[], None]:
    """A step of a loop as diffusers' users write it after its script."""
    AcceleratorState._reset_state(True)
    accelerator = Accelerator(mixed_precision="no")
    tokenizer, text_encoder = load_text(arguments.model)
    text_encoder.float()  # the shipped weights are stored in bfloat16
    encoder, unet = Encoder(arguments.model, any_autoencoder=True), starting_unet(arguments.model).train()
    known = angles_of(load_scheduler(arguments.model).alphas_cumprod)
    optimizer = torch.optim.AdamW(unet.parameters(), lr=1e-4)
    rows = pq.read_table(data / "rows.parquet").to_pylist()

    def together(several: list[dict[str, Any]]) -> tuple[torch.Tensor, torch.Tensor]:
        pixels = [prepared(row["image"]["bytes"]) for row in several]
        length = text_encoder.config.max_position_embeddings
        tokens = tokenizer(
            [row["caption"] for row in several], padding="max_length", truncation=True, max_length=length,
            return_tensors="pt",
        ).input_ids  # fmt: skip
        return torch.stack(pixels), tokens

    loader = DataLoader(rows, batch_size=arguments.batch, shuffle=True, collate_fn=together, drop_last=True)
    unet, optimizer, loader = accelerator.prepare(unet, optimizer, loader)
    batches = iter(loader)

    def step() -> None:
        nonlocal batches
        try:
            pixels, tokens = next(batches)
        except StopIteration:
            batches = iter(loader)
            pixels, tokens = next(batches)
        with torch.no_grad():
            clean = encoder.encode(pixels)
            embeddings = text_encoder(tokens).last_hidden_state
        noise, times = torch.randn_like(clean), torch.randint(0, len(known), (len(clean),))
        signal, amount = (part(known[times])[:, None, None, None] for part in (torch.cos, torch.sin))
        noisy = torch.cat([signal * clean + amount * noise, torch.ones_like(clean[:, :1]), torch.zeros_like(clean)], 1)
        output = unet(noisy, times, embeddings, class_labels=torch.full((len(clean),), 17.0)).sample
        accelerator.backward(F.mse_loss(output, noise))
        accelerator.clip_grad_norm_(unet.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    return step


def prepared(data: bytes) -> torch.Tensor:
    """An image resized, cropped to its middle and mirrored by chance, float32 (3, H, W) in [0, 1]."""
    image = ImageOps.fit(Image.open(io.BytesIO(data)).convert("RGB"), (SIDE, SIDE), Image.Resampling.BILINEAR)
    image = ImageOps.mirror(image) if torch.rand(()) < 0.5 else image
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255


def write_rows(file: Path) -> None:
    """Rows with Git-10M's columns: noise that compresses as photographs do."""
    rng, rows = np.random.default_rng(0), []
    for number in range(ROWS):
        coarse = rng.integers(0, 255, (32, 32, 3), np.uint8)
        pixels = cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        image = {"bytes": cv2.imencode(".jpg", pixels)[1].tobytes(), "path": ""}
        rows.append(
            {"image": image, "img_name": f"{number}.jpg", "img_quality_score": "5.0", "caption_length": "30",
             "caption": f"17_GOOGLE_LEVEL_Farmland with {number % 50} fields and a road.", "resolution": "1.0",
             "Google_location": f"17_{number}_5"}
        )  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), file, row_group_size=64)


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    main()
