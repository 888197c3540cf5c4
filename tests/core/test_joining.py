"""Joining estimates to known latents: what is known stays, and no step is left beside it."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from text2earth_core.sampling.joining import MARGIN, join, told_mask


def half(side: int = 32, at: int = 12) -> torch.Tensor:
    mask = torch.ones(1, 1, side, side)
    mask[..., :at] = 0
    return mask


def test_an_offset_of_the_estimate_fades_from_the_border_into_new_ground():
    known, estimate = torch.full((1, 4, 32, 32), 1.0), torch.zeros(1, 4, 32, 32)
    joined = join(estimate, known, half())
    profile = joined[0, 0].mean(0)
    assert torch.equal(joined[..., :12], known[..., :12])
    assert profile[12] > 0.85  # no step beside known ground
    assert (profile[12:].diff() <= 1e-6).all()
    assert profile[12:].diff().min() > -0.2  # nor one further in
    assert profile[30] < 0.01  # and what is far away is the network's own


def test_an_estimate_that_agrees_with_what_is_known_is_not_touched():
    latents = torch.randn(2, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    assert torch.equal(join(latents, latents, half(16, 5).expand(2, -1, -1, -1)), latents)


def test_without_anything_known_the_estimate_stays():
    estimate = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(1))
    assert torch.equal(join(estimate, torch.zeros_like(estimate), torch.ones(1, 1, 16, 16)), estimate)


@given(st.integers(0, 2**32 - 1))
def test_known_latents_stay_bit_for_bit_under_any_mask(seed):
    noise = torch.Generator().manual_seed(seed)
    known, estimate = torch.randn(2, 1, 4, 16, 16, generator=noise)
    mask = (torch.rand(1, 1, 16, 16, generator=noise) < 0.3).float()
    joined = join(estimate, known.where(mask < 0.5, torch.tensor(1e4)), mask)
    assert torch.equal(joined.where(mask < 0.5, known), known)
    assert joined.abs().max() < 100  # what stands where the mask is 1 is never read


def test_the_network_is_not_shown_the_ground_beside_the_mask():
    told = told_mask(half())
    assert told[..., : 12 - MARGIN].sum() == 0
    assert told[..., 12 - MARGIN :].all()
