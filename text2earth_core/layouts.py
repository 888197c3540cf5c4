"""The layouts in which diffusers and transformers write weights: one file or several, of this or that variant."""

from __future__ import annotations

import re
from pathlib import Path

_WEIGHTS = re.compile(r"(?:diffusion_pytorch_model|model)(?:\.(?P<variant>[\w-]+?))?(?:-\d+-of-\d+)?\.safetensors")
_FORMATS = (".bin", ".ckpt", ".pt", ".pth", ".msgpack", ".onnx", ".h5", ".gguf")


def variant_of(place: Path) -> str | None:
    """The variant of the weights in a part's folder, such as "fp16"; None for the plain ones, which come first.

    Of several the first by name is taken, a `non_ema` one only where there is no other.
    """
    matches = (_WEIGHTS.fullmatch(path.name) for path in place.glob("*.safetensors"))
    variants = {found["variant"] for found in matches if found}
    if None in variants or not variants:
        return None
    return min(variants, key=lambda name: (name == "non_ema", name))


def weight_files(place: Path) -> list[Path]:
    """The safetensors files of the variant that is loaded, in order."""
    variant = variant_of(place)
    matches = ((path, _WEIGHTS.fullmatch(path.name)) for path in sorted(place.glob("*.safetensors")))
    return [path for path, found in matches if found and found["variant"] == variant]


def weights_there(place: Path) -> str:
    """The weights of other formats in a part's folder, in words."""
    found = sorted(path.name for path in place.iterdir() if path.suffix in _FORMATS)
    return ", ".join(found[:3]) or "nothing else either"
