"""The few-step student: a LoRA on the teacher's UNet that takes as one step what the teacher takes as five.

Consistency distillation with guidance baked in, as LCM-LoRA (Luo et al. 2023), in the multistep form of Heek et al.
2024 (Algorithm 1): the path is cut into as many segments as the student has steps, and within a segment every point
must lead to the same end. So the student samples with the teacher's own sampler, needs no fresh noise, and its errors
build up over a fifth of the way only. Known ground is composed at every clean estimate, as the canvas does.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from peft import LoraConfig
from PIL import Image
from torch import Tensor

from text2earth_core.conditioning import NULL_LEVEL, guide, inpainting_input
from text2earth_core.data.corpus import Picture, load_corpus
from text2earth_core.errors import Text2EarthError
from text2earth_core.folder import STUDENT, read_facts, write_facts
from text2earth_core.model import Text2Earth
from text2earth_core.presets import get_preset
from text2earth_core.sampling import clean_estimate
from text2earth_core.student import FAST_STEPS, Student
from text2earth_core.training.diffusion import SHOWN, build_scheduler
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
"""Steps of the teacher in one of the student's: together as many as the teacher takes by default."""

CLEAN = -1
"""Stands for the end of the path, where there is no noise."""

HUBER = 0.03
"""Where the loss turns from squares to distances (Song & Dhariwal 2024, eq. 8), in units of the latent."""


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
    learning_rate: float = 3e-4,
    device: str | None = None,
    limit: int | None = None,
) -> dict:
    """Train `out/student` to reach in a few steps, without a second forward pass, where the UNet of `out` goes in many.

    Args:
        preset: must be the teacher's; the rest is read from the folder. window: px along the side of the crops
            (default: the model's window).
    """
    facts = read_facts(out)
    if get_preset(preset).name != facts.name:
        raise Text2EarthError(f"{out} holds a {facts.name} model, not {preset}: name the teacher's preset.")
    corpus = load_corpus(data, limit=limit)
    objective = StudentObjective(out, corpus, window or facts.window)
    default = 256 if torch.cuda.is_available() else 32
    return fit(objective, out, Schedule(minutes, samples, batch or default, learning_rate), resume, device)


class StudentObjective(Objective):
    """Neighbours on the teacher's guided path must lead the student to the same clean window."""

    name = "student"

    def __init__(self, folder: Path, corpus: list[Picture], window: int):
        self.folder, self.window, self.facts = folder, window, read_facts(folder)
        self.windows = Windows(folder, corpus, window)
        self.teacher = _load(folder).eval()
        student = _load(folder)
        torch.manual_seed(0)
        student.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, target_modules=list(ADAPTED)))
        self.trainable = student
        self.scheduler = build_scheduler()
        self.scheduler.set_timesteps(FAST_STEPS * STRIDE)
        self.path = torch.cat([self.scheduler.timesteps, torch.tensor([CLEAN])])

    def batch(self, size: int, rng: np.random.Generator) -> dict[str, Any]:
        return self.windows.batch(size, rng)

    def loss(self, batch: dict[str, Any], seen: int) -> tuple[Tensor, dict[str, float]]:
        given = self.windows.condition(batch, next(self.trainable.parameters()).device)
        path = self.path.to(given.clean.device)
        place = torch.randint(0, FAST_STEPS * STRIDE, (len(given.clean),), device=path.device)
        t, s, end = path[place], path[place + 1], path[(place // STRIDE + 1) * STRIDE]
        noisy = self.scheduler.add_noise(given.clean, torch.randn_like(given.clean), t)
        with torch.no_grad():
            nearer = self._move(noisy, self._teacher(given, noisy, t), t, s)
            landed = self._move(nearer, self._student(given, nearer, s.clamp(min=0)), s, end)
            target = self._origin(noisy, torch.where(_wide(s == end), nearer, landed), t, end)
        difference = (self._student(given, noisy, t) - target) * given.masks
        distance = (difference.square() + HUBER**2).sqrt() - HUBER
        values = given.masks.sum((1, 2, 3)).clamp(min=1) * given.clean.shape[1]
        loss = (distance.sum((1, 2, 3)) / values).mean()
        return loss, {"error": (difference.square().sum((1, 2, 3)) / values).mean().item()}

    def _student(self, given: Conditioned, noisy: Tensor, t: Tensor) -> Tensor:
        """The student's clean window, with known ground composed into it."""
        inputs = inpainting_input(noisy, given.masks, given.masked)
        output = self.trainable(inputs, t, given.embeddings, class_labels=given.levels).sample.float()
        return torch.where(given.masks > 0.5, clean_estimate(self.scheduler, output, noisy, t), given.clean)

    def _teacher(self, given: Conditioned, noisy: Tensor, t: Tensor) -> Tensor:
        """The guided teacher's clean window (paper, Algorithm 2), with known ground composed into it."""
        self.teacher.to(noisy.device)
        inputs = inpainting_input(noisy, given.masks, given.masked)
        null = self.windows.null.to(noisy.device).expand_as(given.embeddings)
        conditions = ((null, torch.full_like(given.levels, NULL_LEVEL)), (given.embeddings, given.levels))
        null_output, output = (
            self.teacher(inputs, t, text, class_labels=levels).sample.float() for text, levels in conditions
        )
        output = guide(null_output, output, self.facts.guidance, self.facts.guidance_rescale)
        return torch.where(given.masks > 0.5, clean_estimate(self.scheduler, output, noisy, t), given.clean)

    def _move(self, noisy: Tensor, clean: Tensor, t: Tensor, s: Tensor) -> Tensor:
        """DDIM from t to s along the line that a clean estimate implies."""
        (a_t, s_t), (a_s, s_s) = self._amplitudes(t), self._amplitudes(s)
        return a_s * clean + s_s * (noisy - a_t * clean) / s_t.clamp(min=1e-6)

    def _origin(self, noisy: Tensor, landed: Tensor, t: Tensor, end: Tensor) -> Tensor:
        """The clean estimate with which `_move` from t to `end` lands at `landed`: its inverse."""
        (a_t, s_t), (a_e, s_e) = self._amplitudes(t), self._amplitudes(end)
        return (landed - s_e / s_t * noisy) / (a_e - a_t * s_e / s_t)

    def _amplitudes(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """Signal and noise at timesteps t (B,), or 1 and 0 where they are `CLEAN`; each (B, 1, 1, 1)."""
        signal = self.scheduler.alphas_cumprod.to(t.device)[t.clamp(min=0)].where(t != CLEAN, 1.0)
        return _wide(signal.sqrt()), _wide((1 - signal).sqrt())

    def grid(self, averaged: UNet2DConditionModel) -> Image.Image:
        parts = (averaged, self.windows.vae, self.windows.text, self.scheduler)
        student = Student(averaged.eval(), {}, {})
        model = Text2Earth.from_parts(*parts, student=student, name=self.facts.name, window=self.window)
        images = model.generate(list(SHOWN), seed=0, size=self.window, sampler="fast")
        return tile_images([np.asarray(image) for image in images], columns=6)

    def export(self, averaged: UNet2DConditionModel, out: Path, seen: int) -> None:
        averaged.save_lora_adapter(out / STUDENT)
        write_facts(out, replace(self.facts, student_samples=seen))


def _load(folder: Path) -> UNet2DConditionModel:
    return UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=torch.float32).requires_grad_(False)


def _wide(values: Tensor) -> Tensor:
    return values[:, None, None, None]
