"""Measures of structure: they see lines and nothing else, and they know a model that knows its images."""

import json

import cv2
import numpy as np
import pytest
import torch

from text2earth_core import Text2Earth
from text2earth_core.data.corpus import load_corpus
from text2earth_core.structure.denoising import SNRS, estimates, held_back_errors, held_back_pictures, hold_back
from text2earth_core.structure.from_noise import from_noise, relative_lines
from text2earth_core.structure.lines import (
    coherence,
    line_likeness,
    random_phases,
    ridge_correlation,
    ridges,
)
from text2earth_core.structure.measures import flat, measure_structure


def streets(seed, side=32):
    """A thumbnail of streets, one cell wide, on noisy ground."""
    rng = np.random.default_rng(seed)
    ground = rng.normal(0, 4, (side, side)).astype(np.float32)
    for _ in range(4):
        a, b = rng.integers(-8, side + 8, (2, 2))
        line = np.zeros((side, side), np.uint8)
        cv2.line(line, [int(v) for v in a], [int(v) for v in b], 1)
        ground += 40 * line
    return ground


def test_coherence_tells_a_line_from_a_speckle():
    stripe = np.zeros((32, 32), np.float32)
    stripe[:, 16] = 1
    assert coherence(stripe) > 0.95
    assert coherence(np.random.default_rng(0).standard_normal((32, 32))) < 0.5
    assert coherence(np.zeros((32, 32))) == 0


def test_lines_are_more_than_their_spectrum():
    real = [streets(seed) for seed in range(12)]
    rng = np.random.default_rng(1)
    without = [random_phases(luma, rng) for luma in real]
    assert line_likeness(real) > 1.2
    assert line_likeness(without) == pytest.approx(1, abs=0.08)
    assert relative_lines(real, real) == pytest.approx(1)
    assert relative_lines(without, real) < 0.35


def test_random_phases_keep_the_spectrum_and_the_mean():
    luma = streets(0)
    other = random_phases(luma, np.random.default_rng(0))
    assert other.std() == pytest.approx(luma.std(), rel=0.4)
    assert abs(ridge_correlation(luma, other)) < 0.3


def test_ridges_are_bright_lines_and_dark_ones():
    line = np.zeros((16, 16), np.float32)
    line[8] = 1
    assert ridges(line)[8, 8] > 0
    assert ridges(-line)[8, 8] < 0
    np.testing.assert_allclose(ridges(line).T, ridges(line.T), atol=1e-5)


def test_the_same_lines_correlate_and_others_do_not():
    a, b = streets(0), streets(1)
    assert ridge_correlation(a, 2 * a + 5) == pytest.approx(1, abs=1e-6)
    assert abs(ridge_correlation(a, b)) < 0.3
    noise = np.random.default_rng(2).normal(0, a.std(), a.shape)
    assert ridge_correlation(a, a + noise / 2) > ridge_correlation(a, a + 2 * noise) + 0.1


@pytest.fixture(scope="module")
def tiny_and_held(few_images):
    model = Text2Earth.from_preset("tiny")
    return model, hold_back(model, load_corpus(few_images, "val", ["rsicd"])[:4], 64)


def test_errors_are_those_of_the_estimates(tiny_and_held):
    model, held = tiny_and_held
    found = held_back_errors(model, held)
    assert list(found) == [f"{snr:g}" for snr in SNRS]
    wrong = (estimates(model, held, 1.0) - held.clean).square().mean((0, 2, 3)) / held.clean.var((0, 2, 3))
    assert found["1"]["channels"] == pytest.approx(wrong.tolist())
    assert found["1"]["linear"][0] < 0.5  # an untrained network knows less than a linear filter
    assert found["1"]["channels"][0] > found["1"]["linear"][0]
    assert held_back_errors(model, held) == found  # the same noise each time


def test_a_model_that_knows_the_images_makes_no_error(tiny_and_held, monkeypatch):
    model, held = tiny_and_held

    def oracle(_, noisy, timestep, held_, truth=held.clean):
        angle = torch.arccos(model.scheduler.alphas_cumprod.double().sqrt())
        at = float(np.interp(timestep, np.arange(len(angle)), angle))
        noise = (noisy - np.cos(at) * truth) / np.sin(at)
        return (np.cos(at) * noise - np.sin(at) * truth).float()

    for module in ("denoising", "from_noise"):
        monkeypatch.setattr(f"text2earth_core.structure.{module}.predict", oracle)
    for snr, errors in held_back_errors(model, held).items():
        assert max(errors["channels"]) < 1e-4, snr
        assert max(errors["bands"]) < 1e-3, snr
    assert all(returned["kept"] > 0.99 for returned in from_noise(model, held)[0].values())


def test_figures_of_a_run_have_one_name_each(tiny_and_held):
    model, held = tiny_and_held
    found, thumbnails = measure_structure(model, held, 2)
    figures = flat(found)
    assert figures["error_y_snr_3"] == found["errors"]["3"]["channels"][0]
    assert {"drawn_lines", "kept_snr_0.2", "lines_snr_1", "error_y_band_0_snr_100"} <= set(figures)
    assert [picture.shape for picture in thumbnails] == [(32, 32, 3)] * 8
    assert all(isinstance(value, float) for value in json.loads(json.dumps(figures)).values())


def test_pictures_are_held_back_ones_of_all_kinds(few_images, tmp_path):
    found = held_back_pictures(few_images, 64, 4)
    assert len({picture.label for picture in found}) == 4
    assert held_back_pictures(few_images, 256, 4) == []
    (tmp_path / "empty").mkdir()
    assert held_back_pictures(tmp_path / "empty", 64, 4) == []
