"""Single bands pass through a decoder's and an encoder's colours without drift."""

import numpy as np
import pytest
import torch

from text2earth_core import Text2Earth, Text2EarthError
from text2earth_core.modalities import ADAPTED, MODALITIES, get_modality
from text2earth_core.networks import thumbnail_vae


def random_pixels(channels):
    return np.random.default_rng(0).integers(0, 256, (64, 64, channels), np.uint8)


@pytest.mark.parametrize("name", MODALITIES)
def test_bands_come_back_bit_for_bit(name):
    modality = get_modality(name)
    bands = random_pixels(modality.channels)
    rgb = modality.to_rgb(bands)
    assert rgb.shape == (64, 64, 3)
    assert np.array_equal(modality.to_bands(rgb), bands)


def test_a_single_band_is_the_luma_of_what_was_decoded():
    rgb = random_pixels(3)
    luma = get_modality("pan").to_bands(rgb)[..., 0]
    assert np.abs(luma - rgb @ np.array([0.299, 0.587, 0.114])).max() < 0.5 + 1e-9


def test_a_single_band_has_a_colourless_thumbnail_of_its_own_means():
    """A latent's thumbnail of replicated grey: Y is the mean of each cell, Cb and Cr are none."""
    model = Text2Earth.from_preset("tiny")
    grey = random_pixels(1)
    latents = model.encode(get_modality("nir").to_rgb(grey))
    colours = thumbnail_vae.thumbnail(model.codec.vae, latents[None])[0]
    means = torch.from_numpy(grey[..., 0].reshape(8, 8, 8, 8).mean((1, 3)) / 255)
    assert (colours - means).abs().max() < 1e-5


def test_all_but_rgb_need_an_adapter_and_have_one_band():
    assert set(ADAPTED) == {"pan", "nir", "sar"}
    assert all(get_modality(name).channels == 1 for name in ADAPTED)


def test_an_unknown_modality_is_refused_in_one_sentence():
    with pytest.raises(Text2EarthError, match="There is no modality 'uv': use rgb, pan, nir, sar"):
        get_modality("uv")
