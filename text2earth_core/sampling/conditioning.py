"""What the UNet is told: text, resolution level, and the known part of a window.

Training and sampling share this module, so that a condition means the same in both.
"""

import math
from collections import OrderedDict
from collections.abc import Sequence

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from text2earth_core.sampling.control import Beside
from text2earth_core.sampling.settings import check

NULL_LEVEL = 0.0
"""The level that stands for "resolution unknown"."""


def level_of(resolution: float | None) -> float:
    """Google level of a ground resolution: 17 - log2(m/px), continuous; None gives the null level.

    Raises:
        Text2EarthError: the resolution is not a positive number of metres per pixel within reason.
    """
    if resolution is None:
        return NULL_LEVEL
    check("resolution", resolution)
    return 17 - math.log2(resolution)


class TextConditioner:
    """Turns prompts into embeddings (B, tokens, width) with a frozen text tower, and remembers the latest ones."""

    def __init__(self, tokenizer: CLIPTokenizer, encoder: CLIPTextModel, remembered: int = 256):
        self.tokenizer, self.encoder, self.remembered = tokenizer, encoder, remembered
        self._cache: OrderedDict[str, Tensor] = OrderedDict()

    def tokens(self, texts: Sequence[str]) -> Tensor:
        """Token ids (B, tokens), padded and cut to the tower's length."""
        length = min(self.tokenizer.model_max_length, self.encoder.config.max_position_embeddings)
        options = {"padding": "max_length", "truncation": True, "max_length": length, "return_tensors": "pt"}
        return self.tokenizer(list(texts), **options).input_ids

    @torch.no_grad()
    def embed(self, texts: Sequence[str]) -> Tensor:
        """Embeddings (B, tokens, width) on the tower's device."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._cache]
        # One text at a time: a row's value must not depend on what else was asked for together with it.
        for text in missing:
            self._cache[text] = self.encoder(self.tokens([text]).to(self.encoder.device)).last_hidden_state[0].float()
        for text in texts:
            self._cache.move_to_end(text)
        embeddings = torch.stack([self._cache[text] for text in texts])
        while len(self._cache) > self.remembered:
            self._cache.popitem(last=False)
        return embeddings

    @torch.no_grad()
    def remember(self, texts: Sequence[str], batch: int = 256) -> None:
        """Embed many texts together, for training: much faster, but a row's last bits may differ from `embed`'s."""
        for start in range(0, len(texts), batch):
            part = list(texts[start : start + batch])
            states = self.encoder(self.tokens(part).to(self.encoder.device)).last_hidden_state.float()
            self._cache.update(zip(part, states.unbind(), strict=True))


def drop_conditions(
    embeddings: Tensor, null: Tensor, levels: Tensor, probability: float = 0.1
) -> tuple[Tensor, Tensor]:
    """Dynamic condition adaptation while training (paper, Algorithm 1).

    Text and level are dropped independently, so that the model learns all four combinations.

    Args:
        embeddings: (B, tokens, width). null: (tokens, width), the embedding of the empty prompt. levels: (B,).
    """
    without_text = torch.rand(len(embeddings), 1, 1, device=embeddings.device) < probability
    without_level = torch.rand(len(levels), device=levels.device) < probability
    return torch.where(without_text, null, embeddings), torch.where(without_level, NULL_LEVEL, levels)


def guide(unconditional: Tensor, conditional: Tensor, scale: float) -> Tensor:
    """Classifier-free guidance (paper, Algorithm 2): e_u + s (e_c - e_u), with s = 1 + omega; s = 1 means none."""
    return unconditional + scale * (conditional - unconditional)


def predict_guided(
    unet: UNet2DConditionModel,
    inputs: Tensor,
    t: Tensor,
    embeddings: Tensor,
    levels: Tensor,
    null: Tensor,
    scale: float,
    beside: Beside | None = None,
) -> Tensor:
    """The guided prediction (paper, Algorithm 2), float32 (B, 4, h, w), of both halves in one pass.

    Args:
        inputs: (B, 9 or 4, h, w). embeddings: (B, tokens, width). levels: (B,). null: the embedding of the empty or of
            the negative prompt, (1, tokens, width). scale: s; at 1 the unconditional half is not asked. beside: a
            control; both halves hear it, for guidance is about the text.
    """
    inputs, embeddings = inputs.to(unet.dtype), embeddings.to(unet.dtype)
    if scale == 1:
        return _predict(unet, inputs, t, embeddings, levels, beside)
    both = torch.cat([null.to(embeddings).expand_as(embeddings), embeddings])
    both_levels = torch.cat([torch.full_like(levels, NULL_LEVEL), levels])
    output = _predict(unet, torch.cat([inputs, inputs]), t, both, both_levels, beside)
    unconditional, conditional = output.chunk(2)
    return guide(unconditional, conditional, scale)


def _predict(
    unet: UNet2DConditionModel, inputs: Tensor, t: Tensor, embeddings: Tensor, levels: Tensor, beside: Beside | None
) -> Tensor:
    if beside is None:
        return unet(inputs, t, embeddings, class_labels=levels).sample.float()
    skips, middle = beside(inputs, t, embeddings, levels)
    return unet(
        inputs, t, embeddings, class_labels=levels, down_block_additional_residuals=skips,
        mid_block_additional_residual=middle,
    ).sample.float()  # fmt: skip


def guidance_at(step: int, steps: int, scale: float, rise: float) -> float:
    """The guidance scale s of step `step` (from 0) of `steps`, whose mean over all steps is `scale`.

    Omega rises linearly from (1 - rise) to (1 + rise) of its mean. Strong guidance at high noise makes all images of a
    prompt alike, and where details are drawn it is what keeps them to the prompt (Wang et al. 2024, "Analysis of
    Classifier-Free Guidance Weight Schedulers").
    """
    way = 2 * step / (steps - 1) - 1 if steps > 1 else 0.0
    return 1 + (scale - 1) * (1 + rise * way)


def inpainting_input(latents: Tensor, mask: Tensor, masked_latents: Tensor) -> Tensor:
    """The 9 channels of the inpainting UNet: noisy latents 4, mask 1 (1 = regenerate), masked-image latents 4."""
    return torch.cat([latents, mask, masked_latents], dim=1)


def masked_latents(known: Tensor, mask: Tensor, grey: Tensor) -> Tensor:
    """Latents of the window with its unknown part painted grey: (1 - m) z + m encode(0).

    Args:
        known: (B, 4, h, w), any finite value where the mask is 1. mask: (B, 1, h, w) of 0 and 1.
        grey: (4,), the latent of a mid-grey cell. For an autoencoder that maps each 8x8 px patch by itself this
            equals encoding the masked picture.
    """
    return torch.where(mask > 0.5, grey[:, None, None].to(known), known)
