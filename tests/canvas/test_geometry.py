"""The three grids agree on both sides of zero."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas import CELL, TILE, Rect
from canvas.geometry import bounding_rect, side_window

rects = st.builds(Rect, st.integers(-3000, 3000), st.integers(-3000, 3000), st.integers(1, 1500), st.integers(1, 1500))


@pytest.mark.parametrize(
    ("rect", "snapped", "outward"),
    [
        (Rect(0, 0, 256, 256), Rect(0, 0, 256, 256), Rect(0, 0, 256, 256)),
        (Rect(3, 4, 8, 8), Rect(0, 8, 8, 8), Rect(0, 0, 16, 16)),
        (Rect(-3, -5, 8, 8), Rect(0, -8, 8, 8), Rect(-8, -8, 16, 16)),
        (Rect(-4, -12, 11, 12), Rect(0, -8, 8, 16), Rect(-8, -16, 16, 16)),
        (Rect(-257, 257, 1, 3), Rect(-256, 256, 8, 8), Rect(-264, 256, 8, 8)),
    ],
)
def test_snapping(rect: Rect, snapped: Rect, outward: Rect) -> None:
    assert rect.snap() == snapped
    assert rect.snap_out() == outward


@pytest.mark.parametrize(
    ("a", "b", "common", "around"),
    [
        (Rect(0, 0, 10, 10), Rect(5, 5, 10, 10), Rect(5, 5, 5, 5), Rect(0, 0, 15, 15)),
        (Rect(-10, -10, 5, 5), Rect(-20, -20, 30, 30), Rect(-10, -10, 5, 5), Rect(-20, -20, 30, 30)),
        (Rect(0, 0, 4, 4), Rect(4, 0, 4, 4), Rect(4, 0, 0, 4), Rect(0, 0, 8, 4)),
        (Rect(0, 0, 4, 4), Rect(9, 9, 0, 0), Rect(9, 9, 0, 0), Rect(0, 0, 4, 4)),
    ],
)
def test_intersection_and_union(a: Rect, b: Rect, common: Rect, around: Rect) -> None:
    assert a.intersect(b) == common
    assert b.intersect(a) == common
    assert a.union(b) == around
    assert b.union(a) == around


@pytest.mark.parametrize(
    ("rect", "tiles"),
    [
        (Rect(0, 0, 256, 256), [(0, 0)]),
        (Rect(0, 0, 257, 1), [(0, 0), (1, 0)]),
        (Rect(-1, -1, 2, 2), [(-1, -1), (0, -1), (-1, 0), (0, 0)]),
        (Rect(-256, 0, 256, 1), [(-1, 0)]),
        (Rect(5, 5, 0, 3), []),
    ],
)
def test_tiles_of_a_rectangle(rect: Rect, tiles: list[tuple[int, int]]) -> None:
    assert list(rect.tiles()) == tiles
    span = rect.tile_span()
    assert span.area == len(tiles)


@pytest.mark.parametrize(
    ("direction", "window"),
    [
        ("right", Rect(128, 0, 256, 256)),
        ("left", Rect(-128, 0, 256, 256)),
        ("up", Rect(0, -128, 256, 256)),
        ("down", Rect(0, 128, 256, 256)),
    ],
)
def test_side_window_overlaps_by_half(direction: str, window: Rect) -> None:
    assert side_window(Rect(0, 0, 256, 256), direction, 256) == window


@given(rects, st.sampled_from(["right", "left", "up", "down"]))
def test_side_window_always_adds_ground_and_never_passes_the_far_side(anchor: Rect, direction: str) -> None:
    window = side_window(anchor, direction, 256)
    assert window.on_cells
    inside = window.intersect(anchor.snap_out()) if direction in ("left", "right") else window
    far = {"right": window.x >= anchor.x - CELL, "left": window.x1 <= anchor.x1 + CELL,
           "down": window.y >= anchor.y - CELL, "up": window.y1 <= anchor.y1 + CELL}  # fmt: skip
    assert far[direction]
    assert inside.area > 0
    beyond = {"right": window.x1 - anchor.x1, "left": anchor.x - window.x,
              "down": window.y1 - anchor.y1, "up": anchor.y - window.y}  # fmt: skip
    assert beyond[direction] >= 128 - CELL


@given(rects)
def test_tiles_cover_every_pixel_once(rect: Rect) -> None:
    parts = [Rect(x * TILE, y * TILE, TILE, TILE).intersect(rect) for x, y in rect.tiles()]
    assert sum(part.area for part in parts) == rect.area
    assert all(not part.empty and rect.contains(part) for part in parts)


@given(rects)
def test_snapping_keeps_to_the_grid_and_near(rect: Rect) -> None:
    assert rect.snap().on_cells
    assert rect.snap_out().on_cells
    assert rect.snap_out().contains(rect)
    assert abs(rect.snap().x - rect.x) <= CELL // 2
    assert abs(rect.snap().y - rect.y) <= CELL // 2


def test_bounding_rect_of_a_mask() -> None:
    mask = np.zeros((20, 30), bool)
    assert bounding_rect(mask).empty
    mask[3, 7] = mask[11, 2] = True
    assert bounding_rect(mask, -100, 50) == Rect(-98, 53, 6, 9)
