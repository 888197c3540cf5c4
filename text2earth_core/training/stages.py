"""A run in two stages of one budget: half the window first, where most is learned cheaply, then all of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from text2earth_core.training.checkpoint import minutes_left
from text2earth_core.training.loop import Objective, Schedule, fit
from text2earth_core.training.progressive import SMALLEST_WINDOW


def fit_in_stages(
    objective_of: Callable[[int], Objective],
    out: Path,
    window: int | None,
    largest: int,
    first: float,
    schedule: Schedule,
    batches: tuple[int, int],
    resume: bool,
    device: str | None = None,
) -> dict:
    """Train what `objective_of` makes for a window (px), and return what the last `fit` does.

    Args:
        window: None takes half of `largest` for the part `first` of the budget and all of it for the rest; else it is
            the only one.
        schedule: of the whole run; its budget is for all calls, and each stage takes its share of it.
        batches: in the first stage, and in the second, where a window has four times as many pixels.
    """
    stages = [(window, 1.0)] if window else [(max(SMALLEST_WINDOW, largest // 2), first), (largest, 1.0)]
    result: dict = {}
    for number, (side, until) in enumerate(stages):
        objective = objective_of(side)
        goes_on = resume or number > 0
        minutes = None if schedule.minutes is None else schedule.minutes * until
        if minutes is not None and goes_on:
            minutes = minutes_left(out / "runs" / objective.name / "checkpoint", minutes)
            if minutes == 0:
                continue
        samples = None if schedule.samples is None else max(1, round(schedule.samples * until))
        batch = batches[number]
        stage = replace(schedule, minutes=minutes, samples=samples, batch=batch, warmup=20 * batch)
        result = fit(objective, out, stage, goes_on, device)
    return result
