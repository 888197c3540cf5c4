"""Noise levels of training: the stated distribution is drawn, the network is told the level it gets, shares add up."""

import math

import pytest
import torch

from text2earth_core.networks.build import build_scheduler
from text2earth_core.sampling.angles import angles_of, timesteps_at
from text2earth_core.training.noise_levels import EDGES, LossShares, NoiseLevels


@pytest.fixture(scope="module")
def known():
    return angles_of(build_scheduler().alphas_cumprod)


@pytest.mark.parametrize("mean", [-0.4, -1.04])
def test_the_stated_distribution_is_drawn(known, mean):
    angles = NoiseLevels(mean, 1.2, anywhere=0).draw(40_000, known, torch.Generator().manual_seed(0))
    logarithms = torch.log(torch.tan(angles.double()))
    assert logarithms.median() == pytest.approx(mean, abs=0.03)
    assert logarithms.std() == pytest.approx(1.2, abs=0.05)


def test_a_share_reaches_pure_noise(known):
    generator = torch.Generator().manual_seed(0)
    rare = NoiseLevels(-2.0, 0.2, anywhere=0.25).draw(40_000, known, generator) > math.atan(10)
    angle = (math.pi / 2 - math.atan(10)) / (math.pi / 2)
    assert rare.float().mean() == pytest.approx(0.25 * angle, rel=0.1)


def test_the_network_is_told_the_level_that_it_gets(known):
    scheduler = build_scheduler()
    for step in (0, 1, 500, 998, 999):
        assert timesteps_at(known[step : step + 1], known) == pytest.approx(step, abs=1e-2)
    half = (known[300] + known[301]) / 2
    assert timesteps_at(half[None], known).item() == pytest.approx(300.5, abs=1e-2)
    signal = scheduler.alphas_cumprod[300].sqrt()
    assert torch.cos(known[300]) == pytest.approx(signal.item(), abs=1e-5)


def test_levels_stay_within_the_schedule(known):
    angles = NoiseLevels(0.0, 8.0).draw(2_000, known)
    assert angles.min() >= known[0]
    assert angles.max() <= known[-1]
    steps = timesteps_at(angles, known)
    assert steps.min() >= 0
    assert steps.max() <= 999


def test_shares_say_where_the_loss_comes_from():
    shares = LossShares()
    ratios = torch.tensor([0.001, 1.0, 1.0, 1e6])
    shares.add(torch.atan(ratios**-0.5), torch.tensor([1.0, 2.0, 3.0, 4.0]))
    named = shares.named()
    assert len(named) == len(EDGES) + 1
    assert sum(named.values()) == pytest.approx(1)
    assert named["share_snr_below_0.01"] == pytest.approx(0.1)
    assert named["share_snr_0.5_to_2"] == pytest.approx(0.5)
    assert named["share_snr_above_128"] == pytest.approx(0.4)
