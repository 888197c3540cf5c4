"""A model made a user's own: an adapter, or the whole UNet, learns the pictures of a folder and forgets little else."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from text2earth_core.adapters.manifest import ATTENTION, RANK, Manifest
from text2earth_core.data.captions import describe
from text2earth_core.data.corpus import Picture
from text2earth_core.errors import Text2EarthError
from text2earth_core.folder import FACTS_FILE, fingerprints, locate, read_facts, save_part, write_facts
from text2earth_core.modalities import MODALITIES, RGB
from text2earth_core.model import Text2Earth
from text2earth_core.networks.presets import PRESETS
from text2earth_core.sampling.conditioning import level_of
from text2earth_core.training.checkpoint import load_state
from text2earth_core.training.copies import copy_model
from text2earth_core.training.grids import tile_images
from text2earth_core.training.held_pictures import pictures_to_hold
from text2earth_core.training.loop import Schedule
from text2earth_core.training.low_rank import FULL_SIZE, DenoisingObjective, LowRankObjective
from text2earth_core.training.noise_levels import NoiseLevels
from text2earth_core.training.stages import fit_in_stages
from text2earth_core.training.windows import Windows

NAME = "finetune"

MINUTES = 10.0
"""Of a run that nobody gave a budget."""

FIRST_STAGE = 0.6
"""Share of a run that goes to half the window."""

BATCH = 16
RATE, FULL_RATE = 1e-3, 5e-5

SMALL_MODELS = (*ATTENTION, "conv_in", "conv_out", "conv1", "conv2", "proj_in", "proj_out", "ff.net.0.proj", "ff.net.2")
"""Layers adapted in a small UNet, whose finest scale has no attention; in one of full size attention suffices."""

HOLD = 0.25
"""Share of the batches that hold the model to what it said before, about other pictures than the user's."""

GUESS = 0.5
"""How often a picture of unknown resolution is said to have one: the canvas always asks for one."""

SAVE_MINUTES = 3.0
"""From one checkpoint, with its samples, to the next."""

SHOWN = 4
"""Texts of the user's in a samples grid; two others stand beside them."""

OTHERS = ("a lake", "dense green forest")

SETTINGS_FILE = "finetune.json"


def finetune(
    corpus: Sequence[Picture],
    out: Path,
    *,
    start: str | Path,
    minutes: float | None = None,
    samples: int | None = None,
    full: bool = False,
    window: int | None = None,
    device: str | None = None,
) -> dict[str, Any]:
    """Train on pictures until the budget is spent; call it again after any stop to go on.

    Args:
        corpus: the user's pictures, see `data.own.folder.read_folder`. out: folder of the adapter, or with `full` of
            the model. start: the model's folder or hub id. minutes: over all calls, `MINUTES` if neither is given.
        window: px along the side of the crops. None takes half of the model's window first, then all of it.

    Returns:
        {"samples", "minutes", "loss", "kind": "adapter" or "model"}.

    Raises:
        Text2EarthError: the model cannot be loaded, no picture is large enough, or `out` holds another run.
    """
    if minutes is None and samples is None:
        minutes = MINUTES
    folder = locate(start)
    base = fingerprints(folder)[1]
    _settings(out, {"base": base, "full": full})
    facts = read_facts(folder)
    seconds = 6.0 * (minutes or MINUTES)
    hold = pictures_to_hold(folder, corpus, out / "runs" / NAME / "held", seconds, device)
    rate = FULL_RATE if full else RATE
    kind = FullObjective if full else StyleObjective
    result = fit_in_stages(
        lambda side: kind(folder, list(corpus), hold, side), out, window, facts.window, FIRST_STAGE,
        Schedule(minutes, samples, BATCH, rate, ema=4_000, save_minutes=SAVE_MINUTES),
        (2 * BATCH, BATCH), resume=True, device=device,
    )  # fmt: skip
    if not result:  # the budget was spent already
        state = load_state(out / "runs" / NAME / "checkpoint")
        result = {"samples": state["samples"], "minutes": state["seconds"] / 60, "loss": None} if state else {}
    return {**result, "kind": "model" if full else "adapter"}


def _settings(out: Path, wanted: dict[str, Any]) -> None:
    """Write down of what `out` is a fine-tuning; Text2EarthError where it is one of something else, or a model."""
    file = out / SETTINGS_FILE
    if file.is_file():
        try:
            stored = json.loads(file.read_text(encoding="utf-8"))
        except ValueError:
            stored = None
        if stored != wanted:
            raise Text2EarthError(
                f"{out} holds a fine-tuning of another model, or of another kind: give a new folder with --out."
            )
        return
    if out.is_dir() and any(out.iterdir()):
        raise Text2EarthError(f"{out} is not empty: give a new folder with --out.")
    out.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(wanted) + "\n", encoding="utf-8")


