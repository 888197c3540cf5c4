"""The sizes of models, in one table."""

from dataclasses import dataclass

from text2earth_core.errors import Text2EarthError


@dataclass(frozen=True)
class Preset:
    """Dimensions of one model family.

    channels: UNet width per scale. heads: attention heads per scale. layers: blocks per scale.
    text_width, text_layers: text tower. tokens: length of a prompt in tokens, both end marks included.
    decoder_width: channels of the thumbnail autoencoder's decoder; None means the official AutoencoderKL.
    window: what the UNet sees, in px.
    """

    name: str
    channels: tuple[int, ...]
    heads: tuple[int, ...]
    layers: int
    text_width: int
    text_layers: int
    tokens: int
    decoder_width: int | None
    window: int


_TABLE = (
    #      name          UNet channels           heads            layers  text        tokens  decoder  window
    Preset("text2earth", (320, 640, 1280, 1280), (5, 10, 20, 20), 2,      1024, 23,   77,     None,    256),
    Preset("mini",       (64, 128, 192, 256),    (1, 2, 3, 4),    1,      192, 4,     32,     48,      256),
    Preset("tiny",       (32, 64),               (1, 2),          1,      32, 1,      16,     16,      64),
)  # fmt: skip

PRESETS = {preset.name: preset for preset in _TABLE}


def get_preset(name: str) -> Preset:
    """Return a preset by name; an unknown name is a Text2EarthError that lists the known ones."""
    if name not in PRESETS:
        raise Text2EarthError(f'There is no preset "{name}": use {", ".join(PRESETS)}.')
    return PRESETS[name]
