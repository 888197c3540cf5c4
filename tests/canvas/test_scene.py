"""What was accepted is there, bit for bit, and every change can be taken back."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canvas import Change, Rect, Request, Scene, SceneError
from canvas.layers import LAYERS
from canvas.scene_file.snapshot import Patch
from tests.canvas.conftest import same

Make = Callable[..., Change]


def test_a_new_scene_is_empty_and_knows_what_it_is(scene: Scene) -> None:
    assert (scene.title, scene.resolution, scene.revision) == ("Untitled scene", 1.0, 0)
    assert scene.bounds is None
    assert scene.history() == []
    assert scene.undo() is None
    assert scene.redo() is None
    summary = scene.summary()
    assert summary["empty"]
    assert not summary["can_undo"]
    assert not summary["can_redo"]
    assert not scene.read(Rect(-800, -800, 1600, 1600)).valid.any()


@pytest.mark.parametrize("rect", [Rect(0, 0, 256, 256), Rect(-200, -312, 400, 304), Rect(-1000, 40, 8, 8)])
def test_pixels_and_latents_come_back_bit_for_bit(scene: Scene, make_change: Make, rect: Rect) -> None:
    change = make_change(rect)
    step = scene.accept(change)
    patch = scene.read(rect)
    assert np.array_equal(patch.pixels, change.pixels)
    assert np.array_equal(patch.latents, change.latents)
    assert patch.valid.all()
    assert patch.latent_valid.all()
    assert scene.bounds == rect
    assert scene.revision == 1
    assert step.rect == rect
    assert set(step.tiles) == {("rgb", x, y) for x, y in rect.tiles()}
    around = scene.read(rect.expand(64))
    assert around.valid.sum() == rect.area


def test_everything_is_there_after_closing_and_opening(tmp_path: Path, make_change: Make) -> None:
    path = tmp_path / "scene.t2e"
    with Scene.create(path, 0.5, "Coastal study") as scene:
        scene.accept(make_change(Rect(0, 0, 256, 256), 1, resolution=0.5))
        scene.accept(make_change(Rect(128, 0, 256, 256), 2, resolution=0.5))
        scene.undo()
        before, steps, summary = scene.read(Rect(0, 0, 512, 256)), scene.history(), scene.summary()
    assert [entry.name for entry in tmp_path.iterdir()] == ["scene.t2e"]
    with Scene.open(path) as scene:
        assert same(scene.read(Rect(0, 0, 512, 256)), before)
        assert scene.history() == steps
        assert scene.title == "Coastal study"
        assert scene.model_fingerprint == "model-a"
        assert {**scene.summary(), "bytes": 0} == {**summary, "bytes": 0}
        assert scene.redo() is not None


def test_a_change_writes_only_where_its_masks_say(scene: Scene, make_change: Make) -> None:
    rect = Rect(-64, -64, 128, 128)
    first, second = make_change(rect, 1), make_change(rect, 2)
    second.valid[:, 60:] = False
    second.latent_valid[:, 8:] = False
    scene.accept(first)
    scene.accept(second)
    patch = scene.read(rect)
    assert np.array_equal(patch.pixels, np.where(second.valid[..., None], second.pixels, first.pixels))
    assert np.array_equal(patch.latents, np.where(second.latent_valid, second.latents, first.latents))


def test_pixels_without_latents_end_the_latents_of_their_cells(scene: Scene, make_change: Make) -> None:
    rect = Rect(0, 0, 64, 64)
    scene.accept(make_change(rect, 1))
    imported = make_change(rect, 2)
    imported.valid[:] = False
    imported.valid[10, 10] = True
    imported.latent_valid[:] = False
    scene.accept(imported)
    gone = ~scene.read(rect).latent_valid
    assert gone.sum() == 1
    assert gone[1, 1]


def test_latents_of_two_models_never_stand_in_one_tile(scene: Scene, make_change: Make) -> None:
    scene.accept(make_change(Rect(0, 0, 256, 256), 1, model="model-a"))
    scene.accept(make_change(Rect(0, 0, 64, 64), 2, model="model-b"))
    assert not scene.read(Rect(0, 0, 256, 256), model="model-a").latent_valid.any()
    known = scene.read(Rect(0, 0, 256, 256), model="model-b").latent_valid
    assert known.sum() == 64
    assert known[:8, :8].all()


def test_erasing_empties_the_region_and_can_be_undone(scene: Scene, make_change: Make) -> None:
    scene.accept(make_change(Rect(0, 0, 512, 256), 1))
    before = scene.read(Rect(0, 0, 512, 256))
    scene.erase(Rect(3, -50, 253, 500))
    patch = scene.read(Rect(0, 0, 512, 256))
    assert not patch.valid[:, :256].any()
    assert patch.valid[:, 256:].all()
    assert not patch.latent_valid[:, :32].any()
    assert scene.bounds == Rect(256, 0, 256, 256)
    scene.undo()
    assert same(scene.read(Rect(0, 0, 512, 256)), before)


def test_erasing_nothing_says_so_and_keeps_the_redo_branch(scene: Scene, make_change: Make) -> None:
    scene.accept(make_change(Rect(0, 0, 64, 64)))
    scene.undo()
    with pytest.raises(SceneError, match="nothing to erase"):
        scene.erase(Rect(0, 0, 64, 64))
    assert scene.redo() is not None


def test_a_new_change_ends_redo_and_what_was_undone_stays_aside(scene: Scene, make_change: Make) -> None:
    for seed in range(3):
        scene.accept(make_change(Rect(seed * 256, 0, 256, 256), seed))
    scene.undo()
    scene.undo()
    scene.accept(make_change(Rect(0, 256, 256, 256), 9))
    assert scene.redo() is None
    assert [step.request["seed"] for step in scene.history() if step.aside] == [1, 2]
    assert [step.request["seed"] for step in scene.history() if not step.undone] == [0, 9]


def test_step_ids_are_never_given_twice(scene: Scene, make_change: Make) -> None:
    first = scene.accept(make_change(Rect(0, 0, 8, 8)))
    scene.undo()
    second = scene.accept(make_change(Rect(0, 0, 8, 8)))
    assert second.id > first.id


operations = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["accept", "erase"]), st.integers(-40, 20), st.integers(-40, 20),
                  st.integers(1, 24), st.integers(1, 24)),
        st.tuples(st.sampled_from(["undo", "redo"])),
    ),
    max_size=12,
)  # fmt: skip


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations)
def test_undo_and_redo_walk_through_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, make_change: Make, ops: list[tuple]
) -> None:
    """Against a list of whole pictures, the plainest history there is; each change is of another layer."""
    from canvas.geometry import CELL

    view = Rect(-40 * CELL, -40 * CELL, 84 * CELL, 84 * CELL)
    with Scene.create(tmp_path_factory.mktemp("walk") / "s.t2e", 1.0) as scene:

        def shown() -> list[Patch]:
            return [scene.read(view, layer) for layer in LAYERS]

        def all_same(one: list[Patch], other: list[Patch]) -> bool:
            return all(map(same, one, other))

        states, place = [shown()], 0
        for number, (kind, *numbers) in enumerate(ops):
            layer = tuple(LAYERS)[number % len(LAYERS)]
            if kind == "undo":
                assert (scene.undo() is None) == (place == 0)
                place = max(0, place - 1)
            elif kind == "redo":
                assert (scene.redo() is None) == (place == len(states) - 1)
                place = min(len(states) - 1, place + 1)
            else:
                rect = Rect(*(n * CELL for n in numbers))
                if kind == "accept":
                    scene.accept(make_change(rect, number, layer=layer))
                else:
                    try:
                        scene.erase(rect, layer)
                    except SceneError:
                        assert all_same(shown(), states[place])
                        continue
                states = [*states[: place + 1], shown()]
                place += 1
            assert all_same(shown(), states[place])


def test_resolution_is_fixed_by_the_first_content(scene: Scene, make_change: Make) -> None:
    scene.set_resolution(4.0)
    with pytest.raises(SceneError, match="1 m/px and the scene has 4 m/px"):
        scene.accept(make_change(Rect(0, 0, 8, 8), resolution=1.0))
    assert scene.revision == 0
    scene.accept(make_change(Rect(0, 0, 8, 8), resolution=4.0))
    scene.erase(Rect(0, 0, 8, 8))
    with pytest.raises(SceneError, match="fixed once"):
        scene.set_resolution(1.0)  # an undo would bring the content back
    scene.undo()
    scene.undo()
    scene.set_resolution(1.0)
    assert scene.redo() is None


@pytest.mark.parametrize("resolution", [0, -1, 0.1, 500, float("nan"), float("inf"), "wide", None])
def test_impossible_resolutions_make_no_file(tmp_path: Path, resolution: object) -> None:
    with pytest.raises(SceneError, match=r"use 0\.25 to 128 m/px"):
        Scene.create(tmp_path / "s.t2e", resolution)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("title", ["", "   ", "x" * 121, "a\x00b"])
def test_bad_titles_change_nothing(scene: Scene, title: str) -> None:
    with pytest.raises(SceneError, match="title"):
        scene.set_title(title)
    assert scene.title == "Untitled scene"


def test_renaming_keeps_the_content(scene: Scene, make_change: Make) -> None:
    scene.accept(make_change(Rect(0, 0, 8, 8)))
    scene.set_title("  River   delta ")
    assert scene.title == "River delta"
    assert scene.revision == 1


def test_a_change_that_changes_nothing_is_refused(scene: Scene, make_change: Make) -> None:
    change = make_change(Rect(0, 0, 8, 8))
    change.valid[:] = False
    with pytest.raises(SceneError, match="change nothing"):
        scene.accept(change)
    assert scene.history() == []


def test_requests_survive_json(make_change: Make) -> None:
    request = Request(
        "generate", Rect(-8, 16, 64, 64), 0.5, prompt="Größe 大", seed=2**63 - 1, guidance=3.5, model="a", device="cpu"
    )
    assert Request.from_json(request.to_json()) == request
    assert Request.from_dict(request.as_dict()) == request


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"kind": "x"}', '{"kind": "x", "frame": [1], "resolution": 1}'])
def test_what_is_not_a_request_is_refused(text: str) -> None:
    with pytest.raises(SceneError, match="not a request"):
        Request.from_json(text)


def test_requests_of_a_newer_version_and_far_frames_are_refused() -> None:
    with pytest.raises(SceneError, match="newer version"):
        Request.from_json('{"version": 2}')
    with pytest.raises(SceneError, match="origin"):
        Request("generate", Rect(2**40, 0, 8, 8), 1.0)
