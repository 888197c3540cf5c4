"""A region fill makes what it was asked for and nothing else, and refuses what cannot be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from canvas import Change, Rect, Scene, SceneError
from canvas.fill.region_fill import RegionFill, fill_request
from canvas.fill.workers import FillWorker, LocalWorkers
from canvas.masks import dilate
from canvas.paint.painter import Progress
from canvas.recipes import recipe
from canvas.recipes.replay import replay
from canvas.scene_file.tiles import cells_touched
from tests.canvas.conftest import same
from text2earth_core import Cancelled, Text2Earth, Text2EarthError
from text2earth_core.sampling.noise import world_noise
from text2earth_core.sampling.settings import Sampling

Make = Callable[..., Change]
VIEW = Rect(-256, -256, 768, 768)
FOREST = [{"text": "forest"}]


def fill(scene: Scene, model: Text2Earth, box: list[int], **options: Any) -> None:
    request = fill_request(model, scene, box, options.pop("prompts", FOREST), **({"steps": 2} | options))
    RegionFill(scene, model, request).run()


def test_a_fill_is_one_step_of_history(scene: Scene, model: Text2Earth, make_change: Make) -> None:
    scene.accept(make_change(Rect(304, 304, 64, 64), model=model.info.fingerprint))
    before = scene.read(VIEW)
    fill(scene, model, [0, 0, 400, 120])
    after = scene.read(VIEW)
    step = scene.undo()
    assert step is not None
    assert step.rect == Rect(0, 0, 400, 120)
    assert same(scene.read(VIEW), before)
    scene.redo()
    assert same(scene.read(VIEW), after)


@pytest.mark.parametrize("imported", [False, True])
@pytest.mark.parametrize("feather", [0, 16])
def test_what_is_known_stays_outside_of_mask_and_feather(
    scene: Scene, model: Text2Earth, make_change: Make, imported: bool, feather: int
) -> None:
    change = make_change(Rect(-16, -24, 200, 96), model="" if imported else model.info.fingerprint)
    change.valid[40:60, 100:140] = False
    change.latent_valid[:] = not imported
    change.latent_valid[cells_touched(~change.valid)] = False
    scene.accept(change)
    before = scene.read(VIEW, model=model.info.fingerprint)
    triangle = [[-100, -100], [250, -60], [60, 220]]
    fill(scene, model, [-100, -100, 250, 220], region=triangle, feather=feather)
    after = scene.read(VIEW, model=model.info.fingerprint)

    made = after.valid & ~before.valid
    assert made[Rect(90, 20, 20, 10).slices(VIEW)].all()  # the hole
    assert made[Rect(40, 120, 40, 40).slices(VIEW)].all()
    assert not made[Rect(-90, 100, 40, 40).slices(VIEW)].any()  # outside of the triangle
    near = dilate(made, feather)
    assert np.array_equal(after.pixels[~near], before.pixels[~near])
    far = before.latent_valid & ~cells_touched(near)
    assert np.array_equal(after.latents[:, far], before.latents[:, far])
    assert after.latent_valid[far].all()
    assert after.latent_valid[cells_touched(made)].all()
    assert (after.pixels[near & before.valid] != before.pixels[near & before.valid]).any() == (feather > 0)


@pytest.mark.parametrize("size", [(8, 8), (64, 64), (72, 8), (24, 300)])
def test_regions_of_any_size(scene: Scene, model: Text2Earth, size: tuple[int, int]) -> None:
    width, height = size
    fill(scene, model, [-13, -7, -13 + width, -7 + height])
    whole = Rect.from_corners(-13, -7, -13 + width, -7 + height).snap_out()
    assert scene.bounds == whole
    assert scene.read(whole).valid.all()


def test_the_result_depends_on_seed_prompts_and_sampler(scene: Scene, model: Text2Earth) -> None:
    pictures = []
    fast = {"sampler": "fast", "steps": None}
    for options in ({}, {"seed": 1}, {"prompts": [{"text": "desert"}]}, {}, fast, {"steps": 4, "guidance": 1}):
        fill(scene, model, [0, 0, 96, 64], **options)
        pictures.append(scene.read(Rect(0, 0, 96, 64)).pixels)
        scene.undo()
    assert (pictures[0] != pictures[1]).any()
    assert (pictures[0] != pictures[2]).any()
    assert np.array_equal(pictures[0], pictures[3])
    assert (pictures[4] != pictures[5]).any(), "the student answers, not its teacher in as few steps"


def test_a_fill_of_one_window_takes_the_steps_of_one_window(scene: Scene, model: Text2Earth, sampler: str) -> None:
    """What a step remembers of the one before must come back from the scene's file as it was."""
    steps = 6 if sampler == "quality" else None
    fill(scene, model, [0, 0, 64, 64], seed=3, steps=steps, sampler=sampler)
    made = scene.read(Rect(0, 0, 64, 64), model=model.info.fingerprint).latents
    alone = model.denoise(
        "forest", Sampling(resolution=scene.resolution, steps=steps, sampler=sampler), known=None, mask=None,
        noise=world_noise(3, 0, 0, 8, 8),
    )  # fmt: skip
    np.testing.assert_allclose(made, alone.numpy(), rtol=0, atol=2e-3)  # scenes keep latents in half precision


