"""A scene file of an earlier version opens, goes on and is repeated: the same requests give the same pixels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from canvas import Rect, Request, Scene
from canvas.fill.region_fill import RegionFill, fill_request
from canvas.paint.painter import Painter
from tests.canvas.old_scene import (
    DATA,
    MADE,
    STORED,
    arithmetic,
    cell_means,
    fingerprint,
    near,
    read_means,
    unpack_scene,
)

VIEW = Rect(-64, -64, 320, 256)
STEPS = ("generate", "extend", "edit", "erase")
MEANS = DATA / "before.png"  # of the finished fill

# The fill that was stopped half way, as it was asked for.
BOX = [96, 0, 208, 128]
PROMPTS: list[dict[str, Any]] = [
    {"text": "forest", "region": [96, 0, 160, 128], "feather": 16},
    {"text": "desert", "region": [[144, 0], [208, 0], [208, 128], [144, 128]], "feather": 16},
]
SETTINGS: dict[str, Any] = {
    "negative_prompt": "clouds",
    "seed": 5,
    "steps": 4,
    "guidance": 2.0,
    "sampler": "quality",
    "follow": 0,
}


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Scene]:
    """The scene as it was left."""
    with Scene.open(unpack_scene(tmp_path / "before.t2e")) as scene:
        yield scene


def test_its_history_can_be_undone_and_done_again(old: Scene) -> None:
    assert [step.request["kind"] for step in old.history()] == ["generate", "generate", "edit", "erase"]
    for name in reversed(STEPS):
        assert fingerprint(old.read(VIEW)) == STORED[name], name
        assert old.undo() is not None
    assert old.read(VIEW).valid.sum() == 0
    for name in STEPS:
        assert old.redo() is not None
        assert fingerprint(old.read(VIEW)) == STORED[name], name


def test_its_requests_give_the_same_pixels_again(old: Scene, painter: Painter, tmp_path: Path) -> None:
    made, stored = MADE.get(arithmetic()), {}
    requests = [old.request(step.id) for step in old.history()]
    assert all(request.follow == 0 for request in requests)  # there was no choice yet: the ground leads
    for name in reversed(STEPS):
        stored[name] = old.read(VIEW)
        old.undo()
    with Scene.create(tmp_path / "again.t2e", old.resolution) as again:
        for name, request in zip(STEPS, requests, strict=True):
            if request.kind == "erase":
                again.erase(request.frame, request.layer)
            else:
                again.accept(painter.paint(again, Request.from_json(request.to_json())))
            patch = again.read(VIEW)
            if made is not None:
                assert fingerprint(patch) == made[name], name
            else:
                assert (patch.valid == stored[name].valid).all(), name
                assert near(patch, cell_means(stored[name].pixels)), name


def test_its_half_done_fill_goes_on_to_the_same_pixels(old: Scene, painter: Painter) -> None:
    model = painter.model
    fill = RegionFill(old, model, fill_request(model, old, BOX, PROMPTS, **SETTINGS))
    assert fill.resumed
    seen: list[int] = []
    fill.run(lambda progress: seen.append(progress.step))
    assert seen[0] > 1  # what was done is not done again
    patch, made = old.read(VIEW, model=model.info.fingerprint), MADE.get(arithmetic())
    assert near(patch, read_means(MEANS))
    assert made is None or fingerprint(patch) == made["fill"]
