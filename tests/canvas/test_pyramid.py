"""A zoomed-out tile shows what a full redraw would show, and is drawn again only where something changed."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from canvas import TILE, Change, Rect, Scene, SceneError
from canvas.scene_file.pyramid import MAX_ZOOM, halve

Make = Callable[..., Change]


def image_of(scene: Scene, z: int, x: int, y: int) -> np.ndarray | None:
    found = scene.tile_webp("rgb", z, x, y)
    return None if found is None else np.asarray(Image.open(io.BytesIO(found[0])).convert("RGBA"))


def redrawn(scene: Scene, z: int, x: int, y: int) -> np.ndarray:
    """The tile from the pixels themselves."""
    side = TILE << z
    patch = scene.read(Rect(x * side, y * side, side, side))
    picture = np.dstack([patch.pixels, patch.valid.astype(np.uint8) * 255])
    for _ in range(z):
        picture = halve(picture)
    return picture


def shown(picture: np.ndarray) -> np.ndarray:
    """What a viewer sees: colours under alpha 0 do not count."""
    return np.where(picture[..., 3:] > 0, picture, 0)


def check_all(scene: Scene) -> None:
    for z in range(3):
        for x, y, _ in scene.tile_index(Rect(-8, -8, 16, 16), z):
            picture = image_of(scene, z, x, y)
            assert picture is not None
            assert np.array_equal(shown(picture), shown(redrawn(scene, z, x, y)))


def test_every_level_equals_a_full_redraw(scene: Scene, make_change: Make) -> None:
    for number, rect in enumerate([Rect(-304, -120, 512, 304), Rect(600, 600, 64, 8)]):
        scene.accept(make_change(rect, number))
        check_all(scene)
    scene.erase(Rect(-100, -100, 300, 300))
    scene.undo()
    scene.erase(Rect(-200, -300, 256, 1000))
    check_all(scene)


def test_the_index_lists_exactly_the_tiles_with_content(scene: Scene, make_change: Make) -> None:
    scene.accept(make_change(Rect(-8, 0, 16, 8)))
    everywhere = Rect(-1000, -1000, 2000, 2000)
    for z in range(MAX_ZOOM + 1):
        assert [(x, y) for x, y, _ in scene.tile_index(everywhere, z)] == [(-1, 0), (0, 0)]
    scene.erase(Rect(-8, 0, 8, 8))
    for z in range(MAX_ZOOM + 1):
        assert [(x, y) for x, y, _ in scene.tile_index(everywhere, z)] == [(0, 0)]
        assert scene.tile_index(Rect(-5, 0, 5, 1), z) == []
        assert scene.tile_webp("rgb", z, -1, 0) is None
    scene.erase(Rect(0, 0, 8, 8))
    for z in range(MAX_ZOOM + 1):
        assert scene.tile_index(everywhere, z) == []


def test_only_the_ancestors_of_a_change_get_a_new_revision(scene: Scene, make_change: Make) -> None:
    scene.accept(make_change(Rect(0, 0, 256, 256), 1))
    scene.accept(make_change(Rect(1024, 0, 256, 256), 2))
    assert dict(((x, y), r) for x, y, r in scene.tile_index(Rect(0, 0, 8, 8), 1)) == {(0, 0): 1, (2, 0): 2}
    assert scene.tile_index(Rect(0, 0, 8, 8), 3) == [(0, 0, 2)]
    scene.accept(make_change(Rect(0, 0, 8, 8), 3))
    assert dict(((x, y), r) for x, y, r in scene.tile_index(Rect(0, 0, 8, 8), 1)) == {(0, 0): 3, (2, 0): 2}


def test_a_revision_names_one_picture_for_ever(scene: Scene, make_change: Make) -> None:
    """Browsers keep tiles by revision: a revision must never stand for two pictures, whatever is undone and redone."""
    seen: dict[tuple[int, int, int, int], bytes] = {}

    def look() -> None:
        for z in range(3):
            for x, y, revision in scene.tile_index(Rect(-4, -4, 8, 8), z):
                found = scene.tile_webp("rgb", z, x, y)
                assert found is not None
                data, shown_revision = found
                assert shown_revision == revision
                assert seen.setdefault((z, x, y, revision), data) == data

    for seed in range(3):
        scene.accept(make_change(Rect(seed * 64 - 64, 0, 128, 128), seed))
        look()
    for move in (scene.undo, scene.undo, scene.redo, scene.undo):
        move()
        look()
    scene.accept(make_change(Rect(0, 0, 128, 128), 7))
    look()


def test_redrawing_everything_at_once_leaves_nothing_to_draw(scene: Scene, make_change: Make) -> None:
    scene.accept(make_change(Rect(-304, -120, 512, 304)))
    count = scene.redraw()
    assert count == sum(len(scene.tile_index(Rect(-8, -8, 16, 16), z)) for z in range(1, MAX_ZOOM + 1))
    assert scene.redraw() == 0
    check_all(scene)


def test_unknown_pixels_do_not_darken_the_edge() -> None:
    picture = np.zeros((2, 2, 4), np.uint8)
    picture[0, 0] = (200, 100, 50, 255)
    assert halve(picture)[0, 0].tolist() == [200, 100, 50, 64]
    assert halve(np.zeros((2, 2, 4), np.uint8)).max() == 0
    assert halve(np.full((4, 4, 4), 255, np.uint8)).min() == 255


@pytest.mark.parametrize("z", [-1, MAX_ZOOM + 1])
def test_levels_that_do_not_exist(scene: Scene, z: int) -> None:
    with pytest.raises(SceneError, match="Zoom level"):
        scene.tile_webp("rgb", z, 0, 0)
    with pytest.raises(SceneError, match="Zoom level"):
        scene.tile_index(Rect(0, 0, 1, 1), z)
    with pytest.raises(SceneError, match="no layer"):
        scene.tile_webp("../etc", 0, 0, 0)
