"""Windows make every missing cell, and never beside ground that they do not see if another window can."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canvas.geometry import CELL, Rect
from canvas.paint.plan import reach, windows

W = 64
frames = st.builds(
    Rect,
    st.integers(-20, 20).map(lambda v: v * CELL),
    st.integers(-20, 20).map(lambda v: v * CELL),
    st.integers(1, 24).map(lambda v: v * CELL),
    st.integers(1, 24).map(lambda v: v * CELL),
)


def plan(frame: Rect, ground: list[Rect]) -> list[Rect]:
    area = reach(frame, W)
    known = np.zeros((area.h // CELL, area.w // CELL), bool)
    for rect in ground:
        known[rect.intersect(area).cells().slices(area.cells())] = True
    todo = np.zeros_like(known)
    todo[frame.cells().slices(area.cells())] = True
    return windows(frame, todo & ~known, known, area, W)


@pytest.mark.parametrize(
    ("frame", "ground", "expected"),
    [
        # nothing around: the frame itself
        (Rect(0, 0, W, W), [], [Rect(0, 0, W, W)]),
        # half a window beyond an edge: one window
        (Rect(32, 0, W, W), [Rect(0, 0, W, W)], [Rect(32, 0, W, W)]),
        # only the empty half given as the frame: the same window
        (Rect(64, 0, 32, W), [Rect(0, 0, W, W)], [Rect(32, 0, W, W)]),
        # a full frame that touches ground outside of it: first half over that ground
        (Rect(64, 0, W, W), [Rect(0, 0, W, W)], [Rect(32, 0, W, W), Rect(64, 0, W, W)]),
        # a small frame far from everything: centred
        (Rect(0, 0, 16, 16), [], [Rect(-24, -24, W, W)]),
        # a gap between two pieces of ground: the last window sees both of its sides
        (Rect(64, 0, W, W), [Rect(0, 0, W, W), Rect(128, 0, W, W)], [Rect(32, 0, W, W), Rect(80, 0, W, W)]),
        # a corner: the window above sees the ground that the frame only touches
        (
            Rect(32, 0, W, W),
            [Rect(0, 0, W, W), Rect(0, -64, 128, 64)],
            [Rect(32, -16, W, W), Rect(32, 0, W, W)],
        ),
    ],
)
def test_where_windows_lie(frame: Rect, ground: list[Rect], expected: list[Rect]) -> None:
    assert plan(frame, ground) == expected


@settings(max_examples=60, deadline=None)
@given(frames, st.lists(frames, max_size=3))
def test_every_missing_cell_is_made(frame: Rect, ground: list[Rect]) -> None:
    area = reach(frame, W)
    assert area.contains(frame)
    missing = np.zeros((area.h, area.w), bool)
    missing[frame.slices(area)] = True
    for rect in ground:
        missing[rect.intersect(area).slices(area)] = False
    for window in plan(frame, ground):
        assert area.contains(window)
        assert window.on_cells
        assert missing[window.slices(area)].any()  # no window is for nothing
        missing[window.slices(area)] = False
    assert not missing.any()


def test_a_hole_closes_without_a_window_beside_ground_it_does_not_see() -> None:
    hole = Rect(0, 0, W, W)
    known = ~box_mask(hole)
    sides = [Rect(-64, -64, 192, 64), Rect(-64, 64, 192, 64), Rect(-64, 0, 64, 64), Rect(64, 0, 64, 64)]
    for window in plan(hole, sides):
        new = box_mask(window) & ~known
        unseen = known & ~box_mask(window)
        for axis, by in ((0, 1), (0, -1), (1, 1), (1, -1)):
            assert not (np.roll(new, by, axis) & unseen).any()
        known |= new
    assert known.all()


def box_mask(rect: Rect) -> np.ndarray:
    """A rectangle (px) as a mask of the px from -128 to 192 on both axes."""
    mask = np.zeros((320, 320), bool)
    mask[rect.slices(Rect(-128, -128, 320, 320))] = True
    return mask


def test_a_large_frame_grows_from_the_ground_outwards() -> None:
    order = plan(Rect(W, 0, 4 * W, W), [Rect(0, 0, W, W)])
    assert order[0] == Rect(32, 0, W, W)
    assert [window.x for window in order] == sorted(window.x for window in order)
    assert len(order) == 8
