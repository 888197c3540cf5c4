"""Both samplers paint by the same rules; what is asked of one is answered by that one."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest

from canvas import Rect, Scene
from canvas.paint.painter import Painter
from text2earth_core import Text2Earth, Text2EarthError
from text2earth_core.facts import FAST_STEPS
from text2earth_core.networks.student import Student

FRAME = Rect(0, 0, 64, 64)


@pytest.fixture(scope="module")
def fast_painter() -> Painter:
    """A tiny model whose student differs from it in its last layer."""
    model = Text2Earth.from_preset("tiny", seed=0)
    unet = deepcopy(model.unet)
    unet.conv_out.weight.data.mul_(0.5)
    parts = (model.unet, model.codec, model.text, model.scheduler, model.facts, "with-student")
    return Painter(Text2Earth(*parts, student=Student(unet, {}, {})))


def test_the_fast_sampler_extends_and_keeps_known_pixels(scene: Scene, fast_painter: Painter) -> None:
    scene.accept(fast_painter.paint(scene, fast_painter.request(scene, FRAME, "forest", sampler="fast")))
    before = scene.read(FRAME).pixels
    request = fast_painter.request(scene, Rect(32, 0, 64, 64), "forest", sampler="fast", feather=8)
    assert (request.sampler, request.steps, request.guidance) == ("fast", FAST_STEPS, 1.0)
    steps = []
    scene.accept(fast_painter.paint(scene, request, lambda progress: steps.append(progress.step)))
    assert steps == list(range(1, FAST_STEPS + 1))
    assert np.array_equal(scene.read(Rect(0, 0, 56, 64)).pixels, before[:, :56])


def test_the_sampler_is_part_of_the_request(scene: Scene, fast_painter: Painter) -> None:
    fast = fast_painter.request(scene, FRAME, "forest", sampler="fast")
    quality = fast_painter.request(scene, FRAME, "forest", steps=FAST_STEPS, guidance=1.0)
    first, again, other = (fast_painter.paint(scene, request).pixels for request in (fast, fast, quality))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_edits_by_degrees_are_made_by_the_sampler_that_was_asked_for(scene: Scene, fast_painter: Painter) -> None:
    scene.accept(fast_painter.paint(scene, fast_painter.request(scene, FRAME, "forest", steps=2)))
    soft = np.linspace(0, 255, 64).astype(np.uint8)[None].repeat(64, 0)
    steps = []
    for mask, strength in ((soft, 1.0), (np.full_like(soft, 255), 0.5)):
        request = fast_painter.edit(scene, FRAME, mask, "lake", strength, sampler="fast")
        assert (request.sampler, request.steps) == ("fast", FAST_STEPS)
        steps.append([])
        fast_painter.paint(scene, request, lambda progress: steps[-1].append(progress.step))
    assert steps[0] == list(range(1, FAST_STEPS + 1))
    assert 0 < len(steps[1]) < FAST_STEPS, "half the strength skips the first steps"


def test_a_model_without_student_says_so_before_it_paints(scene: Scene, painter: Painter) -> None:
    with pytest.raises(Text2EarthError, match='no sampler "fast"'):
        painter.request(scene, FRAME, "forest", sampler="fast")