def test_several_polygons_are_filled_together_and_nothing_between_them(scene: Scene, model: Text2Earth) -> None:
    polygons = [[[0, 0], [96, 0], [0, 96]], [64, 0, 160, 48]]
    fill(scene, model, [0, 0, 240, 96], region=polygons)
    valid = scene.read(Rect(0, 0, 240, 96)).valid
    assert valid[8:32, 8:32].all()  # the triangle
    assert valid[0:48, 64:160].all()  # the rectangle, and where both lie
    assert not valid[:, 160:].any()
    assert not valid[56:, 64:].any()


def test_what_is_asked_of_the_fast_sampler_is_written_and_repeated(
    scene: Scene, model: Text2Earth, tmp_path: Path
) -> None:
    fill(scene, model, [0, 0, 96, 64], sampler="fast", steps=None)
    made = recipe.recipe_of(scene)
    assert (made["sampler"], made["steps"], made["guidance"]) == ("fast", 4, 1.0)
    with Scene.create(tmp_path / "again.t2e", 1.0) as again:
        replay(recipe.parse(made), again, model)
        assert same(again.read(VIEW), scene.read(VIEW))


def test_what_somebody_paints_meanwhile_is_theirs(scene: Scene, model: Text2Earth, make_change: Make) -> None:
    theirs = make_change(Rect(64, 64, 64, 64), model=model.info.fingerprint)

    def paint(progress: Progress) -> None:
        if progress.step == progress.total and scene.bounds is None:
            scene.accept(theirs)

    request = fill_request(model, scene, [0, 0, 256, 256], FOREST, steps=2, feather=0)
    RegionFill(scene, model, request).run(paint)
    assert scene.read(Rect(0, 0, 256, 256)).valid.all()
    assert np.array_equal(scene.read(theirs.rect).pixels, theirs.pixels)


class Interrupting(LocalWorkers):
    """Workers beside whom somebody paints as soon as the first tiles are made."""

    def __init__(self, worker: FillWorker, paint: Callable[[], object]) -> None:
        super().__init__(worker, "cpu")
        self._paint: Callable[[], object] | None = paint

    def map(self, method: str, jobs: Iterable[Any]) -> Iterator[Any]:
        yield from super().map(method, jobs)
        if method == "decode" and self._paint is not None:
            self._paint()
            self._paint = None


