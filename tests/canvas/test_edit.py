"""Edits change what lies under their mask, as far as they were asked to, and nothing beyond mask + feather."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canvas import Change, Rect, Request, Scene, SceneError
from canvas.masks import dilate, placed
from canvas.paint.painter import Painter, Progress
from canvas.scene_file.tiles import cells_touched

Make = Callable[..., Change]
STEPS = 4
VIEW = Rect(-128, -128, 512, 512)
GROUND = Rect(0, 0, 256, 192)


def disc(radius: int, soft: bool = False) -> np.ndarray:
    """A round mask; a soft one falls from the middle outwards."""
    y, x = np.mgrid[: 2 * radius, : 2 * radius] + 0.5 - radius
    distance = np.hypot(x, y) / radius
    return (np.clip(1 - distance, 0, 1) * 255 if soft else (distance < 1) * 255).astype(np.uint8)


def asked(painter: Painter, scene: Scene, mask: np.ndarray, x: int, y: int, **options: object) -> Request:
    frame, cut = placed(mask, x, y)
    return painter.edit(scene, frame, cut, "a lake", **({"steps": STEPS} | options))  # type: ignore[arg-type]


@pytest.fixture
def grown(scene: Scene, painter: Painter) -> Scene:
    """A scene with ground that the tiny model made."""
    scene.accept(painter.paint(scene, painter.request(scene, GROUND, "forest", steps=2)))
    return scene


def check_only_under_the_mask(scene: Scene, painter: Painter, request: Request, mask: np.ndarray) -> None:
    """`mask` (bool) over VIEW: beyond it and the feather, pixels, latents and emptiness are what they were."""
    model = painter.model.info.fingerprint
    before = scene.read(VIEW, model=model)
    scene.accept(painter.paint(scene, request))
    after = scene.read(VIEW, model=model)
    near = dilate(mask, request.feather)
    assert np.array_equal(after.pixels[~near], before.pixels[~near])
    assert np.array_equal(after.valid, before.valid | mask)
    far = before.latent_valid & ~cells_touched(near)
    assert np.array_equal(after.latents[:, far], before.latents[:, far])
    assert after.latent_valid[far].all()
    changed = (after.pixels != before.pixels).any(axis=2)
    assert changed[mask].mean() > 0.5


masks = st.lists(st.tuples(st.integers(-100, 330), st.integers(-100, 330), st.integers(4, 40)), min_size=1, max_size=3)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(masks, st.sampled_from([0, 5, 16]), st.sampled_from([1.0, 0.5]))
def test_masks_anywhere_keep_what_lies_beyond(
    tmp_path_factory: pytest.TempPathFactory,
    painter: Painter,
    discs: list[tuple[int, int, int]],
    feather: int,
    strength: float,
) -> None:
    """Over ground, over its edge, over nothing at all; one piece or several."""
    whole = np.zeros((VIEW.h, VIEW.w), np.uint8)
    for x, y, radius in discs:
        part = Rect(x, y, 2 * radius, 2 * radius).intersect(VIEW)
        cut = disc(radius)[part.slices(Rect(x, y, 2 * radius, 2 * radius))]
        whole[part.slices(VIEW)] = np.maximum(whole[part.slices(VIEW)], cut)
    if not whole.any():
        return
    with Scene.create(tmp_path_factory.mktemp("edit") / "s.t2e", 1.0) as scene:
        scene.accept(painter.paint(scene, painter.request(scene, GROUND, "forest", steps=2)))
        request = asked(painter, scene, whole, VIEW.x, VIEW.y, feather=feather, strength=strength, steps=2)
        check_only_under_the_mask(scene, painter, request, whole > 0)


def test_an_imported_place_can_be_edited(scene: Scene, painter: Painter, make_change: Make) -> None:
    change = make_change(GROUND)
    change.latent_valid[:] = False
    scene.accept(change)
    mask = np.zeros((VIEW.h, VIEW.w), np.uint8)
    mask[200:240, 180:260] = 255
    check_only_under_the_mask(scene, painter, asked(painter, scene, mask, VIEW.x, VIEW.y), mask > 0)


def test_a_mask_over_empty_space_becomes_an_extension(grown: Scene, painter: Painter) -> None:
    square = np.full((40, 40), 255, np.uint8)
    change = painter.paint(grown, asked(painter, grown, square, GROUND.x1 - 20, 50, strength=0.3))
    grown.accept(change)
    assert grown.read(Rect(240, 56, 32, 32)).valid.all()
    assert grown.bounds == Rect(0, 0, GROUND.w + 20, GROUND.h)


@pytest.mark.parametrize("soft", [False, True])
def test_less_strength_changes_less(grown: Scene, painter: Painter, soft: bool) -> None:
    before = grown.read(VIEW)
    changed = []
    for strength in (0.2, 0.5, 1.0):
        change = painter.paint(grown, asked(painter, grown, disc(40, soft), 60, 60, strength=strength, feather=0))
        old = before.pixels[change.rect.slices(VIEW)].astype(int)
        changed.append(np.abs(change.pixels.astype(int) - old)[change.valid].mean())
    assert changed[0] < changed[1] < changed[2]


def test_a_soft_mask_changes_its_middle_most(grown: Scene, painter: Painter) -> None:
    request = asked(painter, grown, disc(48, soft=True), 60, 40, feather=0)
    change = painter.paint(grown, request)
    moved = np.abs(change.latents - grown.read(change.rect).latents).mean(axis=0)
    middle = moved.shape[0] // 2
    assert moved[middle - 1 : middle + 1, middle - 1 : middle + 1].mean() > 1.5 * moved[middle, 1:3].mean()
    assert moved[0, 0] == moved[-1, -1] == 0, "a cell that may hardly change keeps its latent"


def test_a_large_mask_is_covered_by_several_windows_and_progress_counts_all(grown: Scene, painter: Painter) -> None:
    seen: list[Progress] = []
    mask = np.full((150, 200), 255, np.uint8)
    request = asked(painter, grown, mask, 20, 20, strength=0.5)
    painter.paint(grown, request, seen.append)
    windows = seen[-1].total // STEPS
    assert windows > 4
    assert seen[-1].step == seen[-1].total
    assert windows * STEPS // 2 <= len(seen) < windows * STEPS, "half the schedule is skipped where all is known"
    assert all(request.frame.contains(progress.rect) for progress in seen)


def test_the_same_request_gives_the_same_pixels(tmp_path: Path, painter: Painter) -> None:
    made = []
    for name in "ab":
        with Scene.create(tmp_path / f"{name}.t2e", 1.0) as scene:
            scene.accept(painter.paint(scene, painter.request(scene, GROUND, "forest", steps=2)))
            request = asked(painter, scene, disc(30, soft=True), 41, 33, strength=0.7, seed=9)
            made.append(painter.paint(scene, Request.from_json(request.to_json())))
    assert np.array_equal(made[0].pixels, made[1].pixels)
    assert np.array_equal(made[0].latents, made[1].latents)


def test_what_is_around_is_context(tmp_path: Path, painter: Painter, make_change: Make) -> None:
    made = []
    for seed in (1, 2):
        with Scene.create(tmp_path / f"{seed}.t2e", 1.0) as scene:
            scene.accept(make_change(GROUND, seed))
            change = painter.paint(scene, asked(painter, scene, np.full((16, 16), 255, np.uint8), 64, 64, feather=0))
            made.append(change.pixels)
    assert not np.array_equal(made[0], made[1])


@pytest.mark.parametrize("strength", [0, -1, 1.5, float("nan"), "strong"])
def test_a_strength_out_of_range_gets_one_sentence(grown: Scene, painter: Painter, strength: object) -> None:
    with pytest.raises(SceneError, match="strength"):
        asked(painter, grown, disc(8), 0, 0, strength=strength)


def test_a_forged_mask_is_refused(grown: Scene, painter: Painter) -> None:
    from dataclasses import replace

    request = asked(painter, grown, disc(8), 0, 0)
    with pytest.raises(SceneError, match="not a PNG"):
        painter.paint(grown, replace(request, mask="nonsense"))
    with pytest.raises(SceneError, match="its frame"):
        painter.paint(grown, replace(request, frame=Rect(0, 0, 64, 64)))
