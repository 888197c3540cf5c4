"""What a person sets for a generation beside the prompt: one object from the request to the stepper.

Importing this brings no torch: a server and a command line check what they are told before a model is there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from text2earth_core.errors import Text2EarthError
from text2earth_core.facts import FAST_STEPS, MAX_GUIDANCE, MAX_RESOLUTION, MAX_STEPS, MIN_RESOLUTION, ModelFacts
from text2earth_core.modalities import MODALITIES, RGB
from text2earth_core.values import is_number, is_text, is_whole

QUALITY, FAST = "quality", "fast"
"""The samplers: the teacher with guidance in many steps, and the student in a few."""

MAX_SEED = 2**63 - 1
"""The largest number that a scene file can hold."""

MAX_WEIGHT = 2.0
"""Of an adapter, either way; it was trained to be used with 1."""

MAX_ADAPTERS = 8


@dataclass(frozen=True, slots=True)
class Sampling:
    """Settings of the sampler; None leaves one to the model. Checked when it is made.

    `guidance` is the scale s = 1 + omega, its mean over the steps; 1 is none. `sampler` is "quality", or "fast" for the
    student, which has its guidance built in and hears no negative prompt. `follow` goes from 0, what is made continues
    the known ground, to 1, it follows the prompt; None decides by the ground. `resolution` is in m/px, None for what
    the prompt says, or for unknown. `layer` is the modality that is made, under the name that its layer of a scene has;
    its own adapter comes by itself. `adapters` are further ones, each a name or a fingerprint with a weight.

    Raises:
        Text2EarthError: a setting is impossible with any model.
    """

    negative_prompt: str = ""
    seed: int = 0
    steps: int | None = None
    guidance: float | None = None
    sampler: str | None = None
    follow: float | None = None
    resolution: float | None = None
    layer: str = RGB
    adapters: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        for name in SETTINGS:
            check(name, getattr(self, name))
        object.__setattr__(self, "adapters", tuple((key, weight) for key, weight in self.adapters))  # JSON has lists

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Sampling:
        """The settings among the values of a stored request; what is not there stands at its default.

        Without `follow` it is from before there was a choice, and continues the ground as it would have then.
        """
        there = {"follow": 0.0} | dict(values)
        return cls(**{field.name: there[field.name] for field in fields(cls) if field.name in there})

    def as_dict(self) -> dict[str, Any]:
        """The settings as queued jobs hold them: JSON-ready, without the resolution, which is the scene's.

        Layer and adapters are there only where they say something, as they were not always there.
        """
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "resolution"}
        unsaid = {name for name in ("layer", "adapters") if values[name] == getattr(DEFAULTS, name)}
        return {name: value for name, value in values.items() if name not in unsaid}

    def settled(self, facts: ModelFacts, samplers: Collection[str]) -> Settled:
        """The same with nothing left open, for a model of these facts and samplers.

        Raises:
            Text2EarthError: the model has no such sampler, or it does not take these steps or this guidance.
        """
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        sampler = self.sampler or QUALITY
        if sampler not in samplers:
            raise Text2EarthError(f'This model has no sampler "{sampler}": use {" or ".join(samplers)}.')
        steps, guidance = facts.steps, facts.guidance
        if sampler == FAST:
            if self.steps not in (None, FAST_STEPS) or self.guidance not in (None, 1):
                raise Text2EarthError(
                    f"The fast sampler takes {FAST_STEPS} steps and has its guidance built in: leave both out, "
                    "or use quality."
                )
            steps, guidance = FAST_STEPS, 1.0
        values["steps"] = steps if self.steps is None else self.steps
        values["guidance"] = float(guidance if self.guidance is None else self.guidance)
        return Settled(**(values | {"sampler": sampler}))


@dataclass(frozen=True, slots=True)
class Settled(Sampling):
    """Settings of which a model has decided what was left open (`Sampling.settled`)."""

    steps: int = 1
    guidance: float = 1.0
    sampler: str = QUALITY


def _is_adapter(value: Any) -> bool:
    """Whether it is a name with a possible weight."""
    if not (isinstance(value, list | tuple) and len(value) == 2 and is_text(value[0]) and value[0]):
        return False
    return is_number(value[1]) and abs(value[1]) <= MAX_WEIGHT


class Setting(NamedTuple):
    """What a field of `Sampling` can be: `possible` tells of a value, `words` say it.

    `wrong` begins the sentence about another value; with `optional` None will do, too.
    """

    wrong: str
    possible: Callable[[Any], bool]
    words: str
    optional: bool = True


SETTINGS = {
    "negative_prompt": Setting(
        "This negative prompt is no text, or holds what cannot be written", is_text, "a text", False
    ),
    "seed": Setting(
        "A seed of {!r} is not possible",
        lambda value: is_whole(value) and 0 <= value <= MAX_SEED,
        f"a whole number from 0 to {MAX_SEED}",
        False,
    ),
    "steps": Setting(
        "{!r} steps are not possible",
        lambda value: is_whole(value) and 1 <= value <= MAX_STEPS,
        f"a whole number from 1 to {MAX_STEPS}",
    ),
    "guidance": Setting(
        "A guidance scale of {!r} is not possible",
        lambda value: is_number(value) and 1 <= value <= MAX_GUIDANCE,
        f"a number from 1 (none) to {MAX_GUIDANCE:g}",
    ),
    "sampler": Setting("A sampler {!r} is not possible", is_text, f"{QUALITY} or {FAST}"),
    "follow": Setting(
        "Following the prompt by {!r} is not possible",
        lambda value: is_number(value) and 0 <= value <= 1,
        "a number from 0 (continue the ground) to 1 (follow the prompt)",
    ),
    "resolution": Setting(
        "A resolution of {!r} m/px is not possible",
        lambda value: is_number(value) and MIN_RESOLUTION <= value <= MAX_RESOLUTION,
        f"metres per pixel between {MIN_RESOLUTION} and {MAX_RESOLUTION:g}",
    ),
    "layer": Setting(
        "A modality {!r} is not possible",
        lambda value: is_text(value) and value in MODALITIES,
        f"one of {', '.join(MODALITIES)}",
        False,
    ),
    "adapters": Setting(
        "The adapters {!r} are not possible",
        lambda value: isinstance(value, list | tuple) and len(value) <= MAX_ADAPTERS and all(map(_is_adapter, value)),
        f"up to {MAX_ADAPTERS} names, each with a weight from {-MAX_WEIGHT:g} to {MAX_WEIGHT:g}",
        False,
    ),
}


def check(name: str, value: Any) -> None:
    """Raise Text2EarthError with one sentence where the value of a setting is impossible."""
    setting = SETTINGS[name]
    if not (setting.possible(value) or (value is None and setting.optional)):
        raise Text2EarthError(f"{setting.wrong.format(value)}: give {setting.words}.")


DEFAULTS = Sampling()
"""All that can be is left to the model."""
