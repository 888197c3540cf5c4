"""What translators learn from and are measured with: pairs of a source and a target, real ones and simulated ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from text2earth_core.data.corpus import has_data_set
from text2earth_core.modalities import RGB
from text2earth_core.simulation.pairs import PAIRS, Pair, load_pairs
from text2earth_core.simulation.simulators import Light, Simulator
from text2earth_core.translation.fog import Fog
from text2earth_core.translation.holding import coarsen, luma
from text2earth_core.translation.tasks import TASKS, Task


@dataclass(frozen=True)
class Example:
    """source: uint8 (H, W, bands of the task's source). target: uint8 (H, W, bands of its target).

    about: parameters of what was simulated, by name.
    """

    source: np.ndarray
    target: np.ndarray
    about: dict[str, object] = field(default_factory=dict)


def measured_band(task: Task) -> str | None:
    """The modality, other than colours and their luma, that a task has on one of its sides."""
    return next((name for name in (task.source, task.target) if name in PAIRS), None)


def possible(task: Task, simulators: Mapping[str, Simulator]) -> bool:
    """Whether examples of a task can be made of colours with these simulators."""
    return task.made != "simulated" or measured_band(task) in simulators


def from_colours(
    task: Task, rgb: np.ndarray, rng: np.random.Generator, simulators: Mapping[str, Simulator], light: Light | None
) -> Example:
    """An example of one picture uint8 (H, W, 3), sides multiples of 4; `light` is that of the set it belongs to."""
    if task.made == "luma":
        return Example(luma(rgb), rgb)
    if task.made == "coarse":
        return Example(coarsen(rgb, task.finer), rgb, {"factor": task.finer})
    if task.made == "fog":
        fog = Fog.draw(rng)
        return Example(fog.over(rgb), rgb, fog.as_dict())
    name = measured_band(task)
    assert name is not None  # a simulated task has one
    band = simulators[name](rgb[None], rng, light)[0]
    return _oriented(task, rgb, band)


def from_pair(task: Task, pair: Pair) -> Example:
    """An example of a real pair whose measured band the task asks for, see `real_pairs`."""
    return _oriented(task, pair.picture, pair.measured[..., None])


def real_pairs(task: Task, data: Path, split: str) -> list[Pair]:
    """The real pairs of a task in a data folder; none where there are none of its kind.

    Of grey pictures only tasks that see or make grey can learn.
    """
    name = measured_band(task)
    if name is None:
        return []
    coloured = RGB in (task.source, task.target)
    files = [file for file in PAIRS[name] if has_data_set(data, file) and not (coloured and file.endswith("_pan"))]
    return load_pairs(data, name, split, files) if files else []


def trainable(simulators: Mapping[str, Simulator]) -> Sequence[str]:
    """The tasks of which examples can be made of colours."""
    return [name for name, task in TASKS.items() if possible(task, simulators)]


def _oriented(task: Task, rgb: np.ndarray, band: np.ndarray) -> Example:
    """A picture and another sensor's band of its place, the way round that a task wants them."""
    picture = rgb if RGB in (task.source, task.target) else luma(rgb)
    return Example(band, picture) if task.source in PAIRS else Example(picture, band)
