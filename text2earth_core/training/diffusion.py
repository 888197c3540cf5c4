"""Training the 9-channel UNet: text to image, extension and edits in one model, with dynamic condition adaptation."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from PIL import Image
from torch import Tensor

from text2earth_core.data.corpus import Picture, load_corpus
from text2earth_core.data.pack import FROZEN_PARTS, copy_parts
from text2earth_core.device import pick_device
from text2earth_core.errors import Text2EarthError
from text2earth_core.facts import ModelFacts, mini_facts
from text2earth_core.folder import (
    FACTS_FILE,
    STUDENT,
    load_unet,
    locate,
    read_facts,
    save_part,
    write_facts,
)
from text2earth_core.model import Text2Earth
from text2earth_core.networks.build import build_scheduler, build_unet
from text2earth_core.networks.presets import Course, Preset, get_preset
from text2earth_core.sampling.angles import angles_of
from text2earth_core.structure.denoising import held_back_pictures, hold_back
from text2earth_core.structure.measures import flat, measure_structure
from text2earth_core.training.denoising import Noised, squared_errors
from text2earth_core.training.foreign_ground import swap_ground
from text2earth_core.training.grids import tile_images
from text2earth_core.training.loop import Objective, Schedule, fit
from text2earth_core.training.muon import Muon
from text2earth_core.training.noise_levels import LossShares, NoiseLevels
from text2earth_core.training.windows import Windows

SHOWN = ("dense green forest", "a desert", "a beach", "a lake", "farmland", "dense housing", "a parking lot",
         "a river between green banks", "a bridge over a river", "an airport", "storage tanks", "a meadow")  # fmt: skip

HELD_BACK, DRAWN = 32, 12
"""Images by which a run measures itself, and how many of them it draws: half a minute on one core at 256 px."""


def train_diffusion(
    preset: str,
    data: Path,
    out: Path,
    *,
    minutes: float | None = None,
    samples: int | None = None,
    resume: bool = False,
    window: int | None = None,
    batch: int | None = None,
    learning_rate: float | None = None,
    start: Path | None = None,
    device: str | None = None,
    limit: int | None = None,
    min_quality: float | None = None,
) -> dict:
    """Train `out/unet` on the autoencoder and text tower that stand in `out`, and make `out` a whole model folder.

    Args:
        window: px along the side of the training crops (default: the preset's window). Start smaller and finish at
            the preset's window: most of what there is to learn is cheap at half size.
        start: a model whose UNet is trained further, instead of one with random weights; an `out` without autoencoder
            and text encoder gets its copies of them. A run that is resumed has no use for it.
        batch, learning_rate: default: the preset's.
        min_quality: train on images alone whose score is above it: the paper's second stage, which goes on from the
            first.
    """
    preset_ = get_preset(preset)
    window = window or preset_.window
    corpus = load_corpus(data, limit=limit, min_quality=min_quality)
    starting = None
    if start is not None:
        start = locate(start)
        starting = starting_weights(start, preset_), read_facts(start)  # fails before anything is copied
        if not any((out / part).is_dir() for part in FROZEN_PARTS):
            copy_parts(start, out)
    objective = DiffusionObjective(preset_, out, corpus, window, held_back_pictures(data, preset_.window, HELD_BACK))
    if starting is not None:
        objective.start_from(*starting)
    schedule = unet_schedule(preset_.course, minutes, samples, batch, learning_rate, pick_device(device))
    return fit(objective, out, schedule, resume, device)


def unet_schedule(
    course: Course,
    minutes: float | None,
    samples: int | None,
    batch: int | None,
    learning_rate: float | None,
    place: torch.device,
) -> Schedule:
    """The schedule of a UNet's training; `batch` and `learning_rate` None take the course's."""
    batch = batch or course.batch[place.type == "cuda"]  # Muon's work a step is the same for any number of images
    rate = course.rate if learning_rate is None else learning_rate
    return Schedule(minutes, samples, batch, rate, weight_decay=0.01, decay=course.decay, optimizer=Muon)


def starting_weights(model: Path, preset: Preset) -> dict[str, Tensor]:
    """The weights, float32, of a model's UNet, to train on from.

    Raises:
        Text2EarthError: it cannot be read, or is of another preset.
    """
    weights = load_unet(model).float().state_dict()
    with torch.device("meta"):
        wanted = build_unet(preset).state_dict()
    if {name: w.shape for name, w in weights.items()} != {name: w.shape for name, w in wanted.items()}:
        raise Text2EarthError(f'The UNet of {model} is not of the preset "{preset.name}": give the one it has.')
    return weights


class DiffusionObjective(Objective):
    """Denoising in v-prediction, weighted evenly, at the noise levels of the preset's course."""

    name = "diffusion"

    def __init__(
        self, preset: Preset, out: Path, corpus: list[Picture], window: int, held_back: Sequence[Picture] = ()
    ):
        """`held_back`: pictures on which the run measures what it has learned, at the preset's window whatever its own
        is: at half of it, lines and the outlines of blobs are hard to tell apart."""
        self.preset, self.out, self.window, self.held_back = preset, out, window, held_back
        self.windows = Windows(out, corpus, window)
        width = self.windows.text.encoder.config.hidden_size
        if width != preset.text_width:
            raise Text2EarthError(
                f'The text encoder of {out} is not of the preset "{preset.name}": it has width {width}, '
                f"not {preset.text_width}."
            )
        self.facts = read_facts(out) if (out / FACTS_FILE).is_file() else mini_facts()
        torch.manual_seed(0)
        unet = build_unet(preset)
        if not torch.cuda.is_available():
            # The fused kernel's backward pass is slow on a CPU for the few tokens of a training window (12 % a step).
            unet.set_attn_processor(AttnProcessor())
        self.trainable = unet
        self.scheduler = build_scheduler()
        self.levels = NoiseLevels(preset.course.noise_mean, preset.course.noise_spread)
        self.known = angles_of(self.scheduler.alphas_cumprod)
        self.shares = LossShares()
        self.shard_size = "10GB"  # of the weights' files, as diffusers has it

    def start_from(self, weights: dict[str, Tensor], facts: ModelFacts) -> None:
        """Take over a model's `starting_weights`, its facts and its count of samples."""
        self.trainable.load_state_dict(weights)
        self.facts = facts
        self.samples_before = self.facts.samples

    def batch(self, size: int, rng: np.random.Generator) -> dict[str, Any]:
        return self.windows.batch(size, rng)

    def loss(self, batch: dict[str, Any], seen: int) -> tuple[Tensor, dict[str, float]]:
        given = self.windows.condition(batch, next(self.trainable.parameters()).device)
        clean, masks, counted = swap_ground(given.clean, given.masks)
        given, noise = replace(given, clean=clean, masks=masks), torch.randn_like(clean)
        self.known = self.known.to(noise.device)
        angles = self.levels.draw(len(noise), self.known)
        noised = Noised(given, noise, angles, self.known, "v_prediction")
        per_sample = squared_errors(noised.ask(self.trainable), noised.target, counted)
        self.shares.add(angles, per_sample)
        full = given.masks.mean((1, 2, 3)) == 1
        figures = {"error_full_mask": per_sample[full].mean().item()}
        return per_sample.mean(), figures | self.shares.named()

    def grid(self, averaged: UNet2DConditionModel) -> Image.Image:
        images = self._model(averaged).generate(list(SHOWN), seed=0, size=self.window)
        return tile_images([np.asarray(image) for image in images], columns=6)

    def measure(self, averaged: UNet2DConditionModel) -> dict[str, float]:
        if not self.held_back:
            return {}
        model, window = self._model(averaged), self.preset.window
        found, thumbnails = measure_structure(model, hold_back(model, self.held_back, window), DRAWN)
        tile_images(thumbnails, DRAWN).save(self.out / "runs" / self.name / "from_noise.png")
        return flat(found)

    def _model(self, unet: UNet2DConditionModel) -> Text2Earth:
        self.windows.to(unet.device)  # a run that was finished already has drawn no batch yet
        parts = (unet, self.windows.vae, self.windows.text, self.scheduler)
        facts = replace(self.facts, name=self.preset.name, window=self.window)
        return Text2Earth.from_parts(*parts, **asdict(facts))

    def export(self, averaged: UNet2DConditionModel, out: Path, seen: int) -> None:
        save_part(averaged, out / "unet", max_shard_size=self.shard_size)
        shutil.rmtree(out / STUDENT, ignore_errors=True)  # it was the student of the UNet before this one
        self.scheduler.save_pretrained(out / "scheduler")
        facts = replace(self.facts, name=self.preset.name, window=self.preset.window, samples=seen, student_samples=0)
        write_facts(out, replace(facts, resolutions=self.windows.trained_resolutions()))
