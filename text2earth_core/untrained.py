"""Models with random weights: every shape is right, nothing is learned. For tests and trials."""

from typing import Any

import torch
from diffusers import AutoencoderTiny

from text2earth_core.data.captions import CLASSES
from text2earth_core.facts import ModelFacts, mini_facts
from text2earth_core.folder import ModelParts
from text2earth_core.networks.build import (
    build_official_scheduler,
    build_official_vae,
    build_scheduler,
    build_text_encoder,
    build_unet,
)
from text2earth_core.networks.presets import Preset, get_preset
from text2earth_core.networks.thumbnail_vae import build_thumbnail_vae
from text2earth_core.networks.tokens import count_words, train_tokenizer


def untrained_parts(name: str, seed: int) -> tuple[ModelParts, frozenset[str]]:
    """The parts of a preset with random weights, on the CPU in float32, and the words that its tokenizer has seen.

    The tokenizer is a small one of our own also where the preset's text tower has embeddings of more tokens.

    Raises:
        Text2EarthError: there is no such preset.
    """
    preset = get_preset(name)
    texts = [wording for wordings in CLASSES.values() for wording in wordings]
    tokenizer = train_tokenizer(texts, preset.tokens)
    torch.manual_seed(seed)
    encoder = build_text_encoder(preset, tokenizer).eval()
    official = preset.decoder_width is None
    vae: Any = build_official_vae() if official else _thumbnail_vae(preset, seed)
    unet = build_unet(preset).eval()
    facts = ModelFacts() if official else mini_facts(name=name, window=preset.window, steps=4)
    scheduler = build_official_scheduler() if official else build_scheduler()
    parts = ModelParts(unet, vae.eval(), encoder, tokenizer, scheduler, facts, *[f"untrained-{name}-{seed}"] * 2)
    return parts, frozenset(count_words(texts, at_least=1))


def _thumbnail_vae(preset: Preset, seed: int) -> AutoencoderTiny:
    assert preset.decoder_width is not None
    return build_thumbnail_vae(
        preset.decoder_width, torch.tensor([0.4, 0.0, 0.0]), torch.tensor([0.2, 0.03, 0.03]), seed
    )
