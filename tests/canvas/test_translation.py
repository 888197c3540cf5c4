"""One layer made from another: what is known stays, nodata stays, and a kill changes no pixel."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from canvas import Change, Rect, Scene, SceneError
from canvas.fill.region_fill import RegionFill, fill_request
from canvas.fill.request import FillRequest
from canvas.fill.workers import FillWorker, LocalWorkers
from canvas.masks import dilate
from canvas.recipes import recipe
from canvas.recipes.replay import replay
from canvas.request import Request
from canvas.scene_file.fill_state import FillState
from canvas.scene_file.history import Entry
from canvas.scene_file.spool import Piece
from canvas.scene_file.tiles import cells_touched
from tests.canvas import filler
from tests.canvas.conftest import same
from tests.canvas.filler_process import Filler
from text2earth_core import Text2Earth
from text2earth_core.modalities import LUMA

Make = Callable[..., Change]
VIEW = Rect(-256, -256, 768, 768)
SOURCE = Rect(-40, 8, 344, 208)


@pytest.fixture(scope="module")
def model(translating_folder: Path) -> Text2Earth:
    return Text2Earth.from_pretrained(translating_folder, "cpu", "float32")


def asked(model: Text2Earth, scene: Scene, task: str, box: list[int], **options: object) -> FillRequest:
    given: dict[str, object] = {"steps": 2, "seed": 3} | options
    return fill_request(model, scene, box, [{"text": ""}], task=task, **given)  # type: ignore[arg-type]


def make(scene: Scene, model: Text2Earth, task: str, box: list[int], **options: object) -> Entry:
    return RegionFill(scene, model, asked(model, scene, task, box, **options)).run()


def test_a_layer_is_made_of_another_where_that_is_known_and_undone(
    scene: Scene, model: Text2Earth, make_change: Make
) -> None:
    change = make_change(SOURCE, layer="rgb")
    change.valid[37:60, 100:141] = False  # nodata, on no grid
    change.latent_valid[cells_touched(~change.valid)] = False
    scene.accept(change)
    before = scene.read(VIEW)
    entry = make(scene, model, "rgb2nir", [-256, -256, 512, 512])
    made = scene.read(VIEW, "nir")
    assert np.array_equal(made.valid, before.valid)
    assert entry.request["task"] == "rgb2nir"
    assert entry.request["layer"] == "nir"
    assert same(scene.read(VIEW), before)
    scene.undo()
    assert not scene.read(VIEW, "nir").valid.any()
    assert same(scene.read(VIEW), before)
    scene.redo()
    assert same(scene.read(VIEW, "nir"), made)


def test_what_the_target_has_already_stays(scene: Scene, model: Text2Earth, make_change: Make) -> None:
    scene.accept(make_change(SOURCE, layer="sar"))
    scene.accept(make_change(Rect(0, 0, 128, 96), 5, model=model.info.fingerprint))
    before = scene.read(VIEW)
    make(scene, model, "sar2rgb", [*SOURCE[:2], SOURCE.x1, SOURCE.y1], feather=16)
    after = scene.read(VIEW)
    new = after.valid & ~before.valid
    assert np.array_equal(after.valid, before.valid | scene.read(VIEW, "sar").valid)
    far = before.valid & ~dilate(new, 16)
    assert far.any()
    assert np.array_equal(after.pixels[far], before.pixels[far])


def test_in_place_only_the_region_changes_and_it_can_be_taken_back(
    scene: Scene, model: Text2Earth, make_change: Make
) -> None:
    scene.accept(make_change(SOURCE))
    before = scene.read(VIEW)
    make(scene, model, "dehaze", [16, 24, 120, 104], feather=8)
    after = scene.read(VIEW)
    inside = np.zeros(before.valid.shape, bool)
    inside[Rect(16, 24, 104, 80).slices(VIEW)] = True
    assert np.array_equal(after.valid, before.valid)
    assert (after.pixels[inside] != before.pixels[inside]).any(axis=1).mean() > 0.9
    assert np.array_equal(after.pixels[~dilate(inside, 8)], before.pixels[~dilate(inside, 8)])
    scene.undo()
    assert same(scene.read(VIEW), before)


def test_the_same_request_gives_the_same_pixels_and_the_recipe_makes_them_again(
    scene: Scene, model: Text2Earth, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    piece = Piece(0, 0, rng.integers(0, 256, (256, 256, 1), dtype=np.uint8), np.ones((256, 256), bool))
    about = {"file": "a.tif", "sha256": "0", "resolution": 1.0, "at": [0, 0]}
    scene.accept_tiles([(Request("import", Rect(0, 0, 256, 256), 1.0, "pan", source=about), [piece])])
    make(scene, model, "pan2rgb", [0, 0, 200, 120])
    first = scene.read(VIEW)
    scene.undo()
    make(scene, model, "pan2rgb", [0, 0, 200, 120])
    assert same(scene.read(VIEW), first)
    with Scene.create(tmp_path / "again.t2e", 1.0) as other:
        replay(recipe.parse(recipe.recipe_of(scene)), other, model)
        assert same(other.read(VIEW), first)


def test_the_luma_of_colours_made_of_pan_is_the_pan_across_all_windows(
    scene: Scene, model: Text2Earth, make_change: Make
) -> None:
    change = make_change(SOURCE, layer="pan")
    change.pixels[:] = change.pixels // 4 + 96  # what is nearly white or black leaves no room for a colour
    scene.accept(change)
    make(scene, model, "pan2rgb", [*SOURCE[:2], SOURCE.x1, SOURCE.y1])
    light = scene.read(SOURCE).pixels @ np.array(LUMA) / 1000
    assert np.abs(light - change.pixels[..., 0]).mean() < 1


@pytest.mark.parametrize("sampler", ["quality", "fast"])
def test_a_killed_translation_goes_on_to_the_same_pixels(
    scene: Scene, model: Text2Earth, translating_folder: Path, tmp_path: Path, sampler: str,
    make_change: Make,
) -> None:  # fmt: skip
    scene.accept(make_change(SOURCE, layer="rgb"))
    scene.backup(tmp_path / "other.t2e")
    with Scene.open(tmp_path / "other.t2e") as other:
        RegionFill(other, model, filler.standard_request(model, other, sampler, "rgb2sar")).run()
        expected = other.read(VIEW, "sar")
    process = Filler(filler.__file__, scene.path, translating_folder, sampler, "rgb2sar")
    for attempt, lines_read in enumerate((2, 8, 3)):  # in the survey, and in the steps after it
        child = process.start()
        assert process.line() == ("resumed" if attempt else "new")
        for _ in range(lines_read):
            process.line()
        os.kill(child, signal.SIGKILL)
        while process.line() != "ended":
            pass
        if attempt == 1:  # what happens to the source meanwhile makes no difference
            scene.accept(make_change(Rect(0, 8, 64, 64), 9))
    process.start()
    lines = list(iter(process.line, "ended"))
    process.end()
    assert lines[-1] == "done"
    assert same(scene.read(VIEW, "sar"), expected)


def test_the_number_of_threads_leaves_no_trace(
    scene: Scene, model: Text2Earth, make_change: Make, tmp_path: Path
) -> None:
    scene.accept(make_change(SOURCE, layer="rgb"))
    scene.backup(tmp_path / "other.t2e")
    request = asked(model, scene, "sr2", [*SOURCE[:2], SOURCE.x1, SOURCE.y1])
    RegionFill(scene, model, request).run()
    with Scene.open(tmp_path / "other.t2e") as other:
        workers = LocalWorkers(FillWorker(model, request), "cpu", 3)
        RegionFill(other, model, request, workers).run()
        workers.close()
        assert same(other.read(VIEW), scene.read(VIEW))


def test_what_cannot_be_translated_is_one_sentence_and_leaves_nothing(
    scene: Scene, model: Text2Earth, make_change: Make, student_folder: Path
) -> None:
    scene.accept(make_change(Rect(0, 0, 64, 64)))
    with pytest.raises(SceneError, match="the layer nir is empty"):
        make(scene, model, "nir2rgb", [0, 0, 64, 64])
    with pytest.raises(SceneError, match="nothing to translate"):
        make(scene, model, "rgb2nir", [128, 128, 192, 192])
    with pytest.raises(ValueError, match="no translation"):
        make(scene, model, "rgb2uv", [0, 0, 64, 64])
    plain = Text2Earth.from_pretrained(student_folder, "cpu", "float32")
    with pytest.raises(ValueError, match="train translator"):
        make(scene, plain, "rgb2nir", [0, 0, 64, 64])
    request = asked(model, scene, "rgb2nir", [0, 0, 64, 64])
    other = FillRequest.from_dict(request.as_dict() | {"translator": "another"})
    with pytest.raises(SceneError, match="another translator"):
        RegionFill(scene, model, other)
    assert FillState.find(scene.database, request) is None


def test_requests_without_a_task_read_as_ever(scene: Scene, model: Text2Earth) -> None:
    plain = fill_request(model, scene, [0, 0, 64, 64], [{"text": "forest"}])
    assert not {"task", "translator"} & set(plain.as_dict())
    request = asked(model, scene, "rgb2nir", [0, 0, 64, 64])
    assert FillRequest.from_json(request.to_json()).to_json() == request.to_json()
