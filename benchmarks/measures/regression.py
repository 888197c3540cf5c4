"""A plain U-Net that regresses a target from a source: what translation is without a model of pictures.

One network for all tasks, told the task by channels, of about a translator's size; absolute differences, Adam.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from text2earth_core.translation.tasks import TASKS, Task

WIDTHS = (48, 96, 192, 384, 384)
BATCH, RATE = 16, 1e-3


class Regression(nn.Module):
    """(B, 3, H, W) in [0, 1] and tasks -> (B, 3, H, W), sides multiples of 16; it corrects what it is shown."""

    def __init__(self) -> None:
        super().__init__()
        told = [3 + len(TASKS), *WIDTHS[:-1]]
        self.down = nn.ModuleList(_two(before, after) for before, after in zip(told, WIDTHS, strict=True))
        self.up = nn.ModuleList(
            _two(fine + coarse, fine) for fine, coarse in zip(WIDTHS[-2::-1], WIDTHS[:0:-1], strict=True)
        )
        self.last = nn.Conv2d(WIDTHS[0], 3, 1)

    def forward(self, pixels: Tensor, tasks: list[Task]) -> Tensor:
        told = torch.zeros(len(tasks), len(TASKS), 1, 1)
        told[range(len(tasks)), [list(TASKS).index(task.name) for task in tasks]] = 1
        x = torch.cat([pixels, told.expand(-1, -1, *pixels.shape[2:])], 1)
        kept: list[Tensor] = []
        for level, layer in enumerate(self.down):
            x = layer(F.avg_pool2d(x, 2) if level else x)
            kept.append(x)
        for layer, skip in zip(self.up, kept[-2::-1], strict=True):
            x = layer(torch.cat([skip, F.interpolate(x, scale_factor=2, mode="nearest")], 1))
        return pixels + self.last(x)

    @torch.no_grad()
    def translated(self, task: Task, source: np.ndarray) -> np.ndarray:
        """uint8 (H, W, bands of the target) of uint8 (H, W, bands of the source)."""
        made = self(_tensor(task.sees.to_rgb(source))[None], [task])[0].permute(1, 2, 0)
        return task.makes.to_bands((made.clamp(0, 1) * 255).round().byte().numpy())


def train(draw: Callable[[], tuple[Task, np.ndarray, np.ndarray]], minutes: float) -> tuple[Regression, int]:
    """Train on what `draw` gives, (task, source, target) of one size; the network, and how many it saw."""
    torch.manual_seed(0)
    network, seen = Regression(), 0
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    end = time.monotonic() + 60 * minutes
    while (left := end - time.monotonic()) > 0:
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, left / (12 * minutes))  # falls in the last fifth
        tasks, sources, targets = zip(*(draw() for _ in range(BATCH)), strict=True)
        given = torch.stack([_tensor(t.sees.to_rgb(s)) for t, s in zip(tasks, sources, strict=True)])
        wanted = torch.stack([_tensor(t.makes.to_rgb(s)) for t, s in zip(tasks, targets, strict=True)])
        loss = F.l1_loss(network(given, list(tasks)), wanted)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        seen += BATCH
    return network.eval(), seen


def _two(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1, padding_mode="replicate"), nn.LeakyReLU(0.1, inplace=True),
        nn.Conv2d(after, after, 3, padding=1, padding_mode="replicate"), nn.LeakyReLU(0.1, inplace=True),
    )  # fmt: skip


def _tensor(rgb: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1).float() / 255
