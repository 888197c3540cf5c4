"""The few-step student: a LoRA on the teacher's UNet that takes as one step what the teacher takes as five.

Guided distillation (Meng et al. 2023) on the student's own path (Kohler et al. 2024, "backward distillation"): the
student samples, and at each of its steps the teacher, guided, goes on from where the student stands, in small steps;
where that leads is what the student should have said. So the student learns to mend what its own steps lose, of which
contrast would be the first, and it meets in training just what it meets on the canvas: the same sampler, pure noise at
the start, known ground joined to every estimate.
"""

import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from peft import LoraConfig, set_peft_model_state_dict
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from text2earth_core.data.corpus import Picture, load_corpus
from text2earth_core.errors import Text2EarthError, reason_of
from text2earth_core.facts import FAST_STEPS, WEIGHTS_FILE, ModelFacts
from text2earth_core.folder import STUDENT, load_scheduler, load_unet, locate, read_facts, write_facts
from text2earth_core.model import Text2Earth
from text2earth_core.networks.presets import get_preset
from text2earth_core.networks.student import Student
from text2earth_core.sampling.conditioning import guidance_at, predict_guided
from text2earth_core.sampling.joining import join, told_mask
from text2earth_core.sampling.path import noise_path
from text2earth_core.sampling.settings import FAST, QUALITY
from text2earth_core.training.diffusion import SHOWN
from text2earth_core.training.grids import tile_images
from text2earth_core.training.loop import Objective, Schedule, fit
from text2earth_core.training.windows import Conditioned, Windows

RANK = 16
ADAPTED = (
    "conv_in", "conv_out", "conv1", "conv2", "conv_shortcut", "downsamplers.0.conv", "upsamplers.0.conv",
    "time_emb_proj", "linear_1", "linear_2", "proj_in", "proj_out", "to_q", "to_k", "to_v", "to_out.0",
    "ff.net.0.proj", "ff.net.2",
)  # fmt: skip
"""Nearly every layer: the student must leap where the teacher steps, which attention alone cannot learn."""

STRIDE = 5
"""Steps of the teacher in one of the student's."""

TEACHER_STEPS = FAST_STEPS * STRIDE
"""As many as the teacher takes by default."""

RATE = 3e-4
"""Learning rate after the warm-up, unless a run says otherwise."""

HUBER = 0.03
"""Where the loss turns from squares to distances (Song & Dhariwal 2024, eq. 8), in units of the latent."""

COARSE = 8
"""Latent cells along a square whose mean counts as much as its cells do: a colour that is a little off in every cell is
hardly seen in one window, and adds up over the hops of an extension."""


def train_student(
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
    teacher: str | Path | None = None,
    device: str | None = None,
    limit: int | None = None,
) -> dict:
    """Train `out/student` to reach in a few steps, without a second forward pass, where the UNet of `out` goes in many.

    Args:
        preset: must be the teacher's; the rest is read from the folder. window: px along the side of the crops
            (default: the model's window). start: a model whose student is trained further, on the UNet of `out`.
        teacher: folder or hub id of a model that is copied into `out` first, where there is none; the official one will
            do.
    """
    if teacher is not None and not (out / "unet").is_dir():
        shutil.copytree(locate(teacher), out, ignore=shutil.ignore_patterns(STUDENT, "runs"), dirs_exist_ok=True)
    facts = check_teacher(preset, out)
    if start is not None:
        start = locate(start)
    corpus = load_corpus(data, limit=limit)
    objective = StudentObjective(out, corpus, window or facts.window)
    if start is not None:
        objective.start_from(start)
    default = 64 if torch.cuda.is_available() else 16  # windows, of which each keeps what its four steps need
    rate = RATE if learning_rate is None else learning_rate
    return fit(objective, out, Schedule(minutes, samples, batch or default, rate), resume, device)


def check_teacher(preset: str, out: Path) -> ModelFacts:
    """The facts of the model in `out`; Text2EarthError where it has no UNet, or is of another preset."""
    if not (out / "unet").is_dir():
        raise Text2EarthError(
            f"{out} has no UNet whose student could be trained: run `text2earth train diffusion` first."
        )
    facts = read_facts(out)
    if get_preset(preset).name != facts.name:
        raise Text2EarthError(f"{out} holds a {facts.name} model, not {preset}: name the teacher's preset.")
    return facts


