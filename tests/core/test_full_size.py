"""The official sizes: counted without weights, and at half the width saved in shards, loaded, asked and trained."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from text2earth_core.folder import load_unet, save_part
from text2earth_core.networks.build import build_official_vae, build_text_encoder, build_unet
from text2earth_core.networks.presets import get_preset
from text2earth_core.networks.tokens import train_tokenizer

OFFICIAL = get_preset("text2earth")


def millions(network):
    return sum(parameter.numel() for parameter in network.parameters()) / 1e6


def test_the_official_preset_has_the_official_counts():
    tokenizer = train_tokenizer(["a river"], OFFICIAL.tokens)
    with torch.device("meta"):
        unet, four = build_unet(OFFICIAL), build_unet(OFFICIAL, channels_in=4)
        text, vae = build_text_encoder(OFFICIAL, tokenizer), build_official_vae()
    assert millions(unet) == pytest.approx(868, abs=0.6)
    assert round((millions(unet) - millions(four)) * 1e6) == 5 * 9 * 320
    assert millions(text) == pytest.approx(340, abs=0.6)
    assert millions(vae) == pytest.approx(84, abs=0.6)
    assert vae.config.scaling_factor == 0.18215


def test_half_of_its_width_is_saved_in_shards_and_trained_with_checkpointing(tmp_path):
    """Checkpointing changes no gradient, and shards change no weight."""
    half = replace(OFFICIAL, channels=(160, 320, 640, 640), layers=1, text_width=512)
    torch.manual_seed(0)
    unet = build_unet(half)
    save_part(unet, tmp_path / "unet", max_shard_size="200MB")
    assert len(list((tmp_path / "unet").glob("*-of-*.safetensors"))) > 1
    again = load_unet(tmp_path)
    assert all(torch.equal(one, other) for one, other in zip(unet.parameters(), again.parameters(), strict=True))
    inputs = torch.randn(1, 9, 16, 16), torch.tensor(300), torch.randn(1, 77, 512)
    target, gradients = torch.randn(1, 4, 16, 16), []
    for network, checkpointing in ((unet, False), (again, True)):
        if checkpointing:
            network.enable_gradient_checkpointing()
        F.mse_loss(network.train()(*inputs, class_labels=torch.tensor([17.0])).sample, target).backward()
        gradients.append(network.conv_in.weight.grad)
    assert gradients[0].abs().max() > 0
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-7)
