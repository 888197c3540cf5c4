"""Refining the few-step student against a critic with eyes: squares teach structure slowly, a critic fast.

Adversarial refinement (Sauer et al. 2023, "Adversarial diffusion distillation") of decoded pictures. The student
samples as it does on the canvas: pure noise, its own steps, known ground joined; small heads on frozen eyes (Projected
GAN, Sauer et al. 2021) tell what it drew from real pictures that went through the same autoencoder; and their gradient
goes back through all of its steps, since what is laid out in the first decides where an edge can be. What the student
was before holds it, at each step: a little in every cell, so that it goes on hearing its prompts and its noise, and
much in the mean colours of squares, which would drift over the hops of an extension.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from text2earth_core.data.corpus import Picture, load_corpus
from text2earth_core.errors import Text2EarthError
from text2earth_core.facts import FAST_STEPS
from text2earth_core.folder import STUDENT, load_unet, locate, read_facts
from text2earth_core.networks.critic import CriticHeads, hinge
from text2earth_core.networks.eyes import Eyes
from text2earth_core.networks.student import Student
from text2earth_core.networks.thumbnail_vae import decode, project, repeat_borders, thumbnail
from text2earth_core.sampling.joining import join
from text2earth_core.training.augment import augment
from text2earth_core.training.checkpoint import module_tensors, optimizer_tensors, restore_module, restore_optimizer
from text2earth_core.training.loop import Schedule, fit
from text2earth_core.training.student import STRIDE, TEACHER_STEPS, FewStepObjective, check_teacher, distances
from text2earth_core.training.windows import Conditioned

ALONE = 100 * 16
"""Windows on which the heads learn before the student does: what they do not know yet they cannot teach."""

RATE, HEADS_RATE = 4e-4, 5e-4

PULL, CELLS, SQUARES = 1.0, 0.02, 0.6
"""How strongly a latent cell is pulled by the critic, held by itself, and held by the mean of its square, in units of
a loss of absolute differences. What holds has one direction, and what pulls many: measured in the gradient of the
weights, 0.5 and 10 outweighed the critic five to twenty times, and nothing that could be seen was learned."""


def refine_student(
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
) -> dict:
    """Refine the student of `start`, or the one in `out`, into `out/student`.

    Args:
        As `train_student`'s.
    """
    check_teacher(preset, out)
    start = out if start is None else locate(start)
    if not (start / STUDENT).is_dir():
        raise Text2EarthError(f"{start} has no student to refine: run `text2earth train student` first.")
    objective = CriticObjective(out, start, load_corpus(data, limit=limit), window or read_facts(out).window)
    default = 64 if torch.cuda.is_available() else 16
    rate = RATE if learning_rate is None else learning_rate
    schedule = Schedule(minutes, samples, batch or default, rate, betas=(0.5, 0.99), ema=5_000)
    return fit(objective, out, schedule, resume, device)


class CriticObjective(FewStepObjective):
    """What the student draws must look real, and stay near what it was."""

    name = "critic"

    def __init__(self, folder: Path, start: Path, corpus: list[Picture], window: int):
        super().__init__(folder, corpus, window)
        self.eyes = Eyes()
        self.start_from(start)
        self.before = Student.load(start / STUDENT, load_unet(folder)).unet.requires_grad_(False)
        repeat_borders(self.windows.vae)
        self.heads = CriticHeads(self.windows.null.shape[-1])
        self.optimizer = torch.optim.Adam(self.heads.parameters(), lr=HEADS_RATE, betas=(0.0, 0.99))
        self.pulled = torch.zeros(())  # running size of the critic's gradient in a cell

    def loss(self, batch: dict[str, Any], seen: int) -> tuple[Tensor, dict[str, float]]:
        device = next(self.trainable.parameters()).device
        for part in (self.eyes, self.before, self.heads):
            part.to(device)
        given = self.windows.condition(batch, device)
        learns = seen >= ALONE
        with torch.set_grad_enabled(learns):
            drawn, cells, squares = self.draw(given, learns)
            shown = self.eyes(augment(self.picture(drawn)))
        with torch.no_grad():
            real = self.eyes(augment(self.picture(given.clean)))
        figures = self._teach_heads(real, [m.detach() for m in shown], given.embeddings)
        if not learns:  # a loss that leads to no weight: the student's optimizer does not even count the step
            return torch.zeros((), device=device, requires_grad=True), figures
        self.heads.requires_grad_(False)
        score = torch.stack([s.float().mean((1, 2, 3)) for s in self.heads(shown, given.embeddings)]).mean(0)
        self.heads.requires_grad_(True)
        (pull,) = torch.autograd.grad(-score.sum(), drawn)
        pull = pull * given.masks
        size = (pull.square().sum() / (given.masks.sum().clamp(min=1) * pull.shape[1])).sqrt()
        self.pulled = size if self.pulled == 0 else self.pulled.to(device).lerp(size, 0.02)
        adversarial = (pull / self.pulled * drawn).sum() / (given.masks.sum().clamp(min=1) * pull.shape[1])
        figures |= {"cells": cells.item(), "squares": squares.item(), "pull": size.item(), "score": score.mean().item()}
        return PULL * adversarial + CELLS * cells + SQUARES * squares, figures

    def draw(self, given: Conditioned, compared: bool = True) -> tuple[Tensor, Tensor, Tensor]:
        """Sample as on the canvas: clean latents, and how far the steps are from what the student said before.

        Args:
            compared: whether somebody wants to know the latter, which costs as much as the sampling.
        """
        noisy = torch.randn_like(given.clean)
        cells, squares = torch.zeros(2, device=noisy.device)
        for first in range(0, TEACHER_STEPS, STRIDE):
            estimate = self.estimate(given, noisy, first)
            if compared:
                with torch.no_grad():
                    before = self.estimate(given, noisy, first, self.before)
                fine, coarse = distances(estimate, before, given.masks)
                cells, squares = cells + fine / FAST_STEPS, squares + coarse / FAST_STEPS
            joined = join(estimate, given.clean, given.masks)
            noisy = self.path.advance(noisy, joined, first, first + STRIDE)
        return joined, cells, squares

    def picture(self, latents: Tensor) -> Tensor:
        """What is seen of latents (B, 4, h, w): pixels (B, 3, 8h, 8w), about in [0, 1]."""
        return project(decode(self.windows.vae, latents), thumbnail(self.windows.vae, latents))

    def _teach_heads(self, real: list[Tensor], drawn: list[Tensor], text: Tensor) -> dict[str, float]:
        self.heads.measure(real)
        on_real, on_drawn = self.heads(real, text), self.heads(drawn, text)
        loss = hinge(on_real, on_drawn)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        scores = zip(on_real, on_drawn, strict=True)
        gaps = {f"gap_{number}": (a.mean() - b.mean()).item() for number, (a, b) in enumerate(scores)}
        return {"heads": loss.item()} | gaps

    def extras(self) -> dict[str, Tensor]:
        found = module_tensors(self.heads, "heads") | optimizer_tensors(self.optimizer, "heads_optimizer")
        return found | module_tensors(self.before, "before") | {"pulled": self.pulled}

    def restore_extras(self, tensors: dict[str, Tensor]) -> None:
        restore_module(self.heads, tensors, "heads")
        restore_optimizer(self.optimizer, tensors, "heads_optimizer")
        restore_module(self.before, tensors, "before")
        self.pulled = tensors["pulled"]
