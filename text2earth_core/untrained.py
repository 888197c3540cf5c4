"""Models with random weights: every shape is right, nothing is learned. For tests and trials."""

import torch

from text2earth_core.data.captions import CLASSES
from text2earth_core.errors import Text2EarthError
from text2earth_core.folder import mini_facts
from text2earth_core.model import Text2Earth
from text2earth_core.networks.codec import Codec
from text2earth_core.networks.presets import get_preset
from text2earth_core.networks.thumbnail_vae import build_thumbnail_vae
from text2earth_core.networks.tokens import count_words, train_tokenizer
from text2earth_core.sampling.conditioning import TextConditioner
from text2earth_core.training.diffusion import build_scheduler, build_unet
from text2earth_core.training.text import build_text_encoder


def untrained_model(name: str, seed: int) -> Text2Earth:
    """Return a preset with random weights on the CPU in float32."""
    preset = get_preset(name)
    if preset.decoder_width is None:
        raise Text2EarthError(f'The preset "{name}" has no small autoencoder: load its official weights from a folder.')
    texts = [wording for wordings in CLASSES.values() for wording in wordings]
    tokenizer = train_tokenizer(texts, preset.tokens)
    torch.manual_seed(seed)
    encoder = build_text_encoder(preset, tokenizer).eval()
    vae = build_thumbnail_vae(
        preset.decoder_width, torch.tensor([0.4, 0.0, 0.0]), torch.tensor([0.2, 0.03, 0.03]), seed
    )
    unet = build_unet(preset).eval()
    facts = mini_facts(name=name, window=preset.window, steps=4)
    words = frozenset(count_words(texts, at_least=1))
    return Text2Earth(
        unet,
        Codec(vae.eval(), True),
        TextConditioner(tokenizer, encoder),
        build_scheduler(),
        facts,
        f"untrained-{name}-{seed}",
        words,
    )
