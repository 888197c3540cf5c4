"""Both stages of the UNet's training in one resumable run: half the window first, then the whole window.

Most of what there is to learn is cheap at half the size (paper, section on progressive training). The run needs a pack
(`text2earth_core.data.pack`) and no network; its weights are small shards, so that they can be carried away.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel

from text2earth_core.data.captions import all_texts
from text2earth_core.data.corpus import Picture, load_corpus
from text2earth_core.data.pack import FROZEN_PARTS, MODEL, copy_parts
from text2earth_core.device import pick_device
from text2earth_core.errors import Text2EarthError
from text2earth_core.folder import FACTS_FILE, read_facts
from text2earth_core.networks.presets import Preset, get_preset
from text2earth_core.structure.denoising import held_back_pictures
from text2earth_core.training.checkpoint import load_state
from text2earth_core.training.diffusion import HELD_BACK, DiffusionObjective, unet_schedule
from text2earth_core.training.loop import fit

FIRST_STAGE = 0.6
"""Share of the time that goes to half the window."""

SMALLEST_WINDOW = 64

SHARD_SIZE = "16MB"
"""Largest file of the weights, in 10^6 bytes."""


def train_progressive(
    data: Path,
    out: Path,
    *,
    minutes: float,
    preset: str | None = None,
    batch: int | None = None,
    learning_rate: float | None = None,
    device: str | None = None,
    limit: int | None = None,
) -> dict:
    """Train `out/unet` in two stages within a time budget; call it again after any stop to go on.

    Args:
        data: a pack, or a data folder where `out` already holds vae/, text_encoder/ and tokenizer/.
        minutes: of training, over all calls; the time to read the data comes on top. Once they are spent, a larger
            budget goes on from there.
        preset: size of the UNet; needed only where the parts come without a model's facts.
        batch, learning_rate: default: the preset's.

    Returns:
        {"samples", "minutes", "weights"}: images seen, minutes spent, and the names of the weights' files.
    """
    if minutes <= 0:
        raise Text2EarthError("The time budget must be more than zero minutes.")
    if not all((out / part).is_dir() for part in FROZEN_PARTS):
        copy_parts(data / MODEL, out)
    if preset is None and not (out / FACTS_FILE).is_file():
        raise Text2EarthError(f"{out} does not say of which size its model is: give --preset.")
    preset_ = get_preset(preset or read_facts(out).name)
    place = pick_device(device)
    corpus = load_corpus(data, limit=limit)
    texts = all_texts(corpus)
    run = out / "runs" / DiffusionObjective.name / "checkpoint"
    windows = (max(SMALLEST_WINDOW, preset_.window // 2), preset_.window)
    for window, until in zip(windows, (FIRST_STAGE * minutes, minutes), strict=True):
        state = load_state(run)
        remaining = until - (state["seconds"] / 60 if state else 0.0)
        if remaining <= 0:
            continue
        objective = ShardedObjective(preset_, out, corpus, window, held_back_pictures(data, preset_.window, HELD_BACK))
        objective.windows.to(place)
        objective.windows.text.remember(texts)
        schedule = unet_schedule(preset_.course, remaining, None, batch, learning_rate, place)
        schedule = replace(schedule, save_minutes=2.0, feeders=4 if place.type == "cuda" else 1)
        fit(objective, out, schedule, resume=True, device=device)
    state = load_state(run)
    assert state is not None
    weights = sorted(path.name for path in (out / "unet").glob("*.safetensors"))
    return {"samples": state["samples"], "minutes": round(state["seconds"] / 60, 2), "weights": weights}


class ShardedObjective(DiffusionObjective):
    """The diffusion objective whose averaged weights are written in bfloat16 and in small files."""

    def __init__(
        self, preset: Preset, out: Path, corpus: list[Picture], window: int, held_back: Sequence[Picture] = ()
    ):
        super().__init__(preset, out, corpus, window, held_back)
        self.shard_size = SHARD_SIZE

    def export(self, averaged: UNet2DConditionModel, out: Path, seen: int) -> None:
        super().export(deepcopy(averaged).to(torch.bfloat16), out, seen)
