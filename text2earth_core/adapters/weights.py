"""The weights of an adapter: a LoRA file as diffusers writes it, read and checked before it is used."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from diffusers import UNet2DConditionModel
from peft import LoraConfig
from safetensors import safe_open
from torch import Tensor, nn

from text2earth_core.adapters.foreign_names import FOREIGN, in_diffusers_names
from text2earth_core.errors import Text2EarthError, reason_of
from text2earth_core.values import is_number

MAX_RANK = 256
"""A style's; all adapters that make a modality have `manifest.RANK`."""

_METADATA = "lora_adapter_metadata"
"""Under which diffusers keeps peft's settings in a file."""

_ROLES = {".lora_A.weight": "down", ".lora.down.weight": "down", ".lora_B.weight": "up", ".lora.up.weight": "up"}
_OTHER_FORMATS = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")


class Factors(NamedTuple):
    """What an adapter adds to a layer's weight: scale times up (out, rank, ...) times down (rank, in, ...)."""

    down: Tensor
    up: Tensor
    scale: float


@dataclass(frozen=True)
class Lora:
    """layers: by their name in the UNet. fingerprint: hash of the file."""

    layers: dict[str, Factors]
    fingerprint: str

    @property
    def rank(self) -> int:
        """The highest of all layers."""
        return max(len(layer.down) for layer in self.layers.values())


def read_lora(file: Path, unet: UNet2DConditionModel) -> Lora:
    """Read an adapter for `unet`, which is only looked at.

    Raises:
        Text2EarthError: it is missing, damaged, no LoRA of a UNet, or made for another one.
    """
    if file.suffix in _OTHER_FORMATS:
        raise Text2EarthError(
            f"{file} is a pickle, which may run any program when it is opened: save the adapter as .safetensors."
        )
    try:
        with file.open("rb") as opened:
            fingerprint = hashlib.file_digest(opened, "sha256").hexdigest()[:16]
        with safe_open(file, "pt") as opened:
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
            settings = _settings(opened.metadata() or {})
        if any(name.startswith(FOREIGN) for name in tensors):
            tensors = in_diffusers_names(tensors)
    except OSError as error:
        raise Text2EarthError(f"{file} cannot be read ({error.strerror or error}): check the name.") from None
    except Exception as error:
        raise Text2EarthError(f"{file} is damaged or no safetensors file: {reason_of(error)}.") from None
    lora = Lora(_layers(file, tensors, settings), fingerprint)
    _check_fit(file, lora, unet)
    return lora


def metadata_of(config: LoraConfig) -> dict[str, str]:
    """peft's settings as diffusers stores them in a file of weights."""
    settings = {name: sorted(v) if isinstance(v, set) else v for name, v in config.to_dict().items()}
    return {"format": "pt", _METADATA: json.dumps(settings, indent=2, sort_keys=True)}


def _settings(metadata: dict[str, str]) -> dict[str, Any]:
    """peft's settings, as diffusers stored them; a pipeline puts the name of the part before each."""
    found = {name.removeprefix("unet."): value for name, value in json.loads(metadata.get(_METADATA, "{}")).items()}
    alphas = found.get("alpha_pattern") or {}
    if not all(map(is_number, [found.get("lora_alpha") or 1, *alphas.values()])):
        raise ValueError("its settings are not possible")
    if found.get("use_dora"):
        raise ValueError("it is a DoRA, which is more than a LoRA")
    return found


def _layers(file: Path, tensors: dict[str, Tensor], settings: dict[str, Any]) -> dict[str, Factors]:
    """The factors of each layer, with peft's scale."""
    parts: dict[str, dict[str, Tensor]] = {}
    alphas: dict[str, float] = {}
    for key, tensor in tensors.items():
        name = key.removeprefix("unet.")
        if name.startswith("text_encoder"):
            raise Text2EarthError(f"{file} also changes the text encoder, which stays as it is here: leave it out.")
        if not (tensor.is_floating_point() and bool(torch.isfinite(tensor).all())):
            raise Text2EarthError(f'{file} is damaged: "{key}" holds values that are no numbers.')
        if name.endswith(".alpha") and tensor.numel() == 1:
            alphas[name.removesuffix(".alpha")] = float(tensor)
            continue
        suffix = next((suffix for suffix in _ROLES if name.endswith(suffix)), None)
        if suffix is None or tensor.ndim not in (2, 4):
            raise Text2EarthError(f'{file} is no LoRA of a UNet as diffusers writes it: it holds "{key[:80]}".')
        parts.setdefault(name.removesuffix(suffix), {})[_ROLES[suffix]] = tensor
    if not parts:
        raise Text2EarthError(f"{file} is no LoRA: it holds no layer.")
    layers = {}
    for name, part in parts.items():
        if len(part) != 2 or part["up"].shape[1] != len(part["down"]):
            raise Text2EarthError(f'{file} is damaged: the two halves of "{name}" do not fit.')
        scale = _scale(settings, name, len(part["down"]), alphas.get(name))
        layers[name] = Factors(part["down"], part["up"], scale)
    return layers


def _scale(settings: dict[str, Any], name: str, rank: int, alpha: float | None) -> float:
    """alpha / rank, where alpha is the layer's own, that of a pattern that its name ends in, or the common one."""
    for ending, value in (settings.get("alpha_pattern") or {}).items():
        if alpha is None and f".{name}".endswith("." + ending.removeprefix("^")):
            alpha = float(value)
    if alpha is None:
        alpha = float(settings.get("lora_alpha") or rank)
    return alpha / (rank**0.5 if settings.get("use_rslora") else rank)


def _check_fit(file: Path, lora: Lora, unet: UNet2DConditionModel) -> None:
    modules = dict(unet.named_modules())
    for name, (down, up, _) in lora.layers.items():
        if len(down) > MAX_RANK:
            raise Text2EarthError(f"{file} has rank {len(down)}: up to {MAX_RANK} is possible.")
        layer = modules.get(name)
        if not isinstance(layer, nn.Linear | nn.Conv2d):
            raise Text2EarthError(f'{file} was made for another model: this one has no layer "{name[:120]}" to adapt.')
        wanted, found = tuple(layer.weight.shape), (len(up), *down.shape[1:])
        if wanted != found or up[0].numel() != len(down):
            raise Text2EarthError(
                f'{file} was made for another model: its "{name}" is for weights of {_size(found)}, '
                f"this model's are {_size(wanted)}."
            )


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
