"""Models with random weights: every shape is right, nothing is learned. For tests and trials."""

import torch

from text2earth_core.data.captions import CLASSES
from text2earth_core.errors import Text2EarthError
from text2earth_core.facts import mini_facts
from text2earth_core.folder import ModelParts
from text2earth_core.networks.build import build_scheduler, build_text_encoder, build_unet
from text2earth_core.networks.presets import get_preset
from text2earth_core.networks.thumbnail_vae import build_thumbnail_vae
from text2earth_core.networks.tokens import count_words, train_tokenizer


def untrained_parts(name: str, seed: int) -> tuple[ModelParts, frozenset[str]]:
    """The parts of a preset with random weights, on the CPU in float32, and the words that its tokenizer has seen.

    Raises:
        Text2EarthError: there is no such preset, or its autoencoder is not one that is built here.
    """
    preset = get_preset(name)
    if preset.decoder_width is None:
        raise Text2EarthError(f'The preset "{name}" has no small autoencoder: load its official weights from a folder.')
    texts = [wording for wordings in CLASSES.values() for wording in wordings]
    tokenizer = train_tokenizer(texts, preset.tokens)
    torch.manual_seed(seed)
    encoder = build_text_encoder(preset, tokenizer).eval()
    vae = build_thumbnail_vae(
        preset.decoder_width, torch.tensor([0.4, 0.0, 0.0]), torch.tensor([0.2, 0.03, 0.03]), seed
    ).eval()
    unet = build_unet(preset).eval()
    facts = mini_facts(name=name, window=preset.window, steps=4)
    parts = ModelParts(unet, vae, encoder, tokenizer, build_scheduler(), facts, *[f"untrained-{name}-{seed}"] * 2)
    return parts, frozenset(count_words(texts, at_least=1))
