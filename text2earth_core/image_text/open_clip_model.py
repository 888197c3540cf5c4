"""Models that OpenCLIP knows by name: `ViT-B-32/laion2b_s34b_b79k`, or `hf-hub:OWNER/NAME`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np
import torch
from PIL import Image

from text2earth_core.device import pick_device
from text2earth_core.errors import Text2EarthError, reason_of

BATCH = 16


def is_open_clip_name(name: str) -> bool:
    """Whether OpenCLIP lists weights under `ARCHITECTURE/TAG`."""
    import open_clip

    return tuple(name.split("/")) in set(open_clip.list_pretrained())


class OpenClipModel:
    """Both towers of a model of OpenCLIP, with its own preprocessing.

    Raises:
        Text2EarthError: the weights are neither here nor to be fetched.
    """

    def __init__(self, name: str, device: str | None = None):
        import open_clip

        self.device = pick_device(device)
        architecture, tag = (name, None) if ":" in name else name.split("/")
        try:
            self.model, self.preprocess = open_clip.create_model_from_pretrained(architecture, pretrained=tag)
            self.tokenizer = open_clip.get_tokenizer(architecture)
        except Exception as error:
            raise Text2EarthError(
                f"The weights of {name} could not be fetched ({reason_of(error)}): check the network."
            ) from None
        self.model.eval().to(self.device)

    @torch.no_grad()
    def embed_images(self, images: Iterable[np.ndarray]) -> np.ndarray:
        """Unit vectors float32 (N, D) of uint8 (H, W, 3) images."""
        remaining, found = iter(images), []
        while part := [self.preprocess(Image.fromarray(image)) for image in islice(remaining, BATCH)]:
            found.append(self.model.encode_image(torch.stack(part).to(self.device), normalize=True).cpu().numpy())
        return np.concatenate(found)

    @torch.no_grad()
    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors float32 (N, D)."""
        found = []
        for start in range(0, len(texts), BATCH):
            tokens = self.tokenizer(list(texts[start : start + BATCH])).to(self.device)
            found.append(self.model.encode_text(tokens, normalize=True).cpu().numpy())
        return np.concatenate(found)
