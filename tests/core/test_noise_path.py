"""The ways from noise to clean latents: what stock schedulers do, and what is left of fine texture at their end."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler

from text2earth_core.networks.build import build_scheduler
from text2earth_core.sampling.path import NoisePath, even_path, scheduler_path


def walk(path: NoisePath, network, latents, second_order=False):
    before = None
    for step, t in enumerate(path.timesteps):
        estimate = path.clean(network(latents, t), latents, step)
        latents = path.advance(latents, estimate, step, step + 1, before)
        before = estimate if second_order else None
    return latents


def stock_walk(scheduler, latents):
    for t in scheduler.timesteps:
        latents = scheduler.step(network(latents, float(t)), t, latents).prev_sample
    return latents


def network(latents, t):
    """Any smooth function of both."""
    return torch.tanh(latents * (1 + t / 1000)) * 0.7 - 0.2


@pytest.mark.parametrize("prediction", ["v_prediction", "epsilon", "sample"])
def test_without_a_look_back_it_is_stock_ddim(prediction):
    noise = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    stock = DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", prediction_type=prediction,
        clip_sample=False, set_alpha_to_one=False, steps_offset=1,
    )  # fmt: skip
    stock.set_timesteps(7)
    theirs = stock_walk(stock, noise)
    torch.testing.assert_close(walk(scheduler_path(stock, 7), network, noise), theirs, rtol=1e-5, atol=1e-5)


def test_the_paths_of_models_that_look_back_at_nothing_are_stock_ddim():
    noise = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    for steps in (4, 20):
        stock = build_scheduler()
        stock.set_timesteps(steps)
        theirs = stock_walk(stock, noise)
        torch.testing.assert_close(walk(scheduler_path(stock, steps), network, noise), theirs, rtol=1e-4, atol=1e-4)


def test_what_had_no_estimate_before_steps_as_ddim_does():
    path, generator = even_path(build_scheduler(), 20), torch.Generator().manual_seed(0)
    noisy, estimate, before = torch.randn(3, 1, 4, 8, 8, generator=generator)
    before[..., 4:] = torch.nan
    both, ddim, whole = (path.advance(noisy, estimate, 9, 10, past) for past in (before, None, before.nan_to_num(0)))
    assert torch.equal(both[..., 4:], ddim[..., 4:])
    assert torch.equal(both[..., :4], whole[..., :4])
    assert not torch.equal(both[..., :4], ddim[..., :4])


def test_with_a_look_back_it_is_stock_dpm_solver():
    noise = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    config = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
    timesteps = [999, 850, 640, 430, 250, 90, 20]
    stock = DPMSolverMultistepScheduler(
        **config, prediction_type="v_prediction", solver_order=2, final_sigmas_type="zero", lower_order_final=False
    )
    stock.set_timesteps(timesteps=timesteps)
    theirs = stock_walk(stock, noise)
    cumulative = np.append(DDIMScheduler(**config).alphas_cumprod[timesteps].double().numpy(), 1.0)
    path = NoisePath(
        tuple(cumulative**0.5), tuple((1 - cumulative) ** 0.5), tuple(map(float, timesteps)), (), "v_prediction"
    )
    torch.testing.assert_close(walk(path, network, noise, True), theirs, rtol=1e-5, atol=1e-5)


def test_angles_fall_evenly_from_pure_noise_to_none():
    path = even_path(build_scheduler(), 20)
    angles = np.arctan2(path.noise, path.signal)
    assert angles[0] == pytest.approx(np.pi / 2)
    assert (path.signal[-1], path.noise[-1]) == (1, 0)
    assert np.ptp(np.diff(angles)) < 1e-6
    known = build_scheduler().alphas_cumprod.double().sqrt().numpy()
    np.testing.assert_allclose(np.interp(path.timesteps, range(1000), known), path.signal[:-1], atol=2e-3)
    # A student's jumps begin and end where its teacher's steps do.
    np.testing.assert_allclose(even_path(build_scheduler(), 4).timesteps, path.timesteps[::5])


@pytest.mark.parametrize("steps", [1, 2, 200])
def test_any_number_of_steps_has_a_path(steps):
    path = even_path(build_scheduler(), steps)
    made = walk(path, lambda latents, t: latents * 0, torch.randn(1, 4, 8, 8), True)
    assert torch.isfinite(made).all()
    assert list(path.timesteps) == sorted(path.timesteps, reverse=True)


def test_the_origin_of_a_jump_leads_where_it_landed():
    path = even_path(build_scheduler(), 20)
    noisy, estimate = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    for first, last in ((0, 5), (5, 10), (15, 20)):
        landed = path.advance(noisy, estimate, first, last)
        torch.testing.assert_close(path.origin(noisy, landed, first, last), estimate, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("variance", "ddim"), [(0.04, 0.40), (0.2, 0.71), (1.0, 0.85)])
def test_texture_survives_even_angles_and_a_look_back(variance, ddim):
    """Of Gaussian data, whose best estimate is known, 20 steps should keep the spread: a forest's has 0.04."""

    def kept(path, second_order):
        def best(latents, t):  # the v of the posterior's mean
            step = path.timesteps.index(t)
            a, s = path.signal[step], path.noise[step]
            mean = a * variance / (a * a * variance + s * s) * latents
            return (a * latents - mean) / s

        noise = torch.randn(20_000, generator=torch.Generator().manual_seed(0))
        return walk(path, best, noise, second_order).var().item() / noise.var().item() / variance

    scheduler = build_scheduler()
    assert 0.87 < kept(even_path(scheduler, 20), True) < 1.02
    assert kept(scheduler_path(scheduler, 20), False) == pytest.approx(ddim, abs=0.01)


def test_keeping_a_little_noise_makes_up_for_a_network_that_says_too_little():
    """Gaussian data of variance 0.3, and estimates that are 4 % too small."""

    def spread(kept):
        path = replace(even_path(build_scheduler(), 20), kept=kept)

        def timid(latents, t):
            step = path.timesteps.index(t)
            a, s = path.signal[step], path.noise[step]
            mean = 0.96 * a * 0.3 / (a * a * 0.3 + s * s) * latents
            return (a * latents - mean) / s

        noise = torch.randn(20_000, generator=torch.Generator().manual_seed(0))
        return (walk(path, timid, noise, True).var() / noise.var() / 0.3).item()

    assert spread(0.0) == pytest.approx(0.80, abs=0.01)
    assert spread(0.015) == pytest.approx(0.84, abs=0.01)
    assert spread(0.06) == pytest.approx(0.96, abs=0.01)
