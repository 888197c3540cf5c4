"""The proposal of a cloud mask: what is a cloud is found with its shadow, what is none is left alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from canvas.paint.clouds import FAR, find_clouds, propose_clouds
from tests.canvas.cloud_pictures import SIDE, blob, cloudy, forest


@pytest.mark.parametrize("shift", [(50, 20), (-45, 30), (10, -55)])
def test_a_cloud_and_its_shadow_are_covered_and_little_else(shift: tuple[int, int]) -> None:
    found = find_clouds(cloudy(forest(), (128, 128), shift)) > 0
    cloud, shadow = blob(128, 128, 34) > 0.1, blob(128 + shift[0], 128 + shift[1], 34) > 0.1
    assert found[cloud].mean() > 0.95
    assert found[shadow].mean() > 0.85
    assert found[~cv2.dilate((cloud | shadow).astype(np.uint8), np.ones((25, 25))).astype(bool)].mean() < 0.01


def test_a_proposal_is_sure_only_where_shadows_fit_the_clouds() -> None:
    """A white patch without a shadow may as well be sand: it is proposed, and said to be doubtful."""
    assert propose_clouds(cloudy(forest(), (128, 128), (50, 20))).sure
    sand = blob(128, 128, 34)[..., None]
    found = propose_clouds((forest() * (1 - sand) + 235 * sand).astype(np.uint8))
    assert found.mask[128, 128] == 255
    assert not found.sure
    assert not propose_clouds(forest()).sure


def test_ground_without_clouds_gives_nothing() -> None:
    for seed in range(4):
        assert not find_clouds(forest(seed)).any()
    assert not find_clouds(np.full((SIDE, SIDE, 3), 240, np.uint8)).any(), "all white is snow or nothing, not a cloud"


def test_sand_beside_the_sea_is_no_cloud() -> None:
    for seed in range(4):
        grain = np.random.default_rng(seed).normal(0, 3, (SIDE, SIDE, 1))
        sand = np.arange(SIDE)[None, :] > 170 + 12 * np.sin(np.arange(SIDE) / 25)[:, None]
        shore = np.where(sand[..., None], [216, 206, 188], [40, 70, 84]) + grain
        assert not find_clouds(shore.clip(0, 255).astype(np.uint8)).any()


def test_small_rough_and_coloured_things_are_no_clouds() -> None:
    picture = forest()
    picture[40:46, 40:90] = 250  # a thin white strip
    picture[100:160, 30:90] = (230, 180, 40)  # bright, not white
    board = np.kron(np.indices((12, 12)).sum(0) % 2, np.ones((5, 5), int))
    picture[150:210, 150:210] = np.where(board[..., None], 255, 120)  # white and rough
    assert not find_clouds(picture).any()


def test_a_cloud_without_a_shadow_in_sight_is_found_alone() -> None:
    cloud = blob(128, 128, 34)
    picture = (forest() * (1 - cloud[..., None]) + 245 * cloud[..., None]).astype(np.uint8)
    found = find_clouds(picture) > 0
    assert found[cloud > 0.1].mean() > 0.95
    assert found[cloud == 0].mean() < 0.05


def test_what_is_not_known_is_neither_searched_nor_masked() -> None:
    picture = cloudy(forest(), (128, 128), (50, 20))
    valid = np.ones((SIDE, SIDE), bool)
    valid[:, :64] = False
    picture[:, :64] = 255
    found = find_clouds(picture, valid)
    assert not found[~valid].any()
    assert found[128, 128] == 255
    assert not find_clouds(picture, np.zeros_like(valid)).any()


def test_the_shadow_lies_at_the_same_place_whatever_the_size() -> None:
    """The displacement is looked for on a small picture; what it means in pixels must not depend on that."""
    large = cv2.resize(cloudy(forest(), (100, 128), (60, 10)), None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    found = find_clouds(large) > 0
    assert found[3 * 138, 3 * 160]
    assert 60 / SIDE < FAR


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (7, 9), (300, 40)])
def test_any_shape_is_taken(shape: tuple[int, int]) -> None:
    for value in (0, 255):
        found = find_clouds(np.full((*shape, 3), value, np.uint8))
        assert found.shape == shape
        assert found.dtype == np.uint8
