"""Known ground is remade by degrees: not at all, a little, or anew, and by another degree in every cell."""

from copy import copy
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image

from text2earth_core import Cancelled, Text2Earth, Text2EarthError
from text2earth_core.sampling.differential import _freed, remake
from text2earth_core.sampling.noise import world_noise
from text2earth_core.sampling.settings import Sampling
from text2earth_core.sampling.stepper import Stepper

STEPS = 10
SETTINGS = Sampling(resolution=1.0, steps=STEPS, guidance=2.0)


@pytest.fixture(scope="module")
def model() -> Text2Earth:
    return Text2Earth.from_preset("tiny", seed=0)


@pytest.fixture(scope="module")
def known(model) -> torch.Tensor:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    return model.encode(pixels)


def made(model, known, degree, callback=None):
    noise = world_noise(3, 0, 0, 8, 8)
    return remake(model, "a lake", SETTINGS, known=known, degree=degree, noise=noise, callback=callback)


def with_steps(model: Text2Earth, multistep: bool) -> Text2Earth:
    other = copy(model)
    other.facts = replace(model.facts, multistep=multistep)
    return other


@pytest.mark.parametrize("strength", [0.1, 0.3, 0.5, 0.8])
def test_a_strength_means_about_the_same_noise_on_either_path(model, strength):
    begins = []
    for multistep in (False, True):
        stepper = Stepper(with_steps(model, multistep), ["a lake"], Sampling(resolution=1.0, steps=40))
        first = next(step for step in range(40) if strength * 40 > stepper.left(step + 1))
        begins.append(stepper.amplitudes(first)[1])
    assert begins[0] == pytest.approx(begins[1], abs=0.06)


def test_a_cell_that_was_not_wholly_free_has_no_estimate_to_look_back_at(model, known, monkeypatch):
    seen, step = [], Stepper.step

    def watch(self, number, latents, ground, mask, weights, **options):
        seen.append((mask[0, 0] == 1, options["before"]))
        return step(self, number, latents, ground, mask, weights, **options)

    monkeypatch.setattr(Stepper, "step", watch)
    out = made(model, known, torch.linspace(0.2, 1, 8).repeat(8, 1))
    assert torch.isfinite(out).all()
    for (free, _), (_, before) in pairwise(seen):
        assert torch.equal(torch.isfinite(before[0, 0]), free)


def test_degrees_of_nothing_and_all_are_ordinary_inpainting(model, known):
    degree = torch.zeros(8, 8)
    degree[2:6, 3:8] = 1
    noise = world_noise(3, 0, 0, 8, 8)
    plain = model.denoise("a lake", SETTINGS, known=known, mask=degree, noise=noise)
    torch.testing.assert_close(made(model, known, degree), plain, rtol=1e-4, atol=1e-4)


def test_a_cell_below_one_step_keeps_its_latent_and_others_move_with_their_degree(model, known):
    degree = torch.linspace(0, 1, 8).repeat(8, 1)
    out = made(model, known, degree)
    moved = (out - known).abs().mean((0, 1))
    assert moved[0] == 0
    assert torch.equal(out[:, :, 0], known[:, :, 0])
    assert moved[1:3].mean() < moved[3:5].mean() < moved[6:].mean()


@pytest.mark.parametrize(
    ("multistep", "expected"),
    [(False, ((0.05, 1), (0.5, 5), (0.91, 10), (1.0, 10))), (True, ((0.05, 2), (0.5, 7), (0.91, 10), (1.0, 10)))],
)
def test_less_strength_takes_fewer_steps_and_tells_so(model, known, multistep, expected):
    """Even angles take more steps where little noise is left; the noise that a strength begins with is the same."""
    model = with_steps(model, multistep)
    for strength, steps in expected:
        seen = []
        made(model, known, torch.full((8, 8), strength), lambda step, total, _, seen=seen: seen.append((step, total)))
        assert seen == [(n + 1, steps) for n in range(steps)]


@pytest.mark.parametrize("multistep", [False, True])
def test_a_degree_frees_its_share_of_the_schedule_so_that_near_degrees_end_near(model, multistep):
    stepper = Stepper(with_steps(model, multistep), ["a lake"], Sampling(resolution=1.0, steps=4))
    degree = torch.linspace(0, 1, 101)
    freed = [_freed(degree, stepper, step) for step in range(4)]
    lengths = [stepper.left(step) - stepper.left(step + 1) for step in range(4)]
    spent = sum(share * length for share, length in zip(freed, lengths, strict=True))
    torch.testing.assert_close(spent, 4 * degree, rtol=1e-3, atol=2e-3)
    assert freed[0][-1] == 1


def test_it_can_be_stopped(model, known):
    def stop(*_):
        raise Cancelled

    with pytest.raises(Cancelled):
        made(model, known, torch.full((8, 8), 0.5), stop)


def test_inpainting_a_picture_with_strength_keeps_what_lies_beyond(model):
    pixels = np.random.default_rng(1).integers(0, 256, (72, 80, 3), np.uint8)
    mask = np.zeros((72, 80), np.uint8)
    mask[20:40, 30:60] = 255
    image, hole = Image.fromarray(pixels), Image.fromarray(mask)
    changed = []
    for strength in (0.2, 1.0):
        out = np.asarray(model.inpaint(image, hole, "a lake", 1.0, strength=strength, feather=4, steps=5))
        far = np.ones_like(mask, bool)
        far[15:45, 25:65] = False
        assert np.array_equal(out[far], pixels[far])
        changed.append(model.encode(out[16:40, 32:56]) - model.encode(pixels[16:40, 32:56]))
    assert changed[0][:3].abs().mean() < changed[1][:3].abs().mean()
    with pytest.raises(Text2EarthError, match="strength"):
        model.inpaint(image, hole, "a lake", strength=0)
