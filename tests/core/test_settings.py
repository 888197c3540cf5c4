"""The settings of a generation are checked in one place, whoever gives them, and are stored as they always were."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from text2earth_core import Text2EarthError
from text2earth_core.facts import FAST_STEPS, mini_facts
from text2earth_core.sampling.settings import Sampling

WRONG: list[tuple[str, Any]] = [
    ("negative_prompt", None), ("negative_prompt", "\ud800"), ("seed", -1), ("seed", 2**63), ("seed", True),
    ("seed", None), ("steps", 0), ("steps", 201), ("steps", 2.5), ("guidance", 0.5), ("guidance", float("nan")),
    ("guidance", 31), ("sampler", 3), ("follow", -0.1), ("follow", True), ("follow", "1"), ("resolution", 0),
    ("resolution", float("inf")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_an_impossible_setting_is_refused_when_it_is_given(name: str, value: Any) -> None:
    with pytest.raises(Text2EarthError) as error:
        replace(Sampling(), **{name: value})
    assert str(error.value).endswith(".")
    assert "\n" not in str(error.value)


def test_what_is_left_open_is_the_models_to_decide() -> None:
    facts = mini_facts()
    settled = Sampling(seed=3, follow=0.5).settled(facts, ("quality", "fast"))
    assert (settled.steps, settled.guidance, settled.sampler) == (facts.steps, facts.guidance, "quality")
    assert (settled.seed, settled.follow) == (3, 0.5)
    fast = Sampling(sampler="fast").settled(facts, ("quality", "fast"))
    assert (fast.steps, fast.guidance) == (FAST_STEPS, 1.0)
    with pytest.raises(Text2EarthError, match='no sampler "fast"'):
        Sampling(sampler="fast").settled(facts, ("quality",))
    with pytest.raises(Text2EarthError, match="4 steps"):
        Sampling(sampler="fast", steps=20).settled(facts, ("quality", "fast"))


def test_stored_settings_keep_their_form() -> None:
    stored = {"negative_prompt": "", "seed": 5, "steps": 2, "guidance": None, "sampler": None, "follow": None}
    sampling = Sampling(seed=5, steps=2)
    assert list(sampling.as_dict().items()) == list(stored.items())
    assert Sampling.of({"frame": [0, 0, 8, 8], "prompt": "forest"} | stored) == sampling
    without = {name: value for name, value in stored.items() if name != "follow"}
    assert Sampling.of(without).follow == 0  # from before there was a choice


def test_settings_are_checked_without_torch() -> None:
    code = "import sys, text2earth_core.sampling.settings; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
