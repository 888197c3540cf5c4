"""The one training loop: accelerate, EMA, resume, time and sample budgets, metrics and sample grids.

An objective says what is trained and how a batch is scored; the loop knows nothing else about it. The unit of
progress is samples seen, so runs with different batch sizes compare and a resumed run continues its count.
"""

import json
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from PIL import Image
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from torch import Tensor, nn

from text2earth_core.device import pick_device, pick_dtype
from text2earth_core.errors import Text2EarthError
from text2earth_core.training import checkpoint


def _adamw(parameters: list[nn.Parameter], **settings: Any) -> torch.optim.Optimizer:
    return torch.optim.AdamW(parameters, fused=True, **settings)


@dataclass(frozen=True)
class Schedule:
    """How long to train and how to step.

    minutes, samples: budgets; the run stops at whichever comes first (at least one must be set).
    optimizer: makes one from parameters, `lr`, `betas` and `weight_decay`.
    warmup: samples over which the learning rate rises. decay: last part of the budget over which it falls to zero.
    ema: samples over which the averaged weights forget by half. save_minutes, measure_minutes: from one checkpoint to
    the next, and from one measuring of what has been learned. feeders: threads that make batches.
    """

    minutes: float | None
    samples: int | None
    batch: int
    learning_rate: float
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.0
    clip: float = 1.0
    optimizer: Callable[..., torch.optim.Optimizer] = _adamw
    warmup: int = 2_000
    decay: float = 0.2
    ema: int = 20_000
    save_minutes: float = 5.0
    measure_minutes: float = 15.0
    feeders: int = 1

    def __post_init__(self) -> None:
        if self.minutes is None and self.samples is None:
            raise Text2EarthError("Say how long to train: give --minutes, --samples or both.")
        if any(budget is not None and budget <= 0 for budget in (self.minutes, self.samples)):
            raise Text2EarthError("A training's minutes and samples must be more than zero.")


class Objective(ABC):
    """What the loop trains. `trainable`, a torch module, is optimised and averaged; `extras` are saved with it.

    samples_before: seen by the model that the run began with, if any.
    """

    name: str
    trainable: Any
    samples_before: int = 0

    @abstractmethod
    def batch(self, size: int, rng: np.random.Generator) -> Any:
        """Assemble one batch on the CPU (runs in a background thread)."""

    @abstractmethod
    def loss(self, batch: Any, seen: int) -> tuple[Tensor, dict[str, float]]:
        """Score a batch: the loss to descend, and named figures to log."""

    def extras(self) -> dict[str, Tensor]:
        """Further state that a resumed run needs (a discriminator, say); none unless an objective says so."""
        return {}

    def restore_extras(self, tensors: dict[str, Tensor]) -> None:  # noqa: B027 - most objectives have none
        """Put back what `extras` gave."""

    @abstractmethod
    def grid(self, averaged: Any) -> Image.Image:
        """Draw what the averaged weights can do now."""

    def measure(self, averaged: Any) -> dict[str, float]:
        """What the averaged weights have learned, in named figures; none unless an objective says so."""
        return {}

    @abstractmethod
    def export(self, averaged: Any, out: Path, seen: int) -> None:
        """Write the trained part into the model folder. seen: samples, those before the run included."""


