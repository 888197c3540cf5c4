"""The text and image towers' common space: an image tower, and a projection of the text encoder's states."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import CLIPTextModel, CLIPTokenizer

from text2earth_core.networks.residual import residual_body

WIDTH = 128
"""Dimensions of the space in which images and texts meet."""

TRAIN_SIDE, TEST_SIDE = 64, 80
"""Pixels along the side of what the image tower sees: crops in training, whole images afterwards.

Crops enlarge what they show, so the larger test size gives objects the size they were learned at (Touvron et al. 2019).
"""


class ImageEncoder(nn.Module):
    """A small residual network: pixels (B, 3, h, w) in [0, 1] to embeddings (B, out)."""

    def __init__(self, out: int, width: int = 24):
        super().__init__()
        self.body = residual_body(width)
        self.head = nn.Linear(8 * width, out)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.head(self.body((pixels - 0.4) / 0.2).mean((2, 3)))


class Towers(nn.Module):
    """The image tower and the text projection, with the temperature and bias of the sigmoid loss.

    The text encoder is not part of it: the diffusion model is trained on that encoder's states, so it may have to stay
    as it is while the towers go on learning.

    Args:
        states: dimensions of `text_states`. width: of the common space. hidden: of the text projection.
    """

    def __init__(self, states: int, width: int = WIDTH, hidden: int = 256):
        super().__init__()
        self.sizes = {"states": states, "width": width, "hidden": hidden}
        self.image = ImageEncoder(width)
        self.project = nn.Sequential(
            nn.LayerNorm(states), nn.Linear(states, hidden), nn.GELU(), nn.Linear(hidden, width)
        )
        self.scale, self.bias = nn.Parameter(torch.tensor(10.0).log()), nn.Parameter(torch.tensor(-5.0))

    def embed_text(self, states: Tensor) -> Tensor:
        """Unit vectors (B, width) of `text_states` (B, states)."""
        return F.normalize(self.project(states).float(), dim=-1)

    def embed_image(self, pixels: Tensor) -> Tensor:
        """Unit vectors (B, width) of uint8 pixels (B, h, w, 3)."""
        return F.normalize(self.image(pixels.permute(0, 3, 1, 2).float() / 255).float(), dim=-1)


def text_states(encoder: CLIPTextModel, ids: Tensor) -> Tensor:
    """What the text projection reads: the state at the end mark beside the mean over the text, (B, 2 x hidden size).

    Args:
        ids: (B, tokens), padded with end marks.
    """
    found = encoder(ids)
    # The first end mark belongs to the text, those after it are padding.
    counts = ((ids == encoder.config.eos_token_id).cumsum(1) <= 1).float()[..., None]
    mean = (found.last_hidden_state * counts).sum(1) / counts.sum(1)
    return torch.cat([found.pooler_output, mean], 1).float()


def tokens(tokenizer: CLIPTokenizer, texts: Sequence[str]) -> Tensor:
    """Token ids (B, tokens), padded to the longest text, cut to the encoder's length."""
    return tokenizer(list(texts), padding="longest", truncation=True, return_tensors="pt").input_ids
