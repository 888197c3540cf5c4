"""The sizes of models, in one table."""

from dataclasses import dataclass

from text2earth_core.errors import Text2EarthError


@dataclass(frozen=True)
class Course:
    """How a family's UNet is trained, unless a run says otherwise.

    noise_mean, noise_spread: of ln(noise / signal), see `training.noise_levels.NoiseLevels`. rate: learning rate.
    decay: last part of a run over which the rate falls to zero. batch: samples a step on a CPU, and on a GPU.
    """

    noise_mean: float
    noise_spread: float
    rate: float
    decay: float
    batch: tuple[int, int]


@dataclass(frozen=True)
class Preset:
    """Dimensions of one model family.

    channels: UNet width per scale. heads: attention heads per scale. layers: blocks per scale.
    text_width, text_layers, text_heads: text tower. tokens: length of a prompt in tokens, both end marks included.
    vocabulary: tokens that the tower has embeddings of; None means those of its tokenizer.
    decoder_width: channels of the thumbnail autoencoder's decoder; None means the official AutoencoderKL.
    window: what the UNet sees, in px. course: of its training.
    """

    name: str
    channels: tuple[int, ...]
    heads: tuple[int, ...]
    layers: int
    text_width: int
    text_layers: int
    text_heads: int
    tokens: int
    vocabulary: int | None
    decoder_width: int | None
    window: int
    course: Course


_LARGE, _SMALL = (
    #      noise      rate  decay  batch
    Course(-0.4, 1.2, 1e-4, 0.2,   (128, 256)),
    Course(-0.4, 1.2, 3e-4, 0.2,   (128, 256)),
)  # fmt: skip

_TABLE = (
    #      name          UNet channels           heads      layers  text    tokens, words decoder window course
    Preset("text2earth", (320, 640, 1280, 1280), (5, 10, 20, 20), 2, 1024, 23, 16, 77, 49408, None, 256, _LARGE),
    Preset("mini",       (64, 128, 192, 256),    (1, 2, 3, 4),    1, 192,  4,  4,  32, None,  48,   256, _SMALL),
    Preset("tiny",       (32, 64),               (1, 2),          1, 32,   1,  1,  16, None,  16,   64,  _SMALL),
)  # fmt: skip

PRESETS = {preset.name: preset for preset in _TABLE}


def get_preset(name: str) -> Preset:
    """Return a preset by name; an unknown name is a Text2EarthError that lists the known ones."""
    if name not in PRESETS:
        raise Text2EarthError(f'There is no preset "{name}": use {", ".join(PRESETS)}.')
    return PRESETS[name]
