"""Growing masks and the weights of the feather."""

import numpy as np
import pytest

from canvas.masks import dilate, feather_weights, spread


def point(size: int = 11) -> np.ndarray:
    mask = np.zeros((size, size), bool)
    mask[size // 2, size // 2] = True
    return mask


@pytest.mark.parametrize("by", [0, 1, 2, 5])
def test_a_point_grows_into_a_square(by: int) -> None:
    grown = dilate(point(), by)
    assert grown.sum() == (2 * by + 1) ** 2
    assert grown[5 - by : 6 + by, 5 - by : 6 + by].all()


def test_masks_end_at_the_border_of_the_array() -> None:
    mask = np.zeros((3, 4), bool)
    mask[0, 0] = True
    assert dilate(mask).sum() == 4
    assert dilate(np.zeros((3, 3), bool), 5).sum() == 0


def test_weights_fall_evenly_and_end_after_the_feather() -> None:
    row = feather_weights(point(), 3)[5]
    assert row.tolist() == [0, 0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25, 0, 0]
    assert np.array_equal(feather_weights(point(), 0), point())


def test_spreading_keeps_the_known_and_repeats_its_edge() -> None:
    values = np.arange(12, dtype=np.float32).reshape(1, 3, 4)
    known = np.zeros((3, 4), bool)
    known[:, 1] = True
    out = spread(np.where(known, values, 99), known, 2)
    assert np.array_equal(out[:, known], values[:, known])
    assert np.array_equal(out[0], np.repeat(values[0, :, 1:2], 4, axis=1))
    assert spread(values, known, 1)[0, :, 3].tolist() == [0, 0, 0]  # out of reach