def fit(
    objective: Objective, out: Path, schedule: Schedule, resume: bool, device: str | None = None, seed: int = 0
) -> dict:
    """Train `objective` within the schedule's budget and write its part into the model folder `out`.

    The run's own files (checkpoint, TensorBoard events, metrics.jsonl, measured.jsonl, grids) go to
    `out/runs/{objective.name}`.

    Returns:
        {"samples", "loss", "minutes"} at the end.

    Raises:
        Text2EarthError: a checkpoint is there but `resume` is false, or it does not fit.
    """
    place = pick_device(device)
    mixed = pick_dtype(place) == torch.bfloat16
    run = out / "runs" / objective.name
    run.mkdir(parents=True, exist_ok=True)
    accelerator = Accelerator(
        cpu=place.type == "cpu", mixed_precision="bf16" if mixed else "no", log_with="tensorboard", project_dir=run
    )
    accelerator.init_trackers("tensorboard")
    parameters = [p for p in objective.trainable.parameters() if p.requires_grad]
    optimizer = schedule.optimizer(
        parameters, lr=schedule.learning_rate, betas=schedule.betas, weight_decay=schedule.weight_decay
    )
    average = deepcopy(objective.trainable).requires_grad_(False).to(accelerator.device)
    objective.trainable, optimizer = accelerator.prepare(objective.trainable, optimizer)
    seen, spent = _resume(objective, optimizer, average, run / "checkpoint", resume)
    torch.manual_seed(seed + seen)  # a resumed run meets new noise, not that of its beginning once more
    first, started = seen, time.monotonic()
    saved = measured = started
    smoothed: float | None = None
    batches = prefetch(
        lambda at: objective.batch(schedule.batch, np.random.default_rng((seed, at))), seen, schedule.batch,
        schedule.feeders,
    )  # fmt: skip

    def save() -> None:
        tensors = checkpoint.module_tensors(accelerator.unwrap_model(objective.trainable), "model")
        tensors |= checkpoint.module_tensors(average, "average") | objective.extras()
        tensors |= checkpoint.optimizer_tensors(optimizer, "optimizer")
        state = {"samples": seen, "seconds": spent + time.monotonic() - started, "before": objective.samples_before}
        checkpoint.save_checkpoint(run / "checkpoint", tensors, state)
        objective.grid(average).save(run / "grid.png")
        objective.export(average, out, objective.samples_before + seen)

    def measure() -> None:
        if figures := objective.measure(average):
            accelerator.log(figures, step=seen)
            with (run / "measured.jsonl").open("a") as file:
                file.write(json.dumps({"samples": seen} | figures) + "\n")

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[figures]}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress, (run / "metrics.jsonl").open("a") as metrics:
        task = progress.add_task(objective.name, total=1.0, figures="")
        while (done := _progress(schedule, seen, time.monotonic() - started)) < 1:
            factor = learning_rate_factor(schedule, seen - first, done)
            for group in optimizer.param_groups:
                group["lr"] = schedule.learning_rate * factor
            with accelerator.autocast():
                loss, figures = objective.loss(next(batches), seen)
            if not torch.isfinite(loss):
                raise Text2EarthError(
                    f"The loss is not a number after {seen} samples: go on from the last checkpoint with --resume, and "
                    "where it comes again, with other images or a smaller --learning-rate (diffusion, student)."
                )
            accelerator.backward(loss)
            figures["gradient_norm"] = float(accelerator.clip_grad_norm_(parameters, schedule.clip))
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            seen += schedule.batch
            _average(average, accelerator.unwrap_model(objective.trainable), schedule, seen)
            figures |= {"loss": loss.item()}
            smoothed = figures["loss"] if smoothed is None else 0.98 * smoothed + 0.02 * figures["loss"]
            rate = (seen - first) / (time.monotonic() - started)
            progress.update(task, completed=done, figures=f"{seen:,} samples, loss {smoothed:.4f}, {rate:.0f}/s")
            if (seen // schedule.batch) % 20 == 0:
                accelerator.log(figures, step=seen)
                line = {"samples": seen, "rate": round(rate, 1), "smoothed": smoothed} | figures
                metrics.write(json.dumps(line) + "\n")
                metrics.flush()
            if time.monotonic() - saved > 60 * schedule.save_minutes:
                save()
                saved = time.monotonic()
            if time.monotonic() - measured > 60 * schedule.measure_minutes:
                measure()
                measured = time.monotonic()
    save()
    measure()
    accelerator.end_training()
    return {"samples": seen, "loss": smoothed, "minutes": (spent + time.monotonic() - started) / 60}


def learning_rate_factor(schedule: Schedule, since_start: int, done: float) -> float:
    """Linear warm-up over samples since this start, then constant, then linear decay at the budget's end."""
    warm = min(1.0, (since_start + schedule.batch) / max(1, schedule.warmup))
    fall = min(1.0, (1.0 - done) / schedule.decay) if schedule.decay else 1.0
    return warm * max(fall, 0.01)


def prefetch(make: Callable[[int], Any], start: int, step: int, workers: int = 1, depth: int = 4) -> Iterator[Any]:
    """Yield make(start), make(start + step), ... in this order, from threads that stay `depth` batches ahead."""
    pool = ThreadPoolExecutor(workers)
    ready: deque[Future] = deque()
    try:
        for at in count(start, step):
            ready.append(pool.submit(make, at))
            if len(ready) > depth + workers:
                yield ready.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _progress(schedule: Schedule, seen: int, seconds: float) -> float:
    by_time = 0.0 if schedule.minutes is None else seconds / (60 * schedule.minutes)
    by_samples = 0.0 if schedule.samples is None else seen / schedule.samples
    return max(by_time, by_samples)


@torch.no_grad()
def _average(average: nn.Module, model: nn.Module, schedule: Schedule, seen: int) -> None:
    """Exponential moving average with a half-life in samples, shorter while the run is young."""
    half_life = min(schedule.ema, 0.1 * seen)
    keep = 0.5 ** (schedule.batch / max(half_life, 1e-9))
    pairs = list(zip(average.parameters(), model.parameters(), strict=True))
    torch._foreach_lerp_([a for a, _ in pairs], [p.detach() for _, p in pairs], 1 - keep)
    for ours, theirs in zip(average.buffers(), model.buffers(), strict=True):
        ours.copy_(theirs)


def _resume(
    objective: Objective, optimizer: torch.optim.Optimizer, average: nn.Module, folder: Path, resume: bool
) -> tuple[int, float]:
    found = checkpoint.load_checkpoint(folder)
    if found is None:
        return 0, 0.0
    if not resume:
        raise Text2EarthError(f"{folder} holds an unfinished run: give --resume to continue it, or delete the folder.")
    tensors, state = found
    checkpoint.restore_module(objective.trainable, tensors, "model")
    checkpoint.restore_module(average, tensors, "average")
    checkpoint.restore_optimizer(optimizer, tensors, "optimizer")
    objective.restore_extras(tensors)
    objective.samples_before = state["before"]
    return state["samples"], state["seconds"]
