"""What bodies of the API that ask for a generation have in common: texts, and the settings of the sampler."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field

from app.work import random_seed
from canvas.layers import checked_layer
from canvas.request import MAX_PROMPT, writable
from text2earth_core.sampling.settings import SETTINGS, Sampling

Layer = Annotated[str, Field(max_length=16), AfterValidator(checked_layer)]
AdapterKey = Annotated[str, Field(max_length=200), AfterValidator(writable)]
Prompt = Annotated[str, Field(max_length=MAX_PROMPT), AfterValidator(writable)]


def _possible(name: str) -> AfterValidator:
    """The check of a field of `Sampling`, as pydantic has it."""
    setting = SETTINGS[name]

    def check(value: Any) -> Any:
        if value is not None and not setting.possible(value):
            raise ValueError(f"it must be {setting.words}")
        return value

    return AfterValidator(check)


Steps = Annotated[int | None, _possible("steps")]
Sampler = Annotated[str | None, Field(max_length=16), _possible("sampler")]


class SamplingBody(BaseModel, extra="forbid"):
    """The fields of `Sampling` that a request may set.  What is None is left to the model, the seed to chance."""

    negative_prompt: Prompt = ""
    seed: Annotated[int | None, _possible("seed")] = None
    steps: Steps = None
    guidance: Annotated[float | None, _possible("guidance")] = None
    sampler: Sampler = None
    follow: Annotated[float | None, _possible("follow")] = None
    layer: Layer = "rgb"
    adapters: Annotated[tuple[tuple[AdapterKey, float], ...], _possible("adapters")] = ()

    def sampling(self) -> Sampling:
        """The settings, with a seed in any case."""
        values = {name: getattr(self, name) for name in SamplingBody.model_fields}
        return Sampling(**values | {"seed": random_seed() if self.seed is None else self.seed})
