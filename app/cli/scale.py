"""`text2earth train scale`: pretraining on any number of processes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.output import Json, emit, say
from app.cli.train import LearningRate, Window


def scale(
    data: Annotated[
        str, typer.Option(help="Git-10M's columns: a parquet file, a folder, or hf://datasets/OWNER/NAME.")
    ],
    out: Annotated[Path, typer.Option(file_okay=False, help="Model folder.")],
    samples: Annotated[int, typer.Option(min=1, help="Stop after so many samples, over all calls.")],
    start: Annotated[
        str,
        typer.Option(help="Model whose parts are used and whose UNet goes on; Stable Diffusion 2 will do."),
    ],
    batch: Annotated[int, typer.Option(min=1, help="Images a step, of all processes together.")] = 1024,
    micro: Annotated[int, typer.Option(min=1, help="Images of a forward pass on one process.")] = 8,
    learning_rate: LearningRate = 1e-4,
    stage: Annotated[int, typer.Option(min=1, max=2, help="2 takes images of a quality score above 4.8 alone.")] = 1,
    window: Window = None,
    warmup: Annotated[int, typer.Option(min=0, help="Samples over which the rate rises.")] = 100_000,
    buffer: Annotated[int, typer.Option(min=1, help="Rows that are shuffled among each other.")] = 8192,
    save_minutes: Annotated[float, typer.Option(min=0, help="From one checkpoint to the next.")] = 15.0,
    seed: Annotated[int, typer.Option(min=0, help="Decides order, crops, masks and noise.")] = 0,
    as_json: Json = False,
) -> None:
    """Pretrain on data that no memory holds, on any number of processes: accelerate launch -m app.cli train scale.

    A stopped run goes on, with the same samples in the same order, when it is called again.
    """
    from accelerate import PartialState

    from text2earth_core.training.scale.pretrain import SECOND_STAGE, Course, pretrain

    first = PartialState().is_main_process
    course = Course(
        samples, batch, micro, learning_rate, SECOND_STAGE if stage == 2 else None, window, warmup, buffer=buffer,
        save_minutes=save_minutes, seed=seed,
    )  # fmt: skip
    found = pretrain(data, out, start=start, course=course, say=say if first else lambda sentence: None)
    if first:
        emit(found, as_json)
