"""Simulators learn what pairs show, keep speckle, and are measured by figures that tell what they should."""

import cv2
import numpy as np
import pytest

from tests.core.conftest import LOOKS, speckled
from text2earth_core import Text2EarthError
from text2earth_core.simulation import figures
from text2earth_core.simulation.pairs import load_pairs
from text2earth_core.simulation.simulators import Light, Simulator, find_simulator
from text2earth_core.simulation.still_water import still_water
from text2earth_core.training.simulator import train_simulator


def test_pairs_are_read_whichever_picture_comes_first(pairs):
    for modality, count in (("nir", 32), ("sar", 64)):
        found = load_pairs(pairs, modality, "train")
        assert len(found) == count
        assert all(pair.picture.shape == (32, 32, 3) and pair.measured.shape == (32, 32) for pair in found)
    measured = load_pairs(pairs, "sar", "val", ["pairs_sar_pan"])[0]
    assert measured.measured.astype(float).std() > measured.picture[..., 1].astype(float).std()


def test_near_infrared_is_learned_from_colours(pairs, tmp_path):
    found = train_simulator("nir", pairs, tmp_path, samples=32 * 160)
    assert found["r2"] > 0.5
    assert found["pairs"] == 8
    simulator = find_simulator("nir", tmp_path)
    assert simulator.figures["r2"] == found["r2"]
    held_back = load_pairs(pairs, "nir", "val")
    picture = np.stack([pair.picture for pair in held_back])
    made = simulator(picture, np.random.default_rng(0))
    assert made.shape == (8, 32, 32, 1)
    assert np.array_equal(made, simulator(picture, np.random.default_rng(1)))  # it knows no chance
    # Pictures that are brighter as a whole, and known to be, come out the same.
    brighter = (picture * 0.8 + 90).round().astype(np.uint8)
    again = simulator(brighter, np.random.default_rng(0), Light.of(list(brighter)))
    plain = simulator(picture, np.random.default_rng(0), Light.of(list(picture)))
    assert np.abs(again.astype(int) - plain).mean() < 3


def test_radar_keeps_chance_and_goes_on_after_a_stop(pairs, tmp_path):
    found = train_simulator("sar", pairs, tmp_path, samples=32)
    assert {"looks", "looks_measured", "histogram_distance", "spectrum_distance"} <= set(found)
    with pytest.raises(Text2EarthError, match="unfinished run"):
        train_simulator("sar", pairs, tmp_path, samples=40)
    train_simulator("sar", pairs, tmp_path, samples=40, resume=True)
    simulator, picture = Simulator.load(tmp_path), load_pairs(pairs, "sar", "val")[0].picture[None]
    one, same, other = (simulator(picture, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_looks_are_those_that_were_put_in():
    rng = np.random.default_rng(0)
    flat = [speckled(np.full((128, 128), grey, np.uint8), rng) for grey in (40, 60, 80)]
    assert figures.number_of_looks(flat) == pytest.approx(LOOKS, rel=0.15)
    ground = np.repeat(np.repeat(rng.integers(30, 90, (8, 8), np.uint8), 32, 0), 32, 1)  # fields with borders
    assert figures.number_of_looks([speckled(ground, rng)]) == pytest.approx(LOOKS, rel=0.25)


def test_figures_know_what_is_alike():
    rng = np.random.default_rng(0)
    bands = [rng.integers(0, 100, (64, 64), np.uint8) for _ in range(4)]
    shifted = [band + np.uint8(51) for band in bands]
    assert figures.histogram_distance(bands, bands) == 0
    assert figures.histogram_distance(shifted, bands) == pytest.approx(0.2)
    assert figures.spectrum_distance(bands, bands) == 0
    assert figures.spectrum_distance([cv2.blur(band, (3, 3)) for band in bands], bands) > 0.5
    assert figures.agreement(np.stack(bands), np.stack(bands))["r2"] == 1
    assert figures.vegetation_index(np.array([120], np.uint8), np.array([40], np.uint8))[0] > 0.5
    one, other = (cv2.GaussianBlur(rng.normal(0, 1, (128, 128)), (0, 0), 4) for _ in range(2))
    assert figures.coupling(one, -3 * one) == pytest.approx(1)
    assert abs(figures.coupling(one, other)) < 0.4
    assert figures.vegetation_index(np.array([5], np.uint8), np.array([30], np.uint8))[0] < 0


def test_what_is_missing_or_damaged_is_said(pairs, tmp_path):
    with pytest.raises(Text2EarthError, match="nothing to simulate for 'pan'"):
        train_simulator("pan", pairs, tmp_path, samples=8)
    with pytest.raises(Text2EarthError, match=r"pairs_rgb_nir\.parquet is missing"):
        train_simulator("nir", tmp_path, tmp_path, samples=8)
    with pytest.raises(Text2EarthError, match="with --simulator"):
        find_simulator("nir", None)
    with pytest.raises(Text2EarthError, match="holds no simulator"):
        find_simulator("nir", tmp_path)
    assert find_simulator("pan", None) is None
    (tmp_path / "simulator.json").write_text('{"modality": "uv"}')
    with pytest.raises(Text2EarthError, match="is damaged"):
        find_simulator("nir", tmp_path)
    with pytest.raises(Text2EarthError, match="no pairs of nir for 'test'"):
        load_pairs(pairs, "nir", "test")


def test_smooth_ground_of_a_pond_is_water_and_what_has_texture_is_not():
    rng = np.random.default_rng(0)
    picture = rng.integers(40, 120, (96, 96, 3)).astype(np.uint8)
    picture[20:70, 30:80] = (60, 90, 60)
    wet = still_water(picture)
    assert wet[24:66, 34:76].all()
    assert not wet[:12].any()
    assert not wet[80:].any()
    assert not still_water(picture[:20]).any()
