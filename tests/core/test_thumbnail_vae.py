"""The latent holds an exact thumbnail, cells do not know their neighbours, and parts decode as the whole does."""

import numpy as np
import pytest
import torch
from diffusers import AutoencoderTiny
from torch.nn import functional as F

from text2earth_core import Text2Earth
from text2earth_core.networks.thumbnail_vae import (
    HALO,
    build_thumbnail_vae,
    decode,
    encode,
    into_range,
    keep_thumbnail_fixed,
    project,
    thumbnail,
)


@pytest.fixture
def vae():
    return build_thumbnail_vae(16, torch.tensor([0.4, 0.0, 0.0]), torch.tensor([0.2, 0.03, 0.03]))


@pytest.fixture
def picture():
    return torch.rand(2, 3, 128, 96, generator=torch.Generator().manual_seed(1))


def test_three_channels_are_the_exact_cell_means(vae, picture):
    latents = vae.encode(picture * 2 - 1).latents
    assert (thumbnail(vae, latents) - F.avg_pool2d(picture, 8)).abs().max() < 1e-5


def test_a_cell_depends_on_its_own_pixels_alone(vae, picture):
    changed = picture.clone()
    changed[:, :, 40:48, 16:24] = 0
    difference = (vae.encode(changed * 2 - 1).latents - vae.encode(picture * 2 - 1).latents).abs().sum((0, 1))
    assert difference.nonzero().tolist() == [[5, 2]]


def test_training_cannot_touch_thumbnail_or_patch_structure(vae, picture):
    keep_thumbnail_fixed(vae)
    optimizer = torch.optim.AdamW(vae.encoder.parameters(), lr=0.1, weight_decay=0.0)
    before = vae.encode(picture * 2 - 1).latents.detach()
    for _ in range(3):
        vae.encode(picture * 2 - 1).latents.square().sum().backward()
        optimizer.step()
    after = vae.encode(picture * 2 - 1).latents.detach()
    assert torch.equal(before[:, :3], after[:, :3])
    assert not torch.allclose(before[:, 3], after[:, 3])
    test_a_cell_depends_on_its_own_pixels_alone(vae, picture)


def test_the_fast_encoder_equals_the_stock_one(vae, picture):
    assert (encode(vae, picture) - vae.encode(picture * 2 - 1).latents).abs().max() < 1e-5


def test_the_folded_decoder_equals_the_stock_one_inside(vae, picture):
    latents = vae.encode(picture * 2 - 1).latents
    stock = AutoencoderTiny.from_config(vae.config)
    stock.load_state_dict(vae.state_dict())
    theirs = stock.decode(latents).sample / 2 + 0.5
    inner = (..., slice(8 * 6, -8 * 6), slice(8 * 4, -8 * 4))
    assert (decode(vae, latents)[inner] - theirs[inner]).abs().max() < 1e-5


def test_projection_puts_cell_means_back(picture):
    means = torch.rand(2, 3, 16, 12)
    assert (F.avg_pool2d(project(picture, means), 8) - means).abs().max() < 1e-6


def test_a_part_with_its_halo_decodes_as_the_whole():
    model = Text2Earth.from_preset("tiny")
    latents = torch.randn(4, 40, 48, generator=torch.Generator().manual_seed(2))
    whole = model.decode(latents)
    part = model.decode(latents[:, 4:30, 6:38])
    halo = HALO * 8
    assert np.array_equal(
        part[halo:-halo, halo:-halo], whole[4 * 8 + halo : 30 * 8 - halo, 6 * 8 + halo : 38 * 8 - halo]
    )


def test_decoding_again_and_again_keeps_the_colours():
    model = Text2Earth.from_preset("tiny")
    colours = np.random.default_rng(0).integers(60, 200, (8, 8, 3))
    pixels = np.kron(colours, np.ones((8, 8, 1))).astype(np.uint8)
    for _ in range(30):
        pixels = model.decode(model.encode(pixels))
    assert np.abs(pixels.reshape(8, 8, 8, 8, 3).mean((1, 3)) - colours).max() <= 1


def test_bright_and_dark_cells_keep_their_colour():
    generator = torch.Generator().manual_seed(0)
    means = torch.rand(2, 3, 4, 4, generator=generator)
    wild = means.repeat_interleave(8, 2).repeat_interleave(8, 3) + torch.randn(2, 3, 32, 32, generator=generator)
    brought = into_range(project(wild, means), means)
    assert brought.min() >= -1e-5
    assert brought.max() <= 1 + 1e-5
    torch.testing.assert_close(F.avg_pool2d(brought, 8), means, rtol=0, atol=1e-5)
    calm = means.repeat_interleave(8, 2).repeat_interleave(8, 3).clamp(0.2, 0.8)
    torch.testing.assert_close(into_range(calm, means.clamp(0.2, 0.8)), calm, rtol=0, atol=1e-6)
