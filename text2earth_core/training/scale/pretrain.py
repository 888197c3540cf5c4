"""The training loop for large data sets: `accelerate launch` on any number of processes, one global batch a step."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, PartialState
from accelerate.utils import gather_object

from text2earth_core.device import pick_dtype
from text2earth_core.errors import Text2EarthError
from text2earth_core.folder import FACTS_FILE, load_scheduler, locate, read_facts, save_part, write_facts
from text2earth_core.training import checkpoint
from text2earth_core.training.copies import copy_model
from text2earth_core.training.encoding import Encoder
from text2earth_core.training.loop import prefetch
from text2earth_core.training.low_rank import FULL_SIZE
from text2earth_core.training.scale.algorithm import Algorithm1
from text2earth_core.training.scale.batches import Batches, Part, joined
from text2earth_core.training.scale.rows import BUFFER, Rows
from text2earth_core.training.scale.speed import operations, peak_operations
from text2earth_core.training.scale.start import starting_unet

NAME = "scale"
STATE = "shards"
"""Folder of accelerate's own checkpoint, where weights lie in parts on several processes."""

SHARD_SIZE = "5GB"
SAY_STEPS = 10
SECOND_STAGE = 4.8
"""Aesthetic score above which the images of the paper's second stage lie."""


@dataclass(frozen=True)
class Course:
    """samples: seen in all. batch: of a step of all processes. micro: of a forward pass. quality: images above it alone
    (stage 2: `SECOND_STAGE`). window: px, None for the model's. warmup: samples. ema: what the average keeps of itself
    at a step. buffer: rows shuffled together. save_minutes: from one checkpoint to the next."""

    samples: int
    batch: int = 1024
    micro: int = 8
    rate: float = 1e-4
    quality: float | None = None
    window: int | None = None
    warmup: int = 100_000
    ema: float = 0.9999
    buffer: int = BUFFER
    seed: int = 0
    save_minutes: float = 15.0
    clip: float = 1.0