class OwnPictures(DenoisingObjective):
    """Batches of the user's pictures, and now and then one of others, where the model shall say what it always said."""

    def take(self, corpus: list[Picture], hold: list[Picture]) -> None:
        """`corpus`: the user's pictures. hold: others, made by the model."""
        levels = sorted(level_of(metres) for metres in self.facts.resolutions)
        between = (levels[0], levels[-1]) if levels else None
        self.windows = Windows(self.start, corpus, self.window, any_autoencoder=True, levels=between, guess=GUESS)
        self.held = self.windows.of(hold) if hold else None
        self.texts = _common_texts(corpus)
        course = PRESETS[self.facts.name].course if self.facts.name in PRESETS else PRESETS["text2earth"].course
        self.levels = NoiseLevels(course.noise_mean, course.noise_spread, anywhere=0.3)

    def before(self, noised: Any) -> Tensor:
        """What the model said before it was fine-tuned."""
        raise NotImplementedError

    def batch(self, size: int, rng: np.random.Generator) -> dict[str, Any]:
        holding = self.held is not None and rng.random() < HOLD
        windows = self.held if self.held is not None and holding else self.windows
        return windows.batch(size, rng) | {"holding": holding}

    def draw_angles(self, count: int) -> Tensor:
        return self.levels.draw(count, self.known)

    def loss(self, batch: dict[str, Any], seen: int) -> tuple[Tensor, dict[str, float]]:
        if not batch["holding"]:
            return super().loss(batch, seen)
        noised, _, _ = self.noised(batch, next(self.trainable.parameters()).device)
        drift = (noised.ask(self.network()) - self.before(noised)).square().mean()
        return drift, {"drift": drift.item()} | self.shares.named()

    def sheet(self, model: Text2Earth, adapters: dict[str, float] | None) -> Image.Image:
        """Samples of the user's texts and of others, a row for each sampler."""
        texts = [*self.texts, *OTHERS]
        images: list[Image.Image] = []
        for sampler in model.info.samplers:
            steps = None if model.facts.thumbnail or sampler != "quality" else 20
            images += model.generate(
                texts, seed=0, size=self.window, steps=steps, sampler=sampler, adapters=adapters
            )  # fmt: skip
        return tile_images([np.asarray(image) for image in images], len(texts))


class StyleObjective(OwnPictures, LowRankObjective):
    """A LoRA learns the pictures; the model can be asked what it said without."""

    def __init__(self, start: Path, corpus: list[Picture], hold: list[Picture], window: int):
        small = sum(p.numel() for p in _meta_unet(start).parameters()) < FULL_SIZE
        LowRankObjective.__init__(self, NAME, start, window, SMALL_MODELS if small else ATTENTION)
        self.take(corpus, hold)
        self.sources = sorted({picture.source for picture in corpus})
        self.count = len(corpus)

    @torch.no_grad()
    def before(self, noised: Any) -> Tensor:
        network = self.network()
        network.disable_adapters()
        try:
            return noised.ask(network)
        finally:
            network.enable_adapters()

    def grid(self, averaged: nn.Module) -> Image.Image:
        model = Text2Earth.from_pretrained(self.start)
        with tempfile.TemporaryDirectory() as folder:
            self.export(averaged, Path(folder), 0)
            model.load_adapter(folder, "own")
        return self.sheet(model, {"own": 1.0})

    def export(self, averaged: nn.Module, out: Path, seen: int) -> None:
        told = f"{self.count} pictures of {', '.join(self.sources)}"
        self.write(
            averaged,
            out,
            Manifest(
                RGB, MODALITIES[RGB].bands, fingerprints(self.start)[1], self.facts.name, RANK, self.layers, seen, told,
                {}, "that of the pictures it learned from",
            ),
        )  # fmt: skip


class FullObjective(OwnPictures):
    """All weights learn; a frozen copy says what the model said before."""

    def __init__(self, start: Path, corpus: list[Picture], hold: list[Picture], window: int):
        super().__init__(NAME, start, window)
        self.take(corpus, hold)
        self.samples_before = self.facts.samples
        self.frozen = deepcopy(self.unet).requires_grad_(False).eval()

    @torch.no_grad()
    def before(self, noised: Any) -> Tensor:
        return noised.ask(self.frozen.to(next(self.trainable.parameters()).device))

    def grid(self, averaged: nn.Module) -> Image.Image:
        with tempfile.TemporaryDirectory() as folder:
            self.export(averaged, Path(folder), 0)
            return self.sheet(Text2Earth.from_pretrained(folder), None)

    def export(self, averaged: Any, out: Path, seen: int) -> None:
        copy_model(self.start, out)
        save_part(averaged, out / "unet")
        if (self.start / FACTS_FILE).is_file():
            write_facts(out, replace(self.facts, samples=seen, student_samples=0))


def _meta_unet(folder: Path) -> nn.Module:
    """The UNet of a folder without weights, to be counted."""
    from diffusers import UNet2DConditionModel

    with torch.device("meta"):
        network: nn.Module = UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(folder / "unet"))
    return network


def _common_texts(corpus: Sequence[Picture]) -> list[str]:
    """The texts that most pictures have, `SHOWN` of them, or fewer where there are not so many."""
    rng = np.random.default_rng(0)
    told = [picture.captions[0] if picture.captions else describe(picture, rng) for picture in corpus]
    return [text for text, _ in Counter(filter(None, told)).most_common(SHOWN)]
