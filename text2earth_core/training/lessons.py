"""What a translator learns from: examples of its tasks, of real pairs and of what can be simulated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from text2earth_core.data.corpus import Picture
from text2earth_core.errors import Text2EarthError
from text2earth_core.networks.thumbnail_vae import CELL
from text2earth_core.simulation.pairs import Pair
from text2earth_core.simulation.simulators import NETWORKS, Light, Simulator
from text2earth_core.speckle import filtered
from text2earth_core.translation.condition import assemble
from text2earth_core.translation.examples import Example, from_colours, from_pair, possible
from text2earth_core.translation.tasks import TASKS, Task

REAL = 0.5
"""Share of real pairs where a task has them."""

UNSEEN = 0.2
"""Share of sources that are not known everywhere."""


def find_simulators(folder: Path | None) -> dict[str, Simulator]:
    """The simulators in a folder of folders; Text2EarthError where one is damaged or there is none."""
    if folder is None:
        return {}
    found = {name: Simulator.load(folder / name) for name in NETWORKS if (folder / name).is_dir()}
    if not found:
        raise Text2EarthError(f"{folder} holds no simulators: it needs {' or '.join(f'{name}/' for name in NETWORKS)}.")
    return found


class Lessons:
    """Draws examples of tasks: of real pairs, and of what can be simulated of the pictures of a corpus."""

    def __init__(
        self,
        tasks: Sequence[str],
        corpus: list[Picture],
        pairs: Mapping[str, list[Pair]],
        simulators: Mapping[str, Simulator],
        side: int,
    ) -> None:
        self.tasks, self.side, self._simulators = [TASKS[name] for name in tasks], side, simulators
        self._pairs = pairs
        self._light = Light.of_corpus(corpus)

    def draw(self, rgb: np.ndarray, rng: np.random.Generator) -> tuple[Task, Example, Pair | None]:
        """A task, an example of it, and the real pair that it comes from, if it does; else it is made of `rgb`."""
        task = self.tasks[rng.integers(len(self.tasks))]
        pairs = self._pairs[task.name]
        if pairs and (not possible(task, self._simulators) or rng.random() < REAL):
            pair = self._piece(pairs, rgb.shape[0], rng)
            return task, from_pair(task, pair), pair
        return task, from_colours(task, rgb, rng, self._simulators, self._light), None

    def examples(self, pixels: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
        """An example for each of some pictures uint8 (B, side, side, 3), as a batch.

        "sources" and "targets", uint8 (B, side, side, 3), the latter without speckle; "seen", bool (B, side, side);
        "tasks"; "pairs", None for those that are simulated; and "about", parameters of what was.
        """
        drawn = [self.draw(rgb, rng) for rgb in pixels]
        sources = [task.sees.to_rgb(one.source) for task, one, _ in drawn]
        targets = [task.makes.to_rgb(_taught(task, one.target)) for task, one, _ in drawn]
        return {
            "sources": torch.from_numpy(np.stack(sources)),
            "targets": torch.from_numpy(np.stack(targets)),
            "seen": torch.from_numpy(np.stack([_seen(self.side, rng) for _ in drawn])),
            "tasks": [task for task, _, _ in drawn],
            "pairs": [pair for _, _, pair in drawn],
            "about": [one.about for _, one, _ in drawn],
        }  # fmt: skip

    def _piece(self, pairs: list[Pair], side: int, rng: np.random.Generator) -> Pair:
        """A square of a pair, turned at random; of small ones several beside each other."""
        pair = pairs[rng.integers(len(pairs))]
        if min(pair.measured.shape) >= side:
            top, left = (int(rng.integers(0, length - side + 1)) for length in pair.measured.shape)
            at = (slice(top, top + side), slice(left, left + side))
            return _turned(pair.picture[at], pair.measured[at], pair.label, int(rng.integers(8)))
        picture, measured = np.zeros((side, side, 3), np.uint8), np.zeros((side, side), np.uint8)
        for y in range(0, side, pair.measured.shape[0]):
            for x in range(0, side, pair.measured.shape[1]):
                one = pairs[rng.integers(len(pairs))]
                one = _turned(one.picture, one.measured, one.label, int(rng.integers(8)))
                h, w = picture[y : y + one.measured.shape[0], x : x + one.measured.shape[1]].shape[:2]
                picture[y : y + h, x : x + w] = one.picture[:h, :w]
                measured[y : y + h, x : x + w] = one.measured[:h, :w]
        return Pair(picture, measured, "")


def _turned(picture: np.ndarray, measured: np.ndarray, label: str, how: int) -> Pair:
    picture, measured = (np.rot90(one, how % 4) for one in (picture, measured))
    if how >= 4:
        picture, measured = picture[:, ::-1], measured[:, ::-1]
    return Pair(np.ascontiguousarray(picture), np.ascontiguousarray(measured), label)


@torch.no_grad()
def conditions_of(batch: dict[str, Any], encode: Callable[[Tensor], Tensor], grey: Tensor) -> Tensor:
    """float32 (B, CHANNELS, h, w) of the sources in a batch of `Lessons.examples`, on the device of `grey` (4,).

    Args:
        encode: pixels (B, 3, H, W) in [0, 1] to latents, see `Encoder.encode`.
    """
    rgb, known = batch["sources"].to(grey.device), batch["seen"].to(grey.device)
    rgb = torch.where(known[..., None], rgb, torch.full_like(rgb, 128))
    latents = encode(rgb.permute(0, 3, 1, 2).float() / 255)
    rows = zip(batch["tasks"], latents, rgb, known, strict=True)
    return torch.stack([assemble(task, latent, one, where, grey) for task, latent, one, where in rows])


def _taught(task: Task, target: np.ndarray) -> np.ndarray:
    """What of a target uint8 (H, W, bands) the model is to make: all but speckle."""
    return filtered(target[..., 0])[..., None] if task.makes.speckled else target


def _seen(side: int, rng: np.random.Generator) -> np.ndarray:
    """bool (side, side): where a source is known; now and then a part beyond an edge is not."""
    known = np.ones((side, side), bool)
    if rng.random() < UNSEEN:
        kept = int(rng.integers(CELL, side))
        known[:, kept:] = False
        known = np.rot90(known, int(rng.integers(4))).copy()
    return known
