"""What can be translated into what: the tasks in one table, and how a condition is made from a target to learn from.

Importing this brings no torch: requests and command lines are checked with it before a model is there.
"""

from __future__ import annotations

from dataclasses import dataclass

from text2earth_core.errors import Text2EarthError
from text2earth_core.modalities import MODALITIES, RGB, Modality


@dataclass(frozen=True, slots=True)
class Task:
    """A translation.

    source, target: modalities. finer: how many times finer the result's pixels are than what the source knows.
    made: how a condition is made where there are no real pairs, of the colours of the same place: "luma", "simulated",
    "coarse" or "fog". holds: what the source says of the target for certain: "luma", "coarse" (all of it, but no
    finer than `finer` px), "detail" (where borders lie and how things are textured, not how bright they are), or "".
    """

    name: str
    source: str
    target: str
    finer: int
    made: str
    holds: str
    title: str

    @property
    def in_place(self) -> bool:
        """Whether the result takes the place of what it was made from."""
        return self.source == self.target

    @property
    def sees(self) -> Modality:
        return MODALITIES[self.source]

    @property
    def makes(self) -> Modality:
        return MODALITIES[self.target]


_TABLE = (
    #    name       source target finer made         holds     title
    Task("pan2rgb", "pan", RGB,   1,    "luma",      "luma",   "colours of a panchromatic picture"),
    Task("nir2rgb", "nir", RGB,   1,    "simulated", "detail", "colours of near infrared"),
    Task("sar2rgb", "sar", RGB,   1,    "simulated", "",       "colours of radar"),
    Task("pan2nir", "pan", "nir", 1,    "simulated", "detail", "near infrared of a panchromatic picture"),
    Task("pan2sar", "pan", "sar", 1,    "simulated", "",       "radar of a panchromatic picture"),
    Task("rgb2nir", RGB,   "nir", 1,    "simulated", "detail", "near infrared of colours"),
    Task("rgb2sar", RGB,   "sar", 1,    "simulated", "",       "radar of colours"),
    Task("sr2",     RGB,   RGB,   2,    "coarse",    "coarse", "twice as many pixels a metre"),
    Task("sr4",     RGB,   RGB,   4,    "coarse",    "coarse", "four times as many pixels a metre"),
    Task("dehaze",  RGB,   RGB,   1,    "fog",       "detail", "haze and fog taken away"),
)  # fmt: skip

TASKS = {task.name: task for task in _TABLE}
"""In the order in which a trunk is told them: new ones are added at the end."""


def get_task(name: str) -> Task:
    """Return a task by name; an unknown name is a Text2EarthError that lists the known ones."""
    if name not in TASKS:
        raise Text2EarthError(f"There is no translation {name!r}: use {', '.join(TASKS)}.")
    return TASKS[name]
