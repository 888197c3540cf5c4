"""Growing by direction lands where there is ground to continue from."""

from collections.abc import Callable

import pytest

from canvas import Change, Rect, Scene, SceneError
from canvas.paint.extend import extension_frame

Make = Callable[..., Change]


@pytest.mark.parametrize("direction", ["right", "left", "up", "down"])
def test_an_empty_scene_gets_its_first_window(scene: Scene, direction: str) -> None:
    assert extension_frame(scene, direction, 256) == Rect(0, 0, 256, 256)


@pytest.mark.parametrize(
    ("direction", "frame"),
    [
        ("right", Rect(128, 0, 256, 256)),
        ("left", Rect(-128, 0, 256, 256)),
        ("up", Rect(0, -128, 256, 256)),
        ("down", Rect(0, 128, 256, 256)),
    ],
)
def test_half_on_the_content_half_beyond(scene: Scene, make_change: Make, direction: str, frame: Rect) -> None:
    scene.accept(make_change(Rect(0, 0, 256, 256)))
    assert extension_frame(scene, direction, 256) == frame


def test_a_ragged_edge_is_met_where_there_is_ground(scene: Scene, make_change: Make) -> None:
    scene.accept(make_change(Rect(0, 0, 256, 1024)))
    scene.accept(make_change(Rect(256, 768, 256, 256)))
    assert extension_frame(scene, "right", 256) == Rect(384, 768, 256, 256)
    assert extension_frame(scene, "left", 256) == Rect(-128, 384, 256, 256)
    assert extension_frame(scene, "up", 256) == Rect(0, -128, 256, 256)


def test_an_anchor_is_taken_as_it_is(scene: Scene, make_change: Make) -> None:
    scene.accept(make_change(Rect(0, 0, 512, 512)))
    assert extension_frame(scene, "right", 256, Rect(256, 256, 256, 256)) == Rect(384, 256, 256, 256)


def test_directions_that_do_not_exist(scene: Scene) -> None:
    with pytest.raises(SceneError, match="right, left, up, down"):
        extension_frame(scene, "north", 256)
