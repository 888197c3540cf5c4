"""Scenes and changes for the tests of this room. Pixels are random: a copy that is almost right never passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from canvas import CELL, Change, Rect, Request, Scene
from canvas.layers import bands_of
from canvas.scene_file.snapshot import Patch

if TYPE_CHECKING:
    from text2earth_core import Text2Earth


def random_change(
    rect: Rect, seed: int = 0, *, model: str = "model-a", resolution: float = 1.0, layer: str = "rgb"
) -> Change:
    """A change that fills `rect` with random pixels and latents."""
    rng = np.random.default_rng(seed)
    return Change(
        Request("generate", rect, resolution, layer, prompt=f"prompt {seed}", seed=seed, model=model),
        layer,
        rect,
        rng.integers(0, 256, (rect.h, rect.w, bands_of(layer)), dtype=np.uint8),
        np.ones((rect.h, rect.w), bool),
        rng.normal(size=(4, rect.h // CELL, rect.w // CELL)).astype(np.float32),
        np.ones((rect.h // CELL, rect.w // CELL), bool),
    )


def same(one: Patch, other: Patch) -> bool:
    """Whether two patches are equal, bit for bit."""
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in Patch.__dataclass_fields__)


@pytest.fixture
def make_change() -> Callable[..., Change]:
    return random_change


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """An empty scene of 1 m/px."""
    with Scene.create(tmp_path / "scene.t2e", 1.0) as scene:
        yield scene


@pytest.fixture(scope="session")
def painter():
    """A painter with the tiny random model (window 64 px)."""
    from canvas.paint.painter import Painter
    from text2earth_core import Text2Earth

    return Painter(Text2Earth.from_preset("tiny", seed=0))


@pytest.fixture(scope="module")
def model(student_folder: Path) -> Text2Earth:
    """The tiny random model with a student."""
    from text2earth_core import Text2Earth

    return Text2Earth.from_pretrained(student_folder, "cpu", "float32")


@pytest.fixture(scope="module", params=["quality", "fast"])
def sampler(request: pytest.FixtureRequest) -> str:
    """What holds for one sampler must hold for the other."""
    name: str = request.param
    return name
