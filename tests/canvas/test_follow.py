"""What a request follows: the ground that its own prompt made, and beside other ground its prompt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from canvas import Change, Rect, Request, Scene, SceneError
from canvas.fill.region_fill import RegionFill, fill_request
from canvas.masks import dilate
from canvas.paint.agreement import foreign_ground
from canvas.paint.painter import Painter
from canvas.recipes import recipe as recipes
from canvas.recipes.replay import replay
from canvas.scene_file.tiles import cells_filled
from text2earth_core import Text2EarthError
from text2earth_core.sampling.leading import FAR

Make = Callable[..., Change]
LEFT, RIGHT = Rect(0, 0, 160, 64), Rect(160, 0, 160, 64)
AREA = Rect(-64, 0, 448, 64)
BORDER = 20  # the cell of LEFT and RIGHT together at which they meet
PASSING = round(FAR)  # cells


def foreign(scene: Scene, *prompts: str) -> np.ndarray:
    """bool (8, 40): of the cells of LEFT and RIGHT."""
    known = cells_filled(scene.read(AREA).valid)
    found = foreign_ground(scene.requests(AREA), AREA, "rgb", prompts, known)
    assert not found[~known].any(), "empty ground disagrees with nobody"
    return found[:, 8:48]


@pytest.fixture
def two_grounds(scene: Scene, make_change: Make) -> Scene:
    """Ground of "prompt 1" on the left and of "prompt 2" on the right."""
    scene.accept(make_change(LEFT, 1))
    scene.accept(make_change(RIGHT, 2))
    return scene


def test_ground_agrees_with_the_prompt_that_made_it_but_for_where_it_passes_into_other(two_grounds: Scene) -> None:
    for prompt in ("prompt 1", " Prompt  1 "):
        found = foreign(two_grounds, prompt)
        assert not found[:, : BORDER - PASSING].any()
        assert found[:, BORDER - PASSING :].all()
    assert foreign(two_grounds, "prompt 3").all()
    assert not foreign(two_grounds, "prompt 2", "prompt 1").any()
    assert not foreign(two_grounds, " ").any(), "an empty prompt goes on with everything"


def test_the_newest_change_of_a_place_says_what_it_is_and_an_undone_one_nothing(
    two_grounds: Scene, make_change: Make
) -> None:
    two_grounds.accept(make_change(Rect(80, 0, 80, 64), 2))
    assert not foreign(two_grounds, "prompt 2")[:, 10 + PASSING :].any()
    assert foreign(two_grounds, "prompt 1")[:, 10 - PASSING :].all()
    two_grounds.undo()
    assert foreign(two_grounds, "prompt 2")[:, :BORDER].all()


def test_an_edit_made_what_lies_under_its_mask_and_an_import_agrees_with_nothing(
    two_grounds: Scene, painter: Painter, make_change: Make
) -> None:
    mask = np.zeros((64, 160), np.uint8)
    mask[:, 4:84] = 255
    mask[:, 136:] = 255
    request = painter.edit(two_grounds, LEFT, mask, "a lake", steps=1, feather=8)
    two_grounds.accept(painter.paint(two_grounds, request))
    made = np.zeros((8, 40), bool)
    made[:, :11] = made[:, 17:20] = True
    assert np.array_equal(foreign(two_grounds, "a lake"), dilate(~made, PASSING))
    assert np.array_equal(foreign(two_grounds, "prompt 1", "prompt 2"), dilate(made, PASSING))
    change = make_change(RIGHT, 9)
    imported = replace(change.request, kind="import", prompt="", source={"file": "a.png", "sha256": "0"})
    two_grounds.accept(replace(change, request=imported))
    assert foreign(two_grounds, "prompt 2", "prompt 9")[:, BORDER:].all()


def test_a_fill_made_each_place_with_the_prompt_that_holds_there(scene: Scene, painter: Painter) -> None:
    prompts = [{"text": "forest"}, {"text": "desert", "region": [160, 0, 320, 64], "feather": 8}]
    request = fill_request(painter.model, scene, [0, 0, 320, 64], prompts, steps=1)
    RegionFill(scene, painter.model, request).run()
    assert foreign(scene, "desert")[:, :BORDER].all()
    assert not foreign(scene, "desert")[:, BORDER + PASSING :].any()
    assert not foreign(scene, "forest")[:, : BORDER - PASSING].any()


def paint(painter: Painter, scene: Scene, prompt: str, follow: float | None) -> np.ndarray:
    # Little is new: in so small a window the network would else be shown no ground at all.
    request = painter.request(scene, Rect(272, 0, 64, 64), prompt, steps=2, seed=4, feather=8, follow=follow)
    return painter.paint(scene, request).latents


def test_the_ground_leads_where_it_agrees_and_the_prompt_where_it_does_not(
    two_grounds: Scene, painter: Painter
) -> None:
    for prompt, leads in (("prompt 2", 0.0), ("a lake", 1.0), ("", 0.0)):
        decided = paint(painter, two_grounds, prompt, None)
        assert np.array_equal(decided, paint(painter, two_grounds, prompt, leads))
        assert not np.array_equal(decided, paint(painter, two_grounds, prompt, 1 - leads))
    middle = paint(painter, two_grounds, "a lake", 0.5)
    assert not any(np.array_equal(middle, paint(painter, two_grounds, "a lake", end)) for end in (0.0, 1.0))


def test_a_fill_follows_its_prompts_beside_other_ground_only(two_grounds: Scene, painter: Painter) -> None:
    made = {}
    for prompt in ("a lake", "prompt 2"):
        for follow in (None, 0.0, 1.0):
            settings = {"steps": 2, "feather": 8, "follow": follow}
            request = fill_request(painter.model, two_grounds, [320, 0, 336, 64], [{"text": prompt}], **settings)
            RegionFill(two_grounds, painter.model, request).run()
            made[prompt, follow] = two_grounds.read(Rect(320, 0, 16, 64)).latents
            two_grounds.undo()
    assert np.array_equal(made["a lake", None], made["a lake", 1.0])
    assert np.array_equal(made["prompt 2", None], made["prompt 2", 0.0])
    assert not np.array_equal(made["a lake", 0.0], made["a lake", 1.0])


def test_requests_and_recipes_carry_it_and_those_from_before_continue_the_ground(
    two_grounds: Scene, painter: Painter, tmp_path: Path
) -> None:
    for follow in (None, 0.0, 0.25):
        request = painter.request(two_grounds, RIGHT, "a lake", follow=follow)
        assert Request.from_json(request.to_json()) == request
    before = painter.request(two_grounds, RIGHT, "a lake").as_dict()
    del before["follow"]
    assert Request.from_dict(before).follow == 0
    with Scene.create(tmp_path / "made.t2e", 1.0) as scene:
        wishes = (("forest", None), ("desert", None), ("lake", 0.5), ("sea", 0.0))
        for number, (prompt, follow) in enumerate(wishes):
            frame = Rect(32 * number, 0, 64, 64)
            request = painter.request(scene, frame, prompt, steps=2, follow=follow)
            scene.accept(painter.paint(scene, request))
        written = recipes.recipe_of(scene)
        with Scene.create(tmp_path / "again.t2e", 1.0) as again:
            replay(recipes.parse(written), again, painter.model)
            whole = Rect(0, 0, 160, 64)
            assert np.array_equal(again.read(whole).pixels, scene.read(whole).pixels)


@pytest.mark.parametrize("wrong", [-0.5, 2, "1", True, float("nan")])
def test_an_impossible_number_is_refused_in_a_sentence(scene: Scene, painter: Painter, wrong: object) -> None:
    with pytest.raises(Text2EarthError, match=r"Following the prompt by"):
        painter.request(scene, LEFT, "forest", follow=wrong)  # type: ignore[arg-type]
    fill = {"version": 1, "resolution": 1.0, "seed": 1, "bbox": [0, 0, 64, 64], "prompts": [{"text": "a"}]}
    with pytest.raises(SceneError, match="follow"):
        recipes.parse(fill | {"follow": wrong})
    data = painter.request(scene, LEFT, "forest").as_dict() | {"follow": wrong}
    with pytest.raises(SceneError, match="follow"):
        Request.from_dict(data)
