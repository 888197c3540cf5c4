"""Painting changes nothing it was not asked to change, and the same request gives the same pixels."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canvas import CELL, Change, Rect, Request, Scene, SceneError
from canvas.geometry import bounding_rect
from canvas.masks import dilate
from canvas.paint import painting
from canvas.paint.extend import extension_frame
from canvas.paint.painter import FEATHER, Painter, Progress
from canvas.scene_file.snapshot import Patch
from canvas.scene_file.tiles import cells_touched
from text2earth_core import Cancelled, Text2EarthError

Make = Callable[..., Change]
STEPS = 2
VIEW = Rect(-384, -384, 768, 768)


def paint(painter: Painter, scene: Scene, frame: Rect, **options: object) -> Change:
    return painter.paint(scene, painter.request(scene, frame, "forest", steps=STEPS, **options))  # type: ignore[arg-type]


def check_only_asked_for(before: Patch, after: Patch, frame: Rect, feather: int = FEATHER) -> None:
    """Every empty pixel of the frame is made; beyond mask + feather every pixel and every latent is what it was."""
    made = np.zeros_like(before.valid)
    made[frame.slices(VIEW)] = ~before.valid[frame.slices(VIEW)]
    assert np.array_equal(after.valid, before.valid | made)
    near = dilate(made, feather)
    assert np.array_equal(after.pixels[~near], before.pixels[~near])
    far = before.latent_valid & ~cells_touched(near)
    assert np.array_equal(after.latents[:, far], before.latents[:, far])
    assert after.latent_valid[far].all()
    assert after.latent_valid[cells_touched(made)].all()


def check_paint(painter: Painter, scene: Scene, frame: Rect, **options: object) -> None:
    model = painter.model.info.fingerprint  # the latents of others leave a tile when this one writes into it
    before = scene.read(VIEW, model=model)
    scene.accept(paint(painter, scene, frame, **options))
    after = scene.read(VIEW, model=model)
    check_only_asked_for(before, after, frame, int(options.get("feather", FEATHER)))  # type: ignore[call-overload]


@pytest.mark.parametrize("direction", ["right", "left", "up", "down"])
@pytest.mark.parametrize("imported", [False, True])
def test_extending_keeps_known_pixels(
    scene: Scene, painter: Painter, make_change: Make, direction: str, imported: bool
) -> None:
    if imported:  # random pixels of no model
        change = make_change(Rect(0, 0, 64, 64))
        change.latent_valid[:] = False
        scene.accept(change)
    else:
        scene.accept(paint(painter, scene, Rect(0, 0, 64, 64)))
    for _ in range(2):
        check_paint(painter, scene, extension_frame(scene, direction, painter.model.info.window))


@pytest.mark.parametrize(("dx", "dy"), [(1, 1), (-1, 1), (1, -1), (-1, -1)])
def test_corners_keep_known_pixels(scene: Scene, painter: Painter, make_change: Make, dx: int, dy: int) -> None:
    scene.accept(make_change(Rect(0, 0, 64, 64)))
    check_paint(painter, scene, Rect(32 * dx, 32 * dy, 64, 64))  # overlaps one corner
    check_paint(painter, scene, Rect(64 * dx, 0, 64, 64))  # meets two sides


frames = st.builds(
    Rect,
    st.integers(-130, 130), st.integers(-130, 130), st.integers(1, 150), st.integers(1, 150),
)  # fmt: skip


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(frames, min_size=1, max_size=4), st.sampled_from([0, 1, 8, 16]))
def test_free_frames_keep_known_pixels(
    tmp_path_factory: pytest.TempPathFactory, painter: Painter, places: list[Rect], feather: int
) -> None:
    """Frames anywhere, of any size: over content, beside it, far from it, on either side of zero."""
    with Scene.create(tmp_path_factory.mktemp("free") / "s.t2e", 1.0) as scene:
        for place in places:
            frame = place.snap()
            if scene.read(frame).valid.all():
                continue
            check_paint(painter, scene, frame, feather=feather)


def test_ground_with_holes_and_half_empty_cells(scene: Scene, painter: Painter, make_change: Make) -> None:
    change = make_change(Rect(-64, -64, 128, 128), 3)
    change.valid[:] = np.random.default_rng(0).random(change.valid.shape) < 0.9
    change.valid[:64, :64] = True
    change.latent_valid[:] = False
    scene.accept(change)
    check_paint(painter, scene, Rect(-16, -16, 64, 64))


def test_a_frame_that_touches_nothing_stands_alone(scene: Scene, painter: Painter) -> None:
    scene.accept(paint(painter, scene, Rect(0, 0, 64, 64)))
    before = scene.read(VIEW)
    change = paint(painter, scene, Rect(-304, 200, 64, 64))
    assert change.rect == Rect(-304, 200, 64, 64)
    assert change.valid.all()
    scene.accept(change)
    check_only_asked_for(before, scene.read(VIEW), Rect(-304, 200, 64, 64), feather=0)


def test_erased_ground_is_made_anew(scene: Scene, painter: Painter) -> None:
    scene.accept(paint(painter, scene, Rect(0, 0, 128, 128)))
    scene.erase(Rect(32, 40, 56, 48))
    before = scene.read(VIEW)
    scene.accept(paint(painter, scene, Rect(0, 0, 128, 128), seed=5))
    check_only_asked_for(before, scene.read(VIEW), Rect(0, 0, 128, 128))


def test_latents_far_from_new_ground_never_change_over_many_hops(scene: Scene, painter: Painter) -> None:
    scene.accept(paint(painter, scene, Rect(0, 0, 64, 64)))
    known = Rect(0, 0, 64 - FEATHER, 64)
    first = scene.read(known)
    for _ in range(6):
        scene.accept(paint(painter, scene, extension_frame(scene, "right", 64)))
    last = scene.read(known)
    assert np.array_equal(first.latents, last.latents)
    assert np.array_equal(first.pixels, last.pixels)


def test_pixels_are_what_the_stored_latents_decode_to(scene: Scene, painter: Painter) -> None:
    scene.accept(paint(painter, scene, Rect(0, 0, 64, 64)))
    scene.accept(paint(painter, scene, Rect(32, 0, 64, 64)))
    patch = scene.read(Rect(0, 0, 96, 64))
    decoded = painter.model.decode(torch.from_numpy(patch.latents))
    new = slice(64, 96)
    # a rounding of the last bit may differ between one decode and another of a different size
    assert np.abs(decoded[:, new].astype(int) - patch.pixels[:, new]).max() <= 1


def test_what_is_known_is_context(tmp_path: Path, painter: Painter, make_change: Make) -> None:
    """The same request beside other ground makes another picture."""
    made = []
    for seed in (1, 2):
        with Scene.create(tmp_path / f"{seed}.t2e", 1.0) as scene:
            scene.accept(make_change(Rect(0, 0, 64, 64), seed))
            made.append(paint(painter, scene, Rect(32, 0, 64, 64)))
    assert not np.array_equal(made[0].pixels[:, -16:], made[1].pixels[:, -16:])


def test_ground_beside_the_frame_is_context_too(tmp_path: Path, painter: Painter, make_change: Make) -> None:
    """A frame set edge to edge with content continues it, though no known pixel lies inside."""
    made = []
    for seed in (1, 2):
        with Scene.create(tmp_path / f"{seed}.t2e", 1.0) as scene:
            scene.accept(make_change(Rect(0, 0, 64, 64), seed))
            made.append(paint(painter, scene, Rect(64, 0, 64, 64)))
    assert made[0].rect == Rect(64 - FEATHER, 0, 64 + FEATHER, 64)
    assert not np.array_equal(made[0].pixels[:, 40:64], made[1].pixels[:, 40:64])


@pytest.mark.parametrize("frame", [Rect(32, 0, 64, 64), Rect(-136, -40, 176, 88)])
def test_the_same_request_gives_the_same_pixels(tmp_path: Path, painter: Painter, frame: Rect) -> None:
    made = []
    for name in ("a", "b"):
        with Scene.create(tmp_path / f"{name}.t2e", 1.0) as scene:
            scene.accept(paint(painter, scene, Rect(0, 0, 64, 64), seed=3))
            request = Request.from_json(painter.request(scene, frame, "a river", seed=11, steps=STEPS).to_json())
            change = painter.paint(scene, request)
            scene.accept(change)
            made.append((change, scene.read(VIEW)))
    (a, whole_a), (b, whole_b) = made
    assert np.array_equal(a.pixels, b.pixels)
    assert np.array_equal(a.latents, b.latents)
    assert np.array_equal(whole_a.pixels, whole_b.pixels)


def test_another_seed_gives_other_pixels(scene: Scene, painter: Painter) -> None:
    one, two = (paint(painter, scene, Rect(0, 0, 64, 64), seed=seed) for seed in (1, 2))
    assert not np.array_equal(one.pixels, two.pixels)


def test_undo_and_redo_of_painted_ground_give_the_same_bytes(scene: Scene, painter: Painter) -> None:
    def stored() -> list[tuple]:
        with sqlite3.connect(scene.path) as connection:
            return connection.execute(
                "SELECT h.x, h.y, t.pixels, t.latents, t.valid FROM heads h JOIN tiles t USING (layer, x, y, revision)"
                " ORDER BY h.y, h.x"
            ).fetchall()

    states = [stored()]
    for direction in ("right", "right", "up", "left"):
        scene.accept(paint(painter, scene, extension_frame(scene, direction, 64)))
        states.append(stored())
    for state in states[-2::-1]:
        scene.undo()
        assert stored() == state
    for state in states[1:]:
        scene.redo()
        assert stored() == state


def test_cancelling_at_any_step_leaves_nothing(scene: Scene, painter: Painter) -> None:
    scene.accept(paint(painter, scene, Rect(0, 0, 64, 64)))
    before, revision = scene.read(VIEW), scene.revision
    request = painter.request(scene, Rect(0, 0, 160, 64), steps=STEPS)
    seen: list[Progress] = []
    painter.paint(scene, request, seen.append)
    for stop in range(1, len(seen) + 1):

        def cancel(progress: Progress, stop: int = stop) -> None:
            if progress.step == stop:
                raise Cancelled

        with pytest.raises(Cancelled):
            painter.paint(scene, request, cancel)
    assert scene.revision == revision
    assert np.array_equal(scene.read(VIEW).pixels, before.pixels)


def test_progress_counts_over_all_windows_and_shows_only_new_ground(scene: Scene, painter: Painter) -> None:
    scene.accept(paint(painter, scene, Rect(0, 0, 64, 64)))
    seen: list[Progress] = []
    frame = Rect(0, 0, 160, 96)
    change = painter.paint(scene, painter.request(scene, frame, steps=STEPS), seen.append)
    assert [p.step for p in seen] == list(range(1, seen[-1].total + 1))
    shown = np.zeros((frame.h, frame.w), bool)
    for progress in seen:
        assert frame.contains(progress.rect)
        assert painter.model.preview(progress.latents).shape == (progress.rect.h // CELL, progress.rect.w // CELL, 3)
        shown[progress.rect.slices(frame)] = True
    shown[:64, :64] = True  # the old ground
    assert shown.all()
    assert change.rect == frame


def test_decoding_in_pieces_fits_together(scene: Scene, painter: Painter, monkeypatch: pytest.MonkeyPatch) -> None:
    request = painter.request(scene, Rect(-40, -40, 160, 120), steps=STEPS)
    whole = painter.paint(scene, request)
    monkeypatch.setattr(painting, "DECODE", 48)
    pieces = painter.paint(scene, request)
    assert np.abs(whole.pixels.astype(int) - pieces.pixels).max() <= 1
    assert bounding_rect(whole.valid).area == 160 * 120


def test_a_stale_change_keeps_what_came_in_between(scene: Scene, painter: Painter, make_change: Make) -> None:
    """Two jobs painted from the same moment: the second writes its own masked pixels only."""
    scene.accept(make_change(Rect(0, 0, 64, 64)))
    right = paint(painter, scene, Rect(32, 0, 64, 64))
    left = paint(painter, scene, Rect(-32, 0, 64, 64))
    scene.accept(right)
    middle = scene.read(VIEW)
    scene.accept(left)
    after = scene.read(VIEW)
    untouched = middle.valid.copy()
    untouched[left.rect.slices(VIEW)] &= ~left.valid
    assert np.array_equal(after.pixels[untouched], middle.pixels[untouched])


def test_a_frame_without_empty_ground_is_refused(scene: Scene, painter: Painter, make_change: Make) -> None:
    scene.accept(make_change(Rect(0, 0, 64, 64)))
    with pytest.raises(SceneError, match="exists already"):
        paint(painter, scene, Rect(8, 8, 48, 48))


@pytest.mark.parametrize(
    "options",
    [
        {"frame": (0, 0, 0, 64)}, {"frame": (0, 0, 64, -8)}, {"frame": (0, 0, 9999, 64)}, {"frame": (0, 0, 64)},
        {"frame": "wide"}, {"frame": (2**31, 0, 64, 64)}, {"steps": 0}, {"steps": 10_000}, {"guidance": 0.5},
        {"guidance": float("nan")}, {"guidance": 1e9}, {"seed": -1}, {"seed": 2**63}, {"seed": 0.5}, {"seed": "x"},
        {"feather": -1}, {"feather": 65},
    ],
)  # fmt: skip
def test_numbers_out_of_range_get_one_sentence(scene: Scene, painter: Painter, options: dict) -> None:
    with pytest.raises((SceneError, Text2EarthError)) as error:
        painter.request(scene, **({"frame": (0, 0, 64, 64)} | options))
    text = str(error.value)
    assert text.endswith(".")
    assert "\n" not in text


def test_requests_of_another_model_or_resolution_are_refused(scene: Scene, painter: Painter) -> None:
    from dataclasses import replace

    request = painter.request(scene, Rect(0, 0, 64, 64), steps=STEPS)
    with pytest.raises(SceneError, match="another model"):
        painter.paint(scene, replace(request, model="someone else"))
    with pytest.raises(SceneError, match="2 m/px"):
        painter.paint(scene, replace(request, resolution=2.0))
    with pytest.raises(SceneError, match="grid"):
        painter.paint(scene, replace(request, frame=Rect(1, 0, 64, 64)))


def test_a_change_is_refused_where_its_place_has_changed_meanwhile(
    scene: Scene, painter: Painter, make_change: Make
) -> None:
    change = paint(painter, scene, Rect(0, 0, 64, 64))
    scene.accept(make_change(Rect(32, 0, 64, 64)))
    before = scene.read(VIEW)
    with pytest.raises(SceneError, match="changed"):
        scene.accept(change)
    after = scene.read(VIEW)
    assert np.array_equal(after.pixels, before.pixels)
    assert np.array_equal(after.valid, before.valid)
