"""A translator: one trunk for all tasks beside the frozen UNet and its student (ControlNet, Zhang et al. 2023)."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from PIL import Image
from torch import Tensor

from text2earth_core.data.corpus import Picture, load_corpus
from text2earth_core.errors import Text2EarthError
from text2earth_core.facts import FAST_STEPS
from text2earth_core.folder import STUDENT, fingerprints, load_unet, locate, read_facts
from text2earth_core.model import Text2Earth
from text2earth_core.networks.build import build_scheduler
from text2earth_core.networks.presets import get_preset
from text2earth_core.networks.student import Student
from text2earth_core.networks.thumbnail_vae import COLOURS
from text2earth_core.sampling.angles import angles_of, timesteps_at
from text2earth_core.sampling.conditioning import NULL_LEVEL, level_of
from text2earth_core.sampling.settings import FAST, QUALITY
from text2earth_core.training.first_guess import FirstGuessObjective
from text2earth_core.training.grids import tile_images
from text2earth_core.training.lessons import Lessons, conditions_of, find_simulators
from text2earth_core.training.loop import Objective, Schedule
from text2earth_core.training.noise_levels import LossShares, NoiseLevels
from text2earth_core.training.progressive import FIRST_STAGE
from text2earth_core.training.stages import fit_in_stages
from text2earth_core.training.student_turns import StudentSteps
from text2earth_core.training.veil import VeilObjective
from text2earth_core.training.windows import Windows
from text2earth_core.translation.condition import guessed_channels, held_channels
from text2earth_core.translation.examples import possible, real_pairs
from text2earth_core.translation.picture import translate
from text2earth_core.translation.tasks import TASKS, Task, get_task
from text2earth_core.translation.translator import Manifest, read_manifest
from text2earth_core.translation.trunk import Trunk

BATCH, RATE = 16, 1e-3

GUESSING, CHEAPER = 0.3, 4
"""Share of the time that goes to first guesses, and their examples for one of the trunk's where samples are counted."""

NOISIER = 1.0
"""By how much ln(noise / signal) lies above that of the model's own training: with a source in sight it is decided
early what is where, and the rest the model knows."""

UNSAID = 0.5
"""Share of examples without a prompt; half as many have no resolution."""

PAIR_RESOLUTION = 10.0
"""m/px of the real pairs."""

LICENCE = "for research: of the images that it learned from"