class FewStepObjective(Objective):
    """The student's LoRA on its own path through training windows; what it should say there is told by a subclass."""

    name = "student"

    def __init__(self, folder: Path, corpus: list[Picture], window: int):
        # Steps of equal angle: the few that the student takes are then among the many of the teacher.
        self.folder, self.window, self.facts = folder, window, replace(read_facts(folder), multistep=True)
        self.windows = Windows(folder, corpus, window, any_autoencoder=True)
        self.scheduler = load_scheduler(folder)
        student = load_unet(folder).float().requires_grad_(False)
        torch.manual_seed(0)
        student.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, target_modules=list(ADAPTED)))
        self.trainable = student
        self.path = noise_path(self.scheduler, TEACHER_STEPS, self.facts, FAST)

    def start_from(self, model: Path) -> None:
        """Take over the adapter of a model's student, and its count of samples.

        Raises:
            Text2EarthError: it has none, or one for another UNet.
        """
        try:
            rest: Any = set_peft_model_state_dict(self.trainable, load_file(model / STUDENT / WEIGHTS_FILE))
        except Exception as error:
            raise Text2EarthError(f"The student in {model} cannot be trained further: {reason_of(error)}.") from None
        if rest.unexpected_keys:
            raise Text2EarthError(f"The student in {model} is of another UNet than {self.folder}.")
        self.samples_before = read_facts(model).student_samples

    def batch(self, size: int, rng: np.random.Generator) -> dict[str, Any]:
        return self.windows.batch(size, rng)

    def estimate(
        self, given: Conditioned, noisy: Tensor, step: int, unet: UNet2DConditionModel | None = None
    ) -> Tensor:
        """The clean estimate, at a step of the teacher's, of the student or of another UNet."""
        t = torch.tensor(self.path.timesteps[step], device=noisy.device)
        inputs = given.inputs(noisy, told_mask(given.masks))
        output = (unet or self.trainable)(inputs, t, given.embeddings, class_labels=given.levels).sample.float()
        return self.path.clean(output, noisy, step)

    def grid(self, averaged: UNet2DConditionModel) -> Image.Image:
        self.windows.to(averaged.device)  # a run that was finished already has drawn no batch yet
        parts = (averaged, self.windows.vae, self.windows.text, self.scheduler)
        student = Student(averaged.eval(), {}, {})
        model = Text2Earth.from_parts(*parts, student=student, **asdict(replace(self.facts, window=self.window)))
        images = model.generate(list(SHOWN), seed=0, size=self.window, sampler="fast")
        return tile_images([np.asarray(image) for image in images], columns=6)

    def export(self, averaged: UNet2DConditionModel, out: Path, seen: int) -> None:
        averaged.save_lora_adapter(out / STUDENT)
        write_facts(out, replace(self.facts, student_samples=seen))


class StudentObjective(FewStepObjective):
    """One step of the student must lead where many guided steps of the teacher lead."""

    def __init__(self, folder: Path, corpus: list[Picture], window: int):
        super().__init__(folder, corpus, window)
        self.teacher = load_unet(folder).float().requires_grad_(False)
        self.teacher_path = noise_path(self.scheduler, TEACHER_STEPS, self.facts, QUALITY)

    def loss(self, batch: dict[str, Any], seen: int) -> tuple[Tensor, dict[str, float]]:
        # The canvas paints what it hides cell by cell, whatever the autoencoder.
        given = replace(self.windows.condition(batch, next(self.trainable.parameters()).device), shown=None)
        noisy = torch.randn_like(given.clean)
        loss, error = torch.zeros((), device=noisy.device), 0.0
        for first in range(0, TEACHER_STEPS, STRIDE):
            last = first + STRIDE
            target = self.path.origin(noisy, self._walk(given, noisy, first, last), first, last)
            estimate = self.estimate(given, noisy, first)
            fine, coarse = distances(estimate, target, given.masks)
            loss = loss + (fine + coarse) / FAST_STEPS
            error += _mean((estimate - target).square() * given.masks, given.masks).item() / FAST_STEPS
            noisy = self.path.advance(noisy, join(estimate.detach(), given.clean, given.masks), first, last)
        return loss, {"error": error}

    @torch.no_grad()
    def _walk(self, given: Conditioned, noisy: Tensor, first: int, last: int) -> Tensor:
        """Where the guided teacher gets from step `first` to step `last`."""
        self.teacher.to(noisy.device)
        null = self.windows.null.to(noisy.device)[None]
        before = None
        for step in range(first, last):
            t = torch.tensor(self.path.timesteps[step], device=noisy.device)
            inputs = given.inputs(noisy, told_mask(given.masks))
            scale = guidance_at(step, TEACHER_STEPS, self.facts.guidance, self.facts.guidance_rise)
            output = predict_guided(self.teacher, inputs, t, given.embeddings, given.levels, null, scale)
            estimate = join(self.teacher_path.clean(output, noisy, step), given.clean, given.masks)
            noisy = self.teacher_path.advance(noisy, estimate, step, step + 1, before)
            before = estimate if self.facts.multistep else None
        return noisy


def distances(estimate: Tensor, target: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    """How far two estimates (B, 4, h, w) are apart where `masks` (B, 1, h, w) are 1: in cells, and in mean colours."""
    difference = (estimate - target) * masks
    return _mean(_huber(difference), masks), _mean(_huber(_squares(difference)), _squares(masks))


def _huber(difference: Tensor) -> Tensor:
    return (difference.square() + HUBER**2).sqrt() - HUBER


def _mean(x: Tensor, masks: Tensor) -> Tensor:
    """Mean of what is zero outside the masks over what they weigh, window by window."""
    return (x.sum((1, 2, 3)) / (masks.sum((1, 2, 3)).clamp(min=1) * x.shape[1])).mean()


def _squares(x: Tensor) -> Tensor:
    """Means over squares of `COARSE` cells, or over whole windows that are smaller."""
    return F.avg_pool2d(x, min(COARSE, x.shape[-1]), ceil_mode=True)
