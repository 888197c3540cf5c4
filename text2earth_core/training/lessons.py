"""What a translator learns from: examples of its tasks, of real pairs and of what can be simulated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from text2earth_core.data.corpus import Picture
from text2earth_core.errors import Text2EarthError
from text2earth_core.simulation.pairs import Pair
from text2earth_core.simulation.simulators import NETWORKS, Light, Simulator
from text2earth_core.translation.examples import Example, from_colours, from_pair, possible
from text2earth_core.translation.tasks import TASKS, Task

REAL = 0.5
"""Share of real pairs where a task has them."""


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
