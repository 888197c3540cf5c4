"""Prompts share a window by where they hold, smoothly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canvas.geometry import Rect
from canvas.prompt_map import Prompt, PromptMap, Region

LEFT = Prompt("left", Region.of_rect(Rect(0, 0, 500, 400)), 100)
RIGHT = Prompt("right", Region.of_rect(Rect(500, 0, 500, 400)), 100)


def shares(prompts: list[Prompt], x: int, y: int = 100, side: int = 64) -> list[float]:
    return [round(float(v), 4) for v in PromptMap(prompts).weights(Rect(x, y, side, side))]


def test_deep_inside_a_region_only_its_prompt_counts() -> None:
    assert shares([LEFT, RIGHT], 100) == [1, 0, 0]
    assert shares([LEFT, RIGHT], 900) == [0, 1, 0]


def test_two_prompts_meet_evenly_at_their_border() -> None:
    left, right, none = shares([LEFT, RIGHT], 468)
    assert left == pytest.approx(right)
    assert none == 0


def test_outside_of_all_regions_the_empty_prompt_holds() -> None:
    assert shares([LEFT, RIGHT], 2000) == [0, 0, 1]
    assert shares([Prompt("everywhere")], 2000) == [1, 0]


def test_overlapping_regions_are_mixed() -> None:
    twice = Prompt("twice", LEFT.region, 100)
    assert shares([LEFT, twice], 100) == [0.5, 0.5, 0]


def test_beside_the_region_that_is_made_nothing_counts() -> None:
    made = Region((((0, 0), (500, 0), (0, 400)),))
    everywhere = PromptMap([Prompt("here", made)], made)
    assert list(everywhere.weights(Rect(200, 180, 256, 256))) == [1, 0]  # its hypotenuse runs through the window
    left = PromptMap([LEFT, RIGHT], Region.of_rect(Rect(0, 0, 400, 400)))
    assert list(left.weights(Rect(300, 0, 256, 256)).round(2)) == [1, 0, 0]


@settings(deadline=None, max_examples=50)
@given(st.integers(-300, 1300), st.integers(-300, 700))
def test_shares_sum_to_one_and_move_smoothly(x: int, y: int) -> None:
    prompts = PromptMap([LEFT, RIGHT])
    here, there = (prompts.weights(Rect(x + dx, y, 64, 64)) for dx in (0, 4))
    assert here.sum() == pytest.approx(1, abs=1e-6)
    assert here.min() >= 0
    assert np.abs(here - there).max() < 0.1


def test_a_rectangle_and_its_polygon_are_the_same_region() -> None:
    rect = Region.of_rect(Rect(-16, 8, 80, 40))
    cells = rect.cells(Rect(-5, -2, 20, 12))
    expected = np.zeros((12, 20), bool)
    expected[3:8, 3:13] = True
    assert np.array_equal(cells, expected)
    (corners,) = rect.polygons
    turned = Region((corners[2:] + corners[:2],))
    x, y = np.meshgrid(np.arange(-60, 120), np.arange(-40, 90))
    assert np.array_equal(rect.distance(x, y), turned.distance(x, y))


def test_distance_is_measured_to_the_outline() -> None:
    triangle = Region((((0, 0), (100, 0), (0, 100)),))
    assert triangle.distance(np.array([-3.0, 50, 100, 50]), np.array([-4.0, -7, 100, 50])) == pytest.approx(
        [5, 7, 50 * 2**0.5, 0]
    )
    assert list(triangle.contains(np.array([10.0, 60, -1]), np.array([10.0, 60, 5]))) == [True, False, False]
