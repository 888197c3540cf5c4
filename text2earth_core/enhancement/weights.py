"""Weights of enhancers: whichever file they come in, as a network that is ready to be asked.

Safetensors hold numbers only. A `.pth` is a pickle, which could run any program; it is opened only where that is asked
for, and then by `torch.load(weights_only=True)`, which makes tensors and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from text2earth_core.errors import Text2EarthError, reason_of
from text2earth_core.networks.rrdb import OWN_KEYS, RRDBNet, Shape

PICKLES = (".pth", ".pt", ".ckpt", ".bin")

WRAPPERS = ("params_ema", "params", "state_dict", "model_state_dict")
"""Keys under which training programs keep the weights themselves, the averaged ones first."""

BASE = "base"
"""What the file's own notes say that the network adds to: `bicubic`, or nothing."""


@dataclass(frozen=True)
class Network:
    """A network that enlarges pictures.

    run: pixels (1, 3, H, W) in [0, 1], sides multiples of `multiple`, to (1, 3, scale H, scale W) about in [0, 1].
    module: its weights. architecture: for people. fingerprint: of its weights.
    """

    run: Callable[[Tensor], Tensor]
    module: torch.nn.Module
    scale: int
    multiple: int
    architecture: str
    fingerprint: str


def load_network(file: Path, allow_pth: bool = False) -> Network:
    """The network whose weights a file holds; RRDBNet is our own, all others come through spandrel.

    Raises:
        Text2EarthError: there is no such file, it is a pickle and those are not allowed, or nobody knows the network.
    """
    tensors, notes = read_tensors(file, allow_pth)
    if all(key in tensors for key in OWN_KEYS):
        return _own(tensors, notes, file)
    return _foreign(tensors, file)


def read_tensors(file: Path, allow_pth: bool = False) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors by name, without what they are wrapped in, and the notes of a safetensors file; errors as above."""
    if not file.is_file():
        raise Text2EarthError(f"There is no file {file}: give weights as a .safetensors file, or a folder of ours.")
    pickled = file.suffix.lower() in PICKLES
    if pickled and not allow_pth:
        raise Text2EarthError(
            f"{file} is a pickle, which may run any program when it is opened: save the weights as .safetensors, or "
            "give --allow-pth to read nothing but tensors from it."
        )
    notes: dict[str, str] = {}
    try:
        if pickled:
            found = torch.load(file, map_location="cpu", weights_only=True)
        else:
            with safe_open(file, "pt") as opened:
                notes = opened.metadata() or {}
                found = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - it is no dictionary
    except Exception as error:
        raise Text2EarthError(f"The weights in {file} cannot be read: {reason_of(error)}.") from None
    return _unwrapped(found, file), notes


def save_network(network: RRDBNet, file: Path) -> None:
    """Write weights in 16 bits, and whether they add to bicubic interpolation."""
    tensors = {name: tensor.detach().cpu().half().contiguous() for name, tensor in network.state_dict().items()}
    save_file(tensors, file, {BASE: "bicubic"} if network.shape.over_bicubic else None)


def _unwrapped(found: object, file: Path) -> dict[str, Tensor]:
    if isinstance(found, dict):
        for key in WRAPPERS:
            if isinstance(found.get(key), dict):
                return _unwrapped(found[key], file)
            inside = {name[len(key) + 1 :]: value for name, value in found.items() if str(name).startswith(key + ".")}
            if inside:
                return _unwrapped(inside, file)
        if found and all(isinstance(name, str) and isinstance(one, Tensor) for name, one in found.items()):
            return found
    raise Text2EarthError(f"{file} holds no weights: a state dict is wanted, tensors by name.")


def _own(tensors: dict[str, Tensor], notes: dict[str, str], file: Path) -> Network:
    try:
        network = RRDBNet(Shape.of(tensors, notes.get(BASE) == "bicubic"))
        network.load_state_dict(tensors)
    except (ValueError, RuntimeError) as error:
        raise Text2EarthError(f"The weights in {file} do not fit RRDBNet: {reason_of(error)}.") from None
    shape = network.shape
    told = f"RRDBNet, {shape.features} features, {shape.blocks} blocks, growth {shape.growth}"
    network.eval().requires_grad_(False)
    return Network(network, network, shape.scale, shape.shuffle, told, fingerprint(tensors))


def _foreign(tensors: dict[str, Tensor], file: Path) -> Network:
    """A network of another architecture; its sides are padded by spandrel, as each wants it."""
    try:
        from spandrel import ImageModelDescriptor, ModelLoader
    except ImportError as error:
        raise Text2EarthError(
            f"{file} is no RRDBNet, and other networks need the package {error.name}: install it with "
            "`pip install 'text2earth-canvas[enhance]'`."
        ) from None
    try:
        found = ModelLoader("cpu").load_from_state_dict(dict(tensors))
    except Exception as error:
        raise Text2EarthError(f"Nobody knows the network in {file}: {reason_of(error)}.") from None
    if not isinstance(found, ImageModelDescriptor) or (found.input_channels, found.output_channels) != (3, 3):
        raise Text2EarthError(f"{file} holds {found.architecture.name}, which makes no colours of colours.")
    found.model.eval().requires_grad_(False)
    multiple = max(1, found.size_requirements.multiple_of)
    return Network(found, found.model, found.scale, multiple, found.architecture.name, fingerprint(tensors))


def fingerprint(tensors: dict[str, Tensor]) -> str:
    """A short hash of weights, whatever file they lie in."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode() + b"\0")
        digest.update(tensors[name].detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]