def test_tiles_changed_after_they_were_made_are_made_again(scene: Scene, model: Text2Earth, make_change: Make) -> None:
    theirs = make_change(Rect(304, 24, 64, 64), model=model.info.fingerprint)
    request = fill_request(model, scene, [0, 0, 400, 300], FOREST, steps=1, feather=0)
    workers = Interrupting(FillWorker(model, request), lambda: scene.accept(theirs))
    RegionFill(scene, model, request, workers).run()
    workers.close()
    assert scene.read(Rect(0, 0, 400, 296)).valid.all()
    assert np.array_equal(scene.read(theirs.rect).pixels, theirs.pixels)


def test_a_fill_is_not_shown_at_another_resolution_than_it_was_made_for(scene: Scene, model: Text2Earth) -> None:
    def meanwhile(progress: object) -> None:
        scene.set_resolution(2.0)

    request = fill_request(model, scene, [0, 0, 64, 64], [{"text": "forest"}], steps=1)
    with pytest.raises(SceneError, match="1 m/px and the scene has 2 m/px"):
        RegionFill(scene, model, request).run(meanwhile)
    assert scene.bounds is None
    scene.set_resolution(1.0)
    RegionFill(scene, model, request).run()
    assert scene.bounds == Rect(0, 0, 64, 64)


def test_a_full_region_is_refused_and_leaves_nothing(scene: Scene, model: Text2Earth, make_change: Make) -> None:
    scene.accept(make_change(Rect(0, 0, 64, 64)))
    for _ in range(2):
        with pytest.raises(SceneError, match="exists already"):
            fill(scene, model, [0, 0, 64, 64])
    with scene.database.read() as connection:
        assert connection.execute("SELECT count(*) FROM fills").fetchone()[0] == 0


def test_a_finished_or_discarded_fill_leaves_no_rows(scene: Scene, model: Text2Earth) -> None:
    fill(scene, model, [0, 0, 64, 64])
    request = fill_request(model, scene, [64, 0, 128, 64], FOREST, steps=2)

    def stop(progress: Progress) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        RegionFill(scene, model, request).run(stop)
    RegionFill(scene, model, request).discard()
    with scene.database.read() as connection:
        for table in ("fills", "fill_rows", "fill_bands", "fill_tiles"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0


@pytest.mark.parametrize(
    ("box", "options", "words"),
    [
        ([0, 0, 0, 10], {}, "no area"),
        ([10, 0, 0, 10], {}, "no area"),
        ([0, 0, 10**6, 10], {}, "too large"),
        ([0, 0, float("nan"), 10], {}, "four numbers"),
        ([2**31, 0, 2**31 + 8, 8], {}, "from the origin"),
        ([0, 0, 64, 64], {"prompts": []}, "at least one prompt"),
        ([0, 0, 64, 64], {"prompts": [{"region": [0, 0, 8, 8]}]}, "no text"),
        ([0, 0, 64, 64], {"prompts": [{"text": "a", "region": [0, 0, 0, 8]}]}, "no area"),
        ([0, 0, 64, 64], {"prompts": [{"text": "a", "feather": -1}]}, "feather"),
        ([0, 0, 64, 64], {"prompts": [{"text": "a", "colour": 1}]}, "colour"),
        ([0, 0, 64, 64], {"region": [[0, 0], [1, 1]]}, "three points"),
        ([0, 0, 64, 64], {"region": []}, "three points"),
        ([0, 0, 64, 64], {"region": [[0, 0, 8, 8], [9, 9, 9, 12]]}, "no area"),
        ([0, 0, 64, 64], {"region": [[0, 0], [2, 0], [2, 2]]}, "no 8 px cell"),
        ([0, 0, 64, 64], {"sampler": "turbo"}, 'no sampler "turbo"'),
        ([0, 0, 64, 64], {"sampler": "fast", "steps": 7}, "4 steps"),
    ],
)
def test_impossible_fills_are_refused_with_a_sentence(
    scene: Scene, model: Text2Earth, box: list[int], options: dict[str, Any], words: str
) -> None:
    with pytest.raises((SceneError, Text2EarthError), match=words):
        fill(scene, model, box, **options)
    assert scene.bounds is None
