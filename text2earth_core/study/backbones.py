"""The classifiers of the paper's Table V, from torchvision: as they are, or small ones of the same kinds for a CPU."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import nn
from torchvision import models
from torchvision.models.resnet import BasicBlock
from torchvision.models.vgg import make_layers

NAMES = {"VGG-19": "vgg19", "ResNet-18": "resnet18", "ViT-B/16": "vit_b_16", "Swin-S": "swin_s"}
"""Name in the paper, and torchvision's."""


def build(name: str, classes: int, side: int, small: bool, pretrained: bool) -> tuple[nn.Module, bool]:
    """A classifier of pixels (B, 3, side, side), and whether its weights were trained on ImageNet.

    Args:
        name: of `NAMES`. small: a network of the same kind with under a million parameters. pretrained: fetch weights;
            where they cannot be had it begins from scratch.
    """
    if small:
        return _SMALL[name](classes, side), False
    if pretrained:
        try:
            return _headed(models.get_model(NAMES[name], weights="DEFAULT"), classes), True
        except (
            Exception
        ):  # no network, a full disk, a file that is not what it should be: all of them mean from scratch
            pass
    return models.get_model(NAMES[name], num_classes=classes), False


def _headed(network: nn.Module, classes: int) -> nn.Module:
    """The same network with a new last layer, for other classes."""
    name, last = [(name, part) for name, part in network.named_modules() if isinstance(part, nn.Linear)][-1]
    place, _, attribute = name.rpartition(".")
    setattr(network.get_submodule(place), attribute, nn.Linear(last.in_features, classes))
    return network


def _vgg(classes: int, side: int) -> nn.Module:
    network = models.VGG(
        make_layers([16, "M", 32, "M", 64, 64, "M", 128, 128, "M"], batch_norm=True), init_weights=True
    )
    network.avgpool = nn.AdaptiveAvgPool2d(2)
    network.classifier = nn.Sequential(nn.Linear(128 * 4, 256), nn.ReLU(), nn.Dropout(), nn.Linear(256, classes))
    return network


def _resnet(classes: int, side: int) -> nn.Module:
    network = models.ResNet(BasicBlock, [1, 1, 1, 1], num_classes=classes, width_per_group=64)
    network.inplanes = 32
    parts = [(32, 1), (48, 2), (96, 2), (128, 2)]
    for number, (width, stride) in enumerate(parts, 1):
        setattr(network, f"layer{number}", network._make_layer(BasicBlock, width, 1, stride))
    network.conv1, network.bn1 = nn.Conv2d(3, 32, 5, 2, 2, bias=False), nn.BatchNorm2d(32)
    network.fc = nn.Linear(128, classes)
    return network


def _vit(classes: int, side: int) -> nn.Module:
    return models.VisionTransformer(side, 8, 4, 4, 128, 256, num_classes=classes)


def _swin(classes: int, side: int) -> nn.Module:
    norm = partial(nn.LayerNorm, eps=1e-5)
    return models.SwinTransformer([4, 4], 48, [2, 2], [3, 6], [4, 4], 2.0, num_classes=classes, norm_layer=norm)


_SMALL: dict[str, Callable[[int, int], nn.Module]] = {
    "VGG-19": _vgg,
    "ResNet-18": _resnet,
    "ViT-B/16": _vit,
    "Swin-S": _swin,
}
