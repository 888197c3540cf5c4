"""What holds of the colours holds of every layer, and what is done in one leaves the others as they were."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace as with_
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from canvas import Change, Rect, Scene, SceneError
from canvas.fill.region_fill import RegionFill, fill_request
from canvas.layers import LAYERS
from canvas.paint.extend import extension_frame
from canvas.paint.painter import Painter
from canvas.recipes.recipe import parse, recipe_of
from canvas.recipes.replay import replay
from canvas.scene_file.snapshot import Patch
from tests.canvas.conftest import same
from text2earth_core import Text2EarthError

Make = Callable[..., Change]
VIEW = Rect(-128, -128, 384, 384)
FRAME = Rect(0, 0, 64, 64)

every_layer = pytest.mark.parametrize("layer", LAYERS)


@pytest.fixture(scope="module")
def painter(adapted_folder: Path) -> Painter:
    """The tiny random model with a student, and random adapters for all modalities."""
    from text2earth_core import Text2Earth

    return Painter(Text2Earth.from_pretrained(adapted_folder, "cpu", "float32"))


def patches(scene: Scene) -> dict[str, Patch]:
    return {layer: scene.read(VIEW, layer) for layer in LAYERS}


def paint(painter: Painter, scene: Scene, frame: Rect, layer: str, seed: int = 0) -> Change:
    return painter.paint(scene, painter.request(scene, frame, "forest", steps=2, seed=seed, layer=layer))


@every_layer
def test_pixels_and_latents_come_back_and_other_layers_stay(scene: Scene, make_change: Make, layer: str) -> None:
    for number, other in enumerate(LAYERS):
        scene.accept(make_change(Rect(-72, 8, 200, 120), number, layer=other))
    before = patches(scene)
    change = make_change(Rect(-8, -8, 264, 80), 9, layer=layer)
    entry = scene.accept(change)
    after = patches(scene)
    assert {key[0] for key in entry.tiles} == {layer}
    assert entry.request["layer"] == layer
    here = change.rect.slices(VIEW)
    assert np.array_equal(after[layer].pixels[here], change.pixels)
    assert after[layer].pixels.shape[2] == LAYERS[layer]
    assert [name for name in LAYERS if not same(before[name], after[name])] == [layer]
    scene.undo()
    assert all(same(before[name], patches(scene)[name]) for name in LAYERS)
    scene.redo()
    assert same(after[layer], patches(scene)[layer])


@every_layer
def test_growing_and_editing_keep_known_pixels(scene: Scene, painter: Painter, layer: str) -> None:
    scene.accept(paint(painter, scene, FRAME, layer))
    before = scene.read(VIEW, layer)
    scene.accept(paint(painter, scene, extension_frame(scene, "right", 64, layer=layer), layer, seed=1))
    after = scene.read(VIEW, layer)
    far = before.valid.copy()
    far[:, 32 + 128 :] = False  # the feather
    assert far.any()
    assert np.array_equal(after.pixels[far], before.pixels[far])
    mask = np.zeros((64, 64), np.uint8)
    mask[24:40, 24:40] = 255
    request = painter.edit(scene, FRAME, mask, "lake", feather=8, steps=2, seed=3, layer=layer)
    scene.accept(painter.paint(scene, request))
    edited = scene.read(FRAME, layer)
    kept = np.ones((64, 64), bool)
    kept[16:48, 16:48] = False
    assert np.array_equal(edited.pixels[kept], after.pixels[FRAME.slices(VIEW)][kept])
    assert not np.array_equal(edited.pixels, after.pixels[FRAME.slices(VIEW)])


@every_layer
def test_the_same_request_gives_the_same_pixels(tmp_path: Path, painter: Painter, layer: str) -> None:
    made = []
    for name in ("a", "b"):
        with Scene.create(tmp_path / f"{name}.t2e", 1.0) as scene:
            scene.accept(paint(painter, scene, FRAME, layer))
            made.append(scene.read(VIEW, layer))
    assert same(*made)


@every_layer
def test_a_fill_continues_its_own_layer_and_a_recipe_rebuilds_it(
    tmp_path: Path, scene: Scene, painter: Painter, make_change: Make, layer: str
) -> None:
    other = next(name for name in LAYERS if name != layer)
    scene.accept(make_change(Rect(0, 0, 64, 64), 1, layer=layer))
    scene.accept(make_change(Rect(64, 0, 64, 64), 2, layer=other))  # no ground for the other
    with scene.snapshot() as at:
        before = at.pixels(VIEW, other)[0]
    scene.undo()
    scene.undo()
    scene.accept(paint(painter, scene, FRAME, layer))
    request = fill_request(painter.model, scene, [0, 0, 160, 64], [{"text": "forest"}], steps=2, seed=5, layer=layer)
    RegionFill(scene, painter.model, request).run()
    assert before.any()
    assert scene.read(Rect(0, 0, 160, 64), layer).valid.all()
    assert not scene.read(VIEW, other).valid.any()
    shown = [entry.request for entry in scene.history() if not entry.undone]
    assert ["adapters" in request for request in shown] == [layer != "rgb"] * 2
    with Scene.create(tmp_path / "again.t2e", 1.0) as again:
        replay(parse(recipe_of(scene)), again, painter.model)
        assert same(again.read(VIEW, layer), scene.read(VIEW, layer))


@every_layer
def test_candidates_tiles_and_thumbnails_show_the_layer(
    scene: Scene, painter: Painter, make_change: Make, layer: str
) -> None:
    scene.accept(make_change(Rect(0, 0, 256, 256), 1, layer=layer))
    mask = np.full((16, 16), 255, np.uint8)
    request = painter.edit(scene, Rect(24, 24, 16, 16), mask, "lake", steps=2, layer=layer)
    change = painter.paint(scene, request)
    number = scene.stage(change, "b", 0)
    entry = scene.accept_candidate(number)
    here = change.rect.slices(VIEW)
    assert np.array_equal(scene.read(VIEW, layer).pixels[here][change.valid], change.pixels[change.valid])
    found = scene.tile_webp(layer, 0, 0, 0)
    assert found is not None
    picture = np.asarray(Image.open(io.BytesIO(found[0])).convert("RGB"))
    shown = np.broadcast_to(scene.read(Rect(0, 0, 256, 256), layer).pixels, (256, 256, 3))
    assert np.array_equal(picture, shown)
    assert scene.tile_webp(layer, 3, 0, 0) is not None
    assert [tile[:2] for tile in scene.tile_index(Rect(-4, -4, 8, 8), 0, layer)] == [(0, 0)]
    assert scene.thumbnail(entry.id)


def test_a_single_band_takes_the_room_of_one(scene: Scene, make_change: Make) -> None:
    scene.accept(make_change(Rect(0, 0, 256, 256), 1, layer="sar"))  # noise: nothing that could be compressed
    found = scene.tile_webp("sar", 0, 0, 0)
    assert found is not None
    assert len(found[0]) < 1.02 * 256 * 256


def test_a_layer_begins_over_what_others_show_and_then_grows_by_itself(scene: Scene, make_change: Make) -> None:
    scene.accept(make_change(Rect(0, 0, 256, 128)))
    assert extension_frame(scene, "right", 64, layer="nir") == Rect(96, 32, 64, 64)
    scene.accept(make_change(Rect(96, 32, 64, 64), layer="nir"))
    assert extension_frame(scene, "right", 64, layer="nir") == Rect(128, 32, 64, 64)
    assert extension_frame(scene, "right", 64) == Rect(224, 32, 64, 64)
    assert scene.layer_bounds == {"rgb": Rect(0, 0, 256, 128), "nir": Rect(96, 32, 64, 64)}
    assert scene.bounds == Rect(0, 0, 256, 128)
    assert scene.summary()["layers"] == ["rgb", "nir"]


def test_erasing_a_whole_layer_leaves_the_others_and_can_be_undone(scene: Scene, make_change: Make) -> None:
    scene.accept(make_change(Rect(0, 0, 64, 64)))
    scene.accept(make_change(Rect(0, 0, 64, 64), 1, layer="sar"))
    before = patches(scene)
    scene.erase(scene.layer_bounds["sar"], "sar")
    assert scene.summary()["layers"] == ["rgb"]
    assert same(patches(scene)["rgb"], before["rgb"])
    scene.undo()
    assert same(patches(scene)["sar"], before["sar"])


def test_what_was_made_with_an_adapter_that_is_not_here_says_so(scene: Scene, painter: Painter) -> None:
    request = with_(painter.request(scene, FRAME, "forest", layer="nir"), adapters=(("feedbeef", 1.0),))
    with pytest.raises(Text2EarthError, match="There is no adapter feedbeef here"):
        painter.paint(scene, request)


def test_a_layer_that_does_not_exist_is_refused_everywhere(scene: Scene, painter: Painter, make_change: Make) -> None:
    scene.accept(make_change(Rect(0, 0, 64, 64)))
    with pytest.raises(SceneError, match="There is no layer 'infrared': use one of rgb, pan, nir, sar"):
        scene.read(VIEW, "infrared")
    with pytest.raises(Text2EarthError, match="A modality 'infrared' is not possible: give one of rgb, pan, nir, sar"):
        painter.request(scene, FRAME, layer="infrared")
    with pytest.raises(Text2EarthError, match="A modality '' is not possible"):
        fill_request(painter.model, scene, [0, 0, 64, 64], [{"text": ""}], layer="")
    with pytest.raises(SceneError, match="There is no layer"):
        scene.tile_webp("thermal", 0, 0, 0)
