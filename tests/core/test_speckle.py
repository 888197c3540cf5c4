"""Speckle: a function of seed and place, as strong as that of real radar, gone for an encoder, and no part of seams."""

from __future__ import annotations

import numpy as np
import pytest

from text2earth_core import Text2Earth
from text2earth_core.networks.thumbnail_vae import CELL
from text2earth_core.sampling.noise import world_noise
from text2earth_core.simulation.figures import number_of_looks
from text2earth_core.speckle import STRENGTH, field, filtered, filtered_cells, speckled


@pytest.fixture(scope="module")
def tiny() -> Text2Earth:
    return Text2Earth.from_preset("tiny", seed=0)


def test_a_pixel_of_the_world_has_one_speckle_whatever_rectangle_looks_at_it() -> None:
    whole = field(3, -100, -70, 300, 200)
    for x, y, w, h in [(-100, -70, 1, 1), (-64, 0, 64, 64), (-3, -5, 77, 31), (120, 100, 80, 30)]:
        assert np.array_equal(field(3, x, y, w, h), whole[y + 70 : y + 70 + h, x + 100 : x + 100 + w])
    assert not np.array_equal(field(4, 0, 0, 50, 50), field(3, 0, 0, 50, 50))
    # Seeds that differ beyond 32 bits differ, too.
    assert not np.array_equal(field(3 + 2**40, 0, 0, 50, 50), field(3, 0, 0, 50, 50))


def test_it_has_the_strength_and_the_grain_of_real_pairs() -> None:
    one = field(0, 0, 0, 400, 400)
    assert one.std() == pytest.approx(1, abs=0.02)
    found = [(one[:, :-apart] * one[:, apart:]).mean() for apart in (1, 2, 3)]
    assert found == pytest.approx([0.75, 0.38, 0.13], abs=0.05)
    grey = np.full((256, 256, 1), 110, np.uint8)
    assert number_of_looks([speckled(grey, 0)[..., 0]]) == pytest.approx((110 / STRENGTH) ** 2, rel=0.15)
    dark = np.full((256, 256, 1), 10, np.uint8)
    assert speckled(dark, 0).std() < STRENGTH / 2


def test_filters_leave_borders_and_take_speckle_away() -> None:
    ground = np.full((64, 64, 1), 60, np.uint8)
    ground[:, 32:] = 200
    noisy = speckled(ground, 1)
    for smooth in (filtered(noisy[..., 0])[..., None], filtered_cells(noisy, CELL)):
        wrong = np.abs(smooth.astype(int) - ground)
        assert wrong.mean() < 0.6 * np.abs(noisy.astype(int) - ground).mean()
        assert wrong[:, 28:36].mean() < 30
    alone = filtered_cells(noisy[8:16, 16:24], CELL)
    assert np.array_equal(filtered_cells(noisy, CELL)[8:16, 16:24], alone)


def test_a_model_decodes_radar_with_speckle_by_place_and_encodes_it_without(tiny: Text2Earth) -> None:
    latents = world_noise(5, 0, 0, 24, 24) / 2
    whole = tiny.decode(latents, "sar", 7, (80, -40))
    assert whole.shape == (192, 192, 1)
    assert whole.std() > tiny.decode(latents, "pan").std()
    halo = tiny.info.halo
    part = tiny.decode(latents[:, 8 - halo :, 8 - halo :], "sar", 7, (80 + (8 - halo) * CELL, -40 + (8 - halo) * CELL))
    apart = part[halo * CELL :, halo * CELL :].astype(int) - whole[8 * CELL :, 8 * CELL :]
    assert np.abs(apart).max() <= 1  # decoders round
    flat = np.full((64, 64, 1), 120, np.uint8)
    lost = np.abs(tiny.encode(speckled(flat, 0), "sar") - tiny.encode(flat)).mean()
    assert lost < np.abs(tiny.encode(speckled(flat, 0)) - tiny.encode(flat)).mean()


def test_pictures_of_two_seeds_have_other_speckle(tiny: Text2Earth) -> None:
    assert not np.array_equal(field(0, 0, 0, 64, 64), field(1, 0, 0, 64, 64))
    one = tiny.decode(world_noise(5, 0, 0, 8, 8), "sar", 1)
    assert not np.array_equal(one, tiny.decode(world_noise(5, 0, 0, 8, 8), "sar", 2))
    assert np.array_equal(one, tiny.decode(world_noise(5, 0, 0, 8, 8), "sar", 1))