def pretrain(
    data: str, out: Path, *, start: str | Path, course: Course, say: Callable[[str], None] = lambda sentence: None
) -> dict[str, Any]:
    """Train a UNet on a data set with Git-10M's columns after Algorithm 1; call it again after any stop to go on.

    Args:
        data: parquet file, folder of them, or hf://datasets/OWNER/NAME. start: model whose parts are used, and whose
            UNet is trained further, see `start.starting_unet`. say: told how it goes.

    Returns:
        {"samples", "loss", "samples_per_second", "model_flop_utilisation", "rows", "usable", "faults"}.

    Raises:
        Text2EarthError: the data or the model cannot be used, the batch cannot be shared, or the loss is not a number.
    """
    folder, world = locate(start), PartialState().num_processes
    if course.batch % (world * course.micro):
        raise Text2EarthError(
            f"A batch of {course.batch} cannot be shared by {world} processes in pieces of {course.micro}: make it a "
            f"multiple of {world * course.micro}."
        )
    accelerator = Accelerator(gradient_accumulation_steps=course.batch // (world * course.micro))
    rank, device = accelerator.process_index, accelerator.device
    side = course.window or read_facts(folder).window
    rows = Rows(data, course.seed, course.quality, course.buffer)
    run = Run(accelerator, folder, out, course, rows)
    algorithm = Algorithm1(Encoder(folder, any_autoencoder=True), load_scheduler(folder), device)
    batches = Batches(rows, side, course.batch, rank, world, course.seed)
    parts = prefetch(batches.part, run.samples, course.batch)
    say(f"{rows.count:,} of {rows.total:,} rows can be used, on {world} process{'es' * (world > 1)}.")
    began, first, saved = time.monotonic(), run.samples, time.monotonic()
    work, peak = 0, peak_operations(device, pick_dtype(device)) * world
    figures: dict[str, float] = {}
    while run.samples < course.samples:
        part = next(parts)
        if not work:
            small = part.micro(course.micro)[0]
            work = operations(partial(algorithm.losses, accelerator.unwrap_model(run.unet), small))
            work //= course.micro
        loss = run.step(part, algorithm)
        figures = {"loss": loss, "samples_per_second": (run.samples - first) / (time.monotonic() - began)}
        figures["model_flop_utilisation"] = figures["samples_per_second"] * work / peak
        if accelerator.is_main_process:
            run.log(figures)
        if (run.samples // course.batch) % SAY_STEPS == 0:
            say(f"{run.samples:,} samples, loss {loss:.4f}, {figures['samples_per_second']:.1f}/s")
        late = torch.tensor(float(time.monotonic() - saved > 60 * course.save_minutes), device=device)
        if accelerator.reduce(late) > 0:  # all at once, by whichever clock is ahead
            run.save()
            saved = time.monotonic()
    run.save()
    run.export()
    accelerator.wait_for_everyone()
    return {"samples": run.samples, **figures, **run.report()}


class Run:
    """What changes in a training: UNet, optimizer, average, count of samples and of faults; on one of the processes."""

    def __init__(self, accelerator: Accelerator, folder: Path, out: Path, course: Course, rows: Rows) -> None:
        self.accelerator, self.folder, self.out, self.course, self.rows = accelerator, folder, out, course, rows
        self.place = out / "runs" / NAME
        self.place.mkdir(parents=True, exist_ok=True)
        unet = starting_unet(folder).train()
        if sum(parameter.numel() for parameter in unet.parameters()) > FULL_SIZE:
            unet.enable_gradient_checkpointing()
        optimizer = torch.optim.AdamW(unet.parameters(), lr=course.rate, weight_decay=0.01)
        self.unet, self.optimizer = accelerator.prepare(unet, optimizer)
        self.average = [parameter.detach().clone().float() for parameter in self.unet.parameters()]
        self.samples, self.seconds, self._began = 0, 0.0, time.monotonic()
        self.faults: Counter[str] = Counter()
        self._parted = str(accelerator.distributed_type.value) in ("FSDP", "DEEPSPEED")
        self._resume()

    def step(self, part: Part, algorithm: Algorithm1) -> float:
        """One step on a batch, of which this process has `part`; its mean loss over all processes.

        Raises:
            Text2EarthError: the loss is not a number.
        """
        accelerator, course = self.accelerator, self.course
        self.faults.update(part.faults)
        good = accelerator.reduce(part.weights.sum().to(accelerator.device), "sum").clamp(min=1)
        pieces, total = part.micro(course.micro), torch.zeros((), device=accelerator.device)
        for piece in pieces:
            with accelerator.accumulate(self.unet):
                with accelerator.autocast():
                    losses = algorithm.losses(self.unet, piece)
                loss = (losses * piece.weights.to(losses)).sum() / good
                # accelerate takes means over processes and pieces, where this is a sum.
                accelerator.backward(loss * accelerator.num_processes * len(pieces))
            total = total + loss.detach()
        mean = float(accelerator.reduce(total, "sum"))
        if not torch.isfinite(torch.tensor(mean)):
            raise Text2EarthError(
                f"The loss is not a number in the batch after {self.samples} samples: the checkpoint before it is kept "
                f"in {self.place}; go on from it with a smaller rate."
            )
        accelerator.clip_grad_norm_(self.unet.parameters(), course.clip)
        for group in self.optimizer.param_groups:
            group["lr"] = course.rate * min(1.0, (self.samples + course.batch) / max(1, course.warmup))
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.samples += course.batch
        keep = min(course.ema, 1 - 1 / (1 + self.samples / course.batch))  # a young average forgets faster
        with torch.no_grad():
            for average, parameter in zip(self.average, self.unet.parameters(), strict=True):
                average.lerp_(parameter.detach().to(average), 1 - keep)
        return mean

    def log(self, figures: dict[str, float]) -> None:
        """Append a line to metrics.jsonl."""
        with (self.place / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"samples": self.samples} | figures) + "\n")

    def report(self) -> dict[str, Any]:
        """Rows, those that can be used, and faults by reason: all of the metadata, and of the images seen so far."""
        images = joined(gather_object([dict(self.faults)]))
        return {
            "rows": self.rows.total, "usable": self.rows.count, "images left out": sum(images.values()),
            "faults": dict((self.rows.faults + images).most_common()),
        }  # fmt: skip

    def save(self) -> None:
        """Write a checkpoint, and faults.json; the former checkpoint stays until the new one is whole."""
        found, averages = self.report(), [_whole(one) for one in self.average]
        images = joined(gather_object([dict(self.faults)]))
        state = {
            "samples": self.samples,
            "seconds": self.seconds + time.monotonic() - self._began,
            "image_faults": images,
        }
        if self._parted:
            self.accelerator.save_state(str(self.place / STATE / f"{self.samples:012d}"))
        if self.accelerator.is_main_process:
            tensors: dict[str, torch.Tensor] = {}
            if not self._parted:
                tensors = checkpoint.module_tensors(self.accelerator.unwrap_model(self.unet), "model")
                tensors |= checkpoint.optimizer_tensors(self.optimizer, "optimizer")
            tensors |= {f"average.{number}": one for number, one in enumerate(averages)}
            checkpoint.save_checkpoint(self.place / "checkpoint", tensors, state)
            (self.place / "faults.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
        self.accelerator.wait_for_everyone()

    def export(self) -> None:
        """Write the model's folder, with the averaged weights in shards."""
        whole = [_whole(one).cpu() for one in self.average]
        if not self.accelerator.is_main_process:
            return
        unet = starting_unet(self.folder)
        for parameter, average in zip(unet.parameters(), whole, strict=True):
            parameter.data.copy_(average.view_as(parameter))
        copy_model(self.folder, self.out)
        save_part(unet, self.out / "unet", max_shard_size=SHARD_SIZE)
        if (self.folder / FACTS_FILE).is_file():
            facts = read_facts(self.folder)
            write_facts(self.out, replace(facts, samples=facts.samples + self.samples, student_samples=0))

    def _resume(self) -> None:
        found = checkpoint.load_checkpoint(self.place / "checkpoint")
        if found is None:
            return
        tensors, state = found
        self.samples, self.seconds = state["samples"], state["seconds"]
        if self.accelerator.is_main_process:  # the sum of all processes' counts
            self.faults = Counter(state.get("image_faults", {}))
        if self._parted:
            self.accelerator.load_state(str(self.place / STATE / f"{self.samples:012d}"))
        else:
            checkpoint.restore_module(self.accelerator.unwrap_model(self.unet), tensors, "model")
            checkpoint.restore_optimizer(self.optimizer, tensors, "optimizer")
            for number, average in enumerate(self.average):
                average.copy_(tensors[f"average.{number}"])


def _whole(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor of which each process may hold a part only."""
    gather = getattr(tensor, "full_tensor", None)
    return tensor if gather is None else gather()
