"""The published measuring networks, Inception-v3 and CLIP, fetched from the hub: figures that others quote as well."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from text2earth_core.errors import Text2EarthError, reason_of

INCEPTION = "inception_v3.tv_in1k"
CLIP = "hf-hub:laion/CLIP-ViT-B-32-laion2B-s34B-b79K"
BATCH = 32


class Inception:
    """Pooled features of Inception-v3 trained on ImageNet (not fine-tuned to the data, unlike in the protocol).

    Raises:
        Text2EarthError: the weights are neither here nor to be fetched.
    """

    name = "Inception-v3 (ImageNet, torchvision's weights), 2048 dimensions"

    def __init__(self) -> None:
        import timm

        try:
            self.network = timm.create_model(INCEPTION, pretrained=True, num_classes=0).eval()
        except Exception as error:
            raise _unreachable(INCEPTION, error) from None
        config = timm.data.resolve_model_data_config(self.network)
        self.side = config["input_size"][-1]
        self.mean, self.std = (torch.tensor(config[key]).reshape(3, 1, 1) for key in ("mean", "std"))

    @torch.no_grad()
    def features(self, images: Iterable[np.ndarray]) -> np.ndarray:
        """float32 (N, 2048) of uint8 (H, W, 3) images."""
        remaining, found = iter(images), []
        while part := list(islice(remaining, BATCH)):
            pixels = torch.from_numpy(np.stack(part)).permute(0, 3, 1, 2).float() / 255
            pixels = F.interpolate(pixels, (self.side, self.side), mode="bilinear", antialias=True)
            found.append(self.network((pixels - self.mean) / self.std).numpy())
        return np.concatenate(found)


class Clip:
    """CLIP ViT-B/32 trained on LAION-2B.

    Raises:
        Text2EarthError: the weights are neither here nor to be fetched.
    """

    name = "CLIP ViT-B/32 (LAION-2B)"

    def __init__(self) -> None:
        import open_clip

        try:
            self.model, self.preprocess = open_clip.create_model_from_pretrained(CLIP)
            self.tokenizer = open_clip.get_tokenizer(CLIP)
        except Exception as error:
            raise _unreachable(CLIP, error) from None
        self.model.eval()

    @torch.no_grad()
    def score(self, images: Sequence[np.ndarray], texts: Sequence[str]) -> float:
        """100 x mean cosine between each image and its text."""
        cosines = []
        for start in range(0, len(images), BATCH):
            part = slice(start, start + BATCH)
            pixels = torch.stack([self.preprocess(Image.fromarray(image)) for image in images[part]])
            seen = self.model.encode_image(pixels, normalize=True)
            said = self.model.encode_text(self.tokenizer(list(texts[part])), normalize=True)
            cosines += (seen * said).sum(1).tolist()
        return float(100 * np.mean(cosines))


def _unreachable(name: str, error: Exception) -> Text2EarthError:
    return Text2EarthError(f"The weights of {name} could not be fetched ({reason_of(error)}): check the network.")
