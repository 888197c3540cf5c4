"""The first guess of a translator: a regression of the target's latents, trained before the trunk that completes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from text2earth_core.data.corpus import Picture
from text2earth_core.networks.thumbnail_vae import CELL, COLOURS
from text2earth_core.training.grids import tile_images
from text2earth_core.training.lessons import Lessons, conditions_of
from text2earth_core.training.loop import Objective
from text2earth_core.training.windows import Windows
from text2earth_core.translation.condition import guessed_channels
from text2earth_core.translation.first_guess import FirstGuess, Guess

SHOWN = 8


class FirstGuessObjective(Objective):
    """Mean square of the latent's channels that are left to the guess, over the tasks that leave any to it."""

    name = "first-guess"
    network: type[Guess] = FirstGuess

    def __init__(self, start: Path, lessons: Lessons, corpus: list[Picture], further: Path | None = None) -> None:
        """`lessons`: of tasks that leave something to guess. further: a translator whose guess is trained on."""
        self.lessons, self.windows = lessons, Windows(start, corpus, lessons.side)
        torch.manual_seed(0)
        self.trainable = self.network() if further is None else self.network.load(further).float()

    def batch(self, size: int, rng: np.random.Generator) -> dict[str, Any]:
        return self.lessons.examples(self.windows.batch(size, rng)["pixels"].numpy(), rng)

    def loss(self, batch: dict[str, Any], seen: int) -> tuple[Tensor, dict[str, float]]:
        condition, clean = self.seen(batch, next(self.trainable.parameters()).device)
        counted = torch.zeros(len(clean), 4, 1, 1, device=clean.device)
        for number, task in enumerate(batch["tasks"]):
            counted[number, : guessed_channels(task)] = 1
            if task.makes.channels == 1:
                counted[number, COLOURS] = 0
        counted = counted.expand_as(clean)
        return ((self.trainable(condition).float() - clean).square() * counted).sum() / counted.sum(), {}

    @torch.no_grad()
    def seen(self, batch: dict[str, Any], device: torch.device) -> tuple[Tensor, Tensor]:
        """Conditions and the latents of their targets, on a device."""
        self.windows.to(device)
        grey = self.windows.encode(torch.full((1, 3, CELL, CELL), 0.5, device=device))[0, :, 0, 0]
        clean = self.windows.encode(batch["targets"].to(device).permute(0, 3, 1, 2).float() / 255)
        return conditions_of(batch, self.windows.encode, grey), clean

    @torch.no_grad()
    def grid(self, averaged: Any) -> Image.Image:
        """Columns: sources, brightness of cells as it is guessed, and as it is."""
        batch = self.batch(SHOWN, np.random.default_rng(0))
        condition, clean = self.seen(batch, next(averaged.parameters()).device)
        cells: list[np.ndarray] = []
        for source, *cut in zip(batch["sources"].numpy(), averaged(condition), clean, strict=True):
            means = [((latents[0].float().cpu().numpy() + 2) * 64).clip(0, 255).astype(np.uint8) for latents in cut]
            cells += [source, *(np.kron(one, np.ones((CELL, CELL), np.uint8))[..., None].repeat(3, 2) for one in means)]
        return tile_images(cells, 6)

    def export(self, averaged: Any, out: Path, seen: int) -> None:
        out.mkdir(parents=True, exist_ok=True)
        averaged.save(out)