def train_translator(
    preset: str,
    data: Path,
    out: Path,
    *,
    start: Path,
    tasks: Sequence[str] | None = None,
    simulators: Path | None = None,
    minutes: float | None = None,
    samples: int | None = None,
    resume: bool = False,
    window: int | None = None,
    batch: int = BATCH,
    learning_rate: float = RATE,
    further: Path | None = None,
    device: str | None = None,
    limit: int | None = None,
) -> dict:
    """Train the translator `out` of the model `start`.

    Args:
        preset: must be that of `start`. tasks: None takes all of which there is something to learn from.
        simulators: folder with nir/ and sar/ as `train simulator` writes them; without one these tasks learn from real
            pairs alone.
        window: px along the side of the crops; None takes half of the model's window for the first part of the budget.
        further: a translator that is trained on, instead of a new one.

    Raises:
        Text2EarthError: the model is of another preset, or there is nothing to learn a task from.
    """
    start = locate(start)
    facts = read_facts(start)
    if get_preset(preset).name != facts.name:
        raise Text2EarthError(f"{start} holds a {facts.name} model, not {preset}: name its preset.")
    found = find_simulators(simulators)
    pairs = {name: real_pairs(task, data, "train") for name, task in TASKS.items()}
    known = [name for name, task in TASKS.items() if possible(task, found) or pairs[name]]
    chosen = [get_task(name).name for name in tasks or known]
    unknown = [name for name in chosen if name not in known]
    if unknown:
        raise Text2EarthError(
            f"There is nothing to learn {unknown[0]} from: give --simulators, or a data folder with pairs of its kind."
        )
    corpus = load_corpus(data, limit=limit)

    def lessons(names: Sequence[str], side: int) -> Lessons:
        return Lessons(names, corpus, {name: pairs[name] for name in names}, found, side)

    guessing = [TASKS[name] for name in chosen if facts.thumbnail and guessed_channels(TASKS[name])]
    hazy = [task.name for task in guessing if task.made == "fog"]
    kinds = (
        (FirstGuessObjective, [task.name for task in guessing if task.name not in hazy], facts.window // 2),
        (VeilObjective, hazy, facts.window),
    )
    first = [(objective, names, window or side) for objective, names, side in kinds if names]
    for objective, names, side in first:
        share = GUESSING / len(first)
        schedule = Schedule(
            None if minutes is None else share * minutes, None if samples is None else CHEAPER * samples,
            batch, learning_rate, save_minutes=4.0,
        )  # fmt: skip
        drawn = lessons(names, side)
        fit_in_stages(
            lambda _, objective=objective, drawn=drawn: objective(start, drawn, corpus, further),  # type: ignore[misc]
            out, side, facts.window, 1.0, schedule, (batch, batch), resume, device,
        )  # fmt: skip
    if first and minutes is not None:
        minutes *= 1 - GUESSING
    guess = out if first else None
    return fit_in_stages(
        lambda side: TranslatorObjective(start, lessons(chosen, side), corpus, side, further, guess),
        out, window, facts.window, FIRST_STAGE,
        Schedule(minutes, samples, batch, learning_rate, save_minutes=4.0), (batch, max(1, batch // 4)), resume, device,
    )  # fmt: skip


class TranslatorObjective(Objective):
    """Denoising in v-prediction, as the UNet was trained, with the trunk beside the teacher and the student in turns.

    The student meets its own few noise levels: what it must say there is what the teacher says in many steps, and with
    the source in sight that is nearly one picture.
    """

    name = "translator"

    def __init__(
        self,
        start: Path,
        lessons: Lessons,
        corpus: list[Picture],
        window: int,
        further: Path | None = None,
        guess: Path | None = None,
    ) -> None:
        """`further`: a translator whose trunk is trained on. guess: folder with first guesses, which are kept."""
        self.start, self.lessons, self.window = start, lessons, window
        self.facts = read_facts(start)
        self.windows = Windows(start, corpus, window)
        self.sets = sorted({picture.source for picture in corpus})
        self.teacher = load_unet(start).float().requires_grad_(False).eval()
        self.student: UNet2DConditionModel | None = None
        if (start / STUDENT).is_dir():
            self.student = Student.load(start / STUDENT, self.teacher).unet.requires_grad_(False)
        torch.manual_seed(0)
        trunk = Trunk.new(self.teacher)
        if further is not None:
            trunk.load_state_dict(Trunk.load(further).float().state_dict())
            self.samples_before = read_manifest(further).samples
        for part in (trunk.guess, trunk.veil):
            if guess is not None and (guess / part.file).is_file():
                part.load_state_dict(part.load(guess).float().state_dict())
        self.trainable = trunk.train()
        trunk.control.requires_grad_(True)
        trunk.guess.requires_grad_(False)
        trunk.veil.requires_grad_(False)
        if not torch.cuda.is_available():  # see `diffusion.DiffusionObjective`
            for network in (self.teacher, self.student, trunk.control):
                if network is not None:
                    network.set_attn_processor(AttnProcessor())
        course = get_preset(self.facts.name).course
        self.levels = NoiseLevels(course.noise_mean + NOISIER, course.noise_spread)
        self.known = angles_of(build_scheduler().alphas_cumprod)
        self.steps = StudentSteps(start)
        self.shares = LossShares()
        self.turn = 0

    def batch(self, size: int, rng: np.random.Generator) -> dict[str, Any]:
        batch = self.windows.batch(size, rng)
        examples = self.lessons.examples(batch["pixels"].numpy(), rng)
        for number, pair in enumerate(examples["pairs"]):
            if pair is not None:
                batch["texts"][number] = pair.label
                batch["levels"][number] = level_of(PAIR_RESOLUTION)
            if rng.random() < UNSAID:  # a prompt is optional
                batch["texts"][number] = ""
            if rng.random() < UNSAID / 2:
                batch["levels"][number] = NULL_LEVEL
        return batch | examples | {"pixels": examples["targets"]}

    def loss(self, batch: dict[str, Any], seen: int) -> tuple[Tensor, dict[str, float]]:
        device = next(self.trainable.parameters()).device
        self.teacher.to(device)
        given = self.windows.condition(batch, device)
        condition = conditions_of(batch, self.windows.encode, given.grey)
        noise = torch.randn_like(given.clean)
        self.turn += 1
        asked: UNet2DConditionModel = self.teacher
        if self.student is not None and self.turn % 2 == 0:
            asked = self.student.to(device)
            few = self.steps.at(torch.randint(FAST_STEPS, (len(noise),)))
            signal, amount, t = (part.to(device) for part in few)
        else:
            self.known = self.known.to(device)
            angles = self.levels.draw(len(noise), self.known)
            signal, amount, t = torch.cos(angles), torch.sin(angles), timesteps_at(angles, self.known)
        signal, amount = signal[:, None, None, None], amount[:, None, None, None]
        noisy, target = signal * given.clean + amount * noise, signal * noise - amount * given.clean
        inputs = given.inputs(noisy, given.masks)
        skips, middle = self.trainable(inputs, t, given.embeddings, condition, given.levels)
        output = asked(
            inputs, t, given.embeddings, class_labels=given.levels, down_block_additional_residuals=skips,
            mid_block_additional_residual=middle,
        ).sample.float()  # fmt: skip
        counted = given.masks * self._asked_for(batch["tasks"], device)
        error = (output - target).square() * counted
        per_sample = error.sum((1, 2, 3)) / counted.sum((1, 2, 3)).clamp(min=1)
        if asked is self.teacher:
            self.shares.add(angles, per_sample)
        return per_sample.mean(), self.shares.named() | {
            f"error_{'fast' if asked is self.student else 'quality'}": per_sample.mean().item()
        }

    def _asked_for(self, tasks: Sequence[Task], device: torch.device) -> Tensor:
        """1 for channels (B, 4, 1, 1) of the latent that the sampler asks for and does not know already."""
        wanted = torch.ones(len(tasks), 4, 1, 1, device=device)
        for number, task in enumerate(tasks):
            wanted[number, : held_channels(task)] = 0
            if task.makes.channels == 1:
                wanted[number, COLOURS] = 0
        return wanted

    def grid(self, averaged: Trunk) -> Image.Image:
        """A row for each task: source, what each sampler makes of it, target."""
        model = Text2Earth.from_pretrained(self.start)
        with tempfile.TemporaryDirectory() as folder:
            self.export(averaged, Path(folder), 0)
            model.translators.load(folder)
            rng = np.random.default_rng(0)
            pictures = self.windows.batch(4 * len(self.lessons.tasks), rng)["pixels"].numpy()
            cells: list[np.ndarray] = []
            shown: set[str] = set()
            for rgb in pictures:
                task, example, _ = self.lessons.draw(rgb, rng)
                if task.name in shown:
                    continue
                shown.add(task.name)
                source = Image.fromarray(task.sees.to_rgb(example.source))
                cells.append(task.sees.to_rgb(example.source))
                for sampler in (QUALITY, FAST):
                    made = translate(
                        model, source, task.name, sampler=sampler if sampler in model.info.samplers else QUALITY
                    )
                    cells.append(np.asarray(made.convert("RGB")))
                cells.append(task.makes.to_rgb(example.target))
        return tile_images(cells, 4)

    def export(self, averaged: Trunk, out: Path, seen: int) -> None:
        out.mkdir(parents=True, exist_ok=True)
        trunk = Trunk.new(self.teacher.cpu())
        trunk.load_state_dict(averaged.state_dict())
        trunk.save(out, torch.bfloat16)
        Manifest(
            tuple(task.name for task in self.lessons.tasks), fingerprints(self.start)[1], self.facts.name, seen,
            f"pictures of {', '.join(self.sets)} with simulated sources, and real pairs", {}, LICENCE,
        ).write(out)  # fmt: skip
