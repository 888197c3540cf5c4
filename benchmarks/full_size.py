"""What the official size takes on this machine: seconds and memory of loading, one forward pass and one training step.

    python benchmarks/full_size.py [--weights float32|bfloat16] [--optimizer adamw|sgd] [--shards 2GB]

The preset `text2earth` with random weights is saved in shards and loaded again; a window of 256 px is denoised once,
and trained on once, with gradient checkpointing. In float32 with AdamW it takes some 16 GB.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch.nn import functional as F

from text2earth_core.device import DTYPES
from text2earth_core.folder import load_unet, save_part
from text2earth_core.networks.build import build_unet
from text2earth_core.networks.presets import get_preset
from text2earth_core.networks.thumbnail_vae import CELL


def main() -> None:
    """Print a row for each stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--optimizer", choices=["adamw", "sgd"], default="adamw")
    parser.add_argument("--shards", default="2GB")
    arguments = parser.parse_args()
    preset, dtype = get_preset("text2earth"), DTYPES[arguments.weights]
    table = Table("stage", "seconds", "peak memory", title=f"text2earth in {arguments.weights}, {arguments.optimizer}")

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        table.add_row(name, f"{time.perf_counter() - started:.1f}", f"{peak:.1f} GB")

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with stage("build"):
            torch.set_default_dtype(dtype)
            unet = build_unet(preset)
            torch.set_default_dtype(torch.float32)
        with stage(f"save in shards of {arguments.shards}"):
            save_part(unet, folder / "unet", max_shard_size=arguments.shards)
        del unet
        with stage("load"):
            unet = load_unet(folder).to(dtype)
    side = preset.window // CELL
    inputs = torch.randn(1, 9, side, side, dtype=dtype), torch.tensor(300), torch.randn(1, 77, 1024, dtype=dtype)
    level = torch.tensor([17.0])
    with stage("one forward pass"), torch.no_grad():
        unet.eval()(*inputs, class_labels=level)
    unet.train().enable_gradient_checkpointing()
    make = torch.optim.AdamW if arguments.optimizer == "adamw" else torch.optim.SGD
    optimizer = make(unet.parameters(), lr=1e-5, foreach=False)
    with stage("one training step"):
        F.mse_loss(unet(*inputs, class_labels=level).sample.float(), torch.randn(1, 4, side, side)).backward()
        optimizer.step()
    Console().print(table)


if __name__ == "__main__":
    main()
