"""An adapter that makes another modality: a LoRA on a frozen UNet (paper, multimodal generation).

It learns what the UNet learned, on pictures of the modality: text to image, extension and edits, at the same noise
levels. UNet, autoencoder and text tower stay what they are, so that one base makes all modalities.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from text2earth_core.adapters.manifest import ATTENTION, RANK, Manifest
from text2earth_core.data.captions import class_of
from text2earth_core.data.corpus import Picture, load_corpus
from text2earth_core.errors import Text2EarthError
from text2earth_core.folder import STUDENT, fingerprints, locate, read_facts
from text2earth_core.modalities import ADAPTED, MODALITIES
from text2earth_core.model import Text2Earth
from text2earth_core.networks.presets import get_preset
from text2earth_core.networks.thumbnail_vae import CELL, COLOURS
from text2earth_core.simulation.pairs import real_pictures
from text2earth_core.simulation.simulators import Light, Simulator, find_simulator
from text2earth_core.simulation.still_water import BRIGHTNESS, SHOWING, still_water
from text2earth_core.training.grids import tile_images
from text2earth_core.training.loop import Schedule
from text2earth_core.training.low_rank import LowRankObjective
from text2earth_core.training.masks import random_mask
from text2earth_core.training.noise_levels import NoiseLevels
from text2earth_core.training.stages import fit_in_stages
from text2earth_core.training.student_turns import StudentTurns
from text2earth_core.training.windows import Windows

FIRST_STAGE = 0.75
"""Share of a run that goes to half the window."""

SHOWN = ("dense green forest", "a lake", "farmland", "a beach", "dense housing", "a river between green banks")

BATCH, RATE = 32, 1e-3

FORGET, FALLING = 5_000, 0.5
"""Samples over which the average forgets by half, and the part of the run over which the rate falls. At three times the
rate, and with neither, water was dark after 15,000 samples of near infrared and bright again after 50,000."""

COARSE = NoiseLevels(mean=1.0, spread=1.5, anywhere=0.2)
"""The levels of every second window, noisier than the UNet's own course: what sets a modality apart is above all how
bright things are, which is decided first. The others are for its texture."""

WHOLE = 0.5
"""Of the windows with known ground, so many are made anew as a whole: known ground tells how bright things are, and
only without it the text must."""

REAL = {"nir": 0.15, "sar": 0.5}
"""Share of the batches that are real pictures of the modality: of radar those with classes, of both open water, which
simulators make too bright where it is green and the other pictures hardly ever show alone."""

WATERY = ("beach", "bridge", "island", "lake", "river", "sea or lake", "ship", "wetland")
"""Classes of which no radar is simulated: of grey alone, dark water is as bright as dark forest. Real rivers and open
water stand for them; ponds and ports show their water by themselves, see `still_water`."""

TURNS = 3
"""Steps in which a batch of simulated pictures is met, each with other noise and masks: making it costs as much as a
step does."""

LICENCE = "for research: of the images that it learned from"


def train_lora(
    modality: str,
    preset: str,
    data: Path,
    out: Path,
    *,
    start: Path,
    minutes: float | None = None,
    samples: int | None = None,
    resume: bool = False,
    window: int | None = None,
    batch: int = BATCH,
    learning_rate: float = RATE,
    simulator: Path | None = None,
    device: str | None = None,
    limit: int | None = None,
) -> dict:
    """Train the adapter `out` of the model `start`.

    Args:
        modality: "pan", "nir" or "sar". preset: must be that of `start`. minutes: of training, over all calls.
        window: px along the side of the crops. None takes half of the model's window for the first part of the budget
            and all of it for the rest, as the UNet was trained.
        simulator: folder of what `train simulator` wrote; needed for nir and sar, of which there are no captioned
            pictures.

    Raises:
        Text2EarthError: there is no such modality, the model is of another preset, or the simulator is missing.
    """
    if modality not in ADAPTED:
        raise Text2EarthError(f"An adapter cannot be trained for {modality!r}: use {', '.join(ADAPTED)}.")
    start = locate(start)
    facts = read_facts(start)
    if get_preset(preset).name != facts.name:
        raise Text2EarthError(f"{start} holds a {facts.name} model, not {preset}: name its preset.")
    made_by = find_simulator(modality, simulator)
    real = real_pictures(data, modality) if made_by is not None else []
    corpus = load_corpus(data, limit=limit)
    if modality == "sar":
        corpus = [picture for picture in corpus if class_of(picture.label) not in WATERY]
    return fit_in_stages(
        lambda side: LoraObjective(modality, start, corpus, side, made_by, real),
        out, window, facts.window, FIRST_STAGE,
        Schedule(minutes, samples, batch, learning_rate, decay=FALLING, ema=FORGET, save_minutes=6.0),
        (batch, max(1, batch // 2)), resume, device,
    )  # fmt: skip


class LoraObjective(LowRankObjective):
    """Denoising, as the UNet was trained, of pictures of one modality."""

    def __init__(
        self, modality: str, start: Path, corpus: list[Picture], window: int, simulator: Simulator | None = None,
        real: Sequence[Picture] = (),
    ):  # fmt: skip
        """`simulator`: makes the modality of colours; None takes their luma. real: pictures of the modality itself."""
        super().__init__(f"lora-{modality}", start, window, ATTENTION)
        self.modality, self.simulator = MODALITIES[modality], simulator
        self.windows = Windows(start, corpus, window)
        self.real = self.windows.of(list(real)) if real else None
        self.classes = sorted({picture.label for picture in real})
        self.sets = sorted({picture.source for picture in corpus})
        self.light = Light.of_corpus(corpus)
        course = get_preset(self.facts.name).course
        self.levels = NoiseLevels(course.noise_mean, course.noise_spread)
        self.student = StudentTurns(start, self.unet, self.config) if (start / STUDENT).is_dir() else None
        self._kept: dict[str, Any] = {}
        self._turn = self._asked = 0

    def batch(self, size: int, rng: np.random.Generator) -> dict[str, Any]:
        if self._turn % TURNS == 0:
            self._kept = self._simulated(size, rng)
        self._turn += 1
        side = self._kept["pixels"].shape[1] // CELL
        masks = np.stack([random_mask(side, rng) for _ in range(size)])[:, None]
        masks[rng.random(size) < WHOLE] = 1
        return self._kept | {"masks": torch.from_numpy(masks)}

    def _simulated(self, size: int, rng: np.random.Generator) -> dict[str, Any]:
        """Windows of the modality itself or turned into it, a single band three times."""
        if self.real is not None and rng.random() < REAL[self.modality.name]:
            return self.real.batch(size, rng)
        batch = self.windows.batch(size, rng)
        pixels = batch["pixels"].numpy()
        if self.simulator is None:
            bands = self.modality.to_bands(pixels)
        else:
            bands = self.simulator.means(pixels, self.light)
            for picture, band, label in zip(pixels, bands, batch["classes"], strict=True):
                if label in SHOWING:
                    band[still_water(picture)] = BRIGHTNESS[self.modality.name]
        return batch | {"pixels": torch.from_numpy(np.repeat(bands, 3, axis=-1))}

    def loss(self, batch: dict[str, Any], seen: int) -> tuple[Tensor, dict[str, float]]:
        self._asked += 1
        if self.student is None or self._asked % 2:
            return super().loss(batch, seen)
        noised, counted, _ = self.noised(batch, next(self.trainable.parameters()).device)
        missed = self.student.loss(noised.given, counted)
        return missed, {"error_fast": missed.item()}

    def draw_angles(self, count: int) -> Tensor:
        """Every second window at noisier levels than the UNet's own."""
        coarse, fine = (levels.draw(count, self.known) for levels in (COARSE, self.levels))
        return torch.where(torch.arange(count, device=self.known.device) % 2 == 0, coarse, fine)

    def judged(self) -> Sequence[int]:
        """The sampler knows that a single band has no colour, and does not ask for it."""
        return [channel for channel in range(4) if channel not in range(4)[COLOURS]]

    def grid(self, averaged: nn.Module) -> Image.Image:
        """A row for each sampler."""
        model = Text2Earth.from_pretrained(self.start)
        with tempfile.TemporaryDirectory() as folder:
            self.export(averaged, Path(folder), 0)
            model.load_adapter(folder, "trained")
        asked: dict[str, Any] = {"seed": 0, "size": self.window, "modality": self.modality.name}
        images = [image for sampler in model.info.samplers for image in model.generate(SHOWN, sampler=sampler, **asked)]
        return tile_images([np.asarray(image.convert("RGB")) for image in images], len(SHOWN))

    def export(self, averaged: nn.Module, out: Path, seen: int) -> None:
        title = self.modality.title
        how = "by their luma" if self.simulator is None else f"turned into {title} by a trained simulator"
        if self.real is not None:
            share = REAL[self.modality.name]
            how += f", and in {share:.0%} of the batches real {title} pictures of {', '.join(self.classes)}"
        manifest = Manifest(
            self.modality.name, self.modality.bands, fingerprints(self.start)[1], self.facts.name, RANK, self.layers,
            seen, f"pictures of {', '.join(self.sets)}, {how}",
            {} if self.simulator is None else self.simulator.figures, LICENCE,
        )  # fmt: skip
        self.write(averaged, out, manifest)
