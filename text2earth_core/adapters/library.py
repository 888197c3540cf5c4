"""The adapters that a model knows: its own, those shipped for its base, and those that were added."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from diffusers import UNet2DConditionModel

from text2earth_core.adapters.folding import Folded
from text2earth_core.adapters.manifest import MANIFEST_FILE, read_manifest
from text2earth_core.adapters.weights import Lora, read_lora
from text2earth_core.errors import Text2EarthError
from text2earth_core.facts import WEIGHTS_FILE
from text2earth_core.modalities import MODALITIES, RGB

SHIPPED = Path(__file__).parent.parent.parent / "assets" / "adapters"
OWN = "adapters"
"""Folder of a model's own adapters, in the model's folder."""

Chosen = tuple[tuple[str, float], ...]
"""Adapters, each by its fingerprint (where a person chose them: or its name), with weights."""


@dataclass(frozen=True)
class AdapterInfo:
    """What callers need to know of an adapter.

    fingerprint: hash of its weights, by which requests name it. modality, bands: what it makes; "rgb" is a style.
    shipped: it came with the model or the program. The rest is as in `Manifest`, as far as there is one.
    """

    name: str
    fingerprint: str
    modality: str
    bands: tuple[str, ...]
    rank: int
    file: str
    shipped: bool = False
    samples: int = 0
    data: str = ""
    figures: dict[str, Any] = field(default_factory=dict)
    licence: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Library:
    """Adapters by name, and the networks with them folded in.

    Args:
        base: `ModelInfo.base` of the model. unet: its network, by which adapters are checked.
    """

    def __init__(self, base: str, unet: UNet2DConditionModel) -> None:
        self._base, self._unet = base, unet
        self._known: dict[str, tuple[AdapterInfo, Lora]] = {}  # replaced as a whole, never changed
        self._lock, self._folded = threading.Lock(), Folded()

    @property
    def known(self) -> tuple[AdapterInfo, ...]:
        """In the order in which they came."""
        return tuple(info for info, _ in self._known.values())

    def find(self, folders: Iterable[Path]) -> None:
        """Take in every adapter in the folders that was made for this base."""
        for path in sorted(path for folder in folders for path in folder.glob(f"*/{MANIFEST_FILE}")):
            manifest = read_manifest(path.parent)
            if manifest is not None and manifest.base == self._base and path.parent.name not in self._known:
                self.add(path.parent, shipped=True)

    def add(self, path: Path, name: str | None = None, shipped: bool = False) -> AdapterInfo:
        """Read and check an adapter, a folder or a file; one that is known already under this name stays.

        Raises:
            Text2EarthError: it cannot be used with this model, or the name is another's.
        """
        path = path.expanduser()
        file = _weights_in(path) if path.is_dir() else path
        manifest = read_manifest(file.parent) if path.is_dir() or file.name == WEIGHTS_FILE else None
        if manifest is not None and manifest.base != self._base:
            raise Text2EarthError(
                f"{path} was made for another model ({manifest.base_name} {manifest.base}): this one is {self._base}."
            )
        lora = read_lora(file, self._unet)
        if manifest is not None and lora.rank != manifest.rank:
            raise Text2EarthError(f"{path} says rank {manifest.rank}, but its weights have {lora.rank}: it is damaged.")
        name = name or (file.parent.name if file.name == WEIGHTS_FILE else file.stem)
        if manifest is None:
            info = AdapterInfo(name, lora.fingerprint, RGB, MODALITIES[RGB].bands, lora.rank, str(file), shipped)
        else:
            info = AdapterInfo(
                name, lora.fingerprint, manifest.modality, manifest.bands, lora.rank, str(file), shipped,
                manifest.samples, manifest.data, manifest.figures, manifest.licence,
            )  # fmt: skip
        with self._lock:
            there, _ = self._known.get(name, (info, lora))
            if there.fingerprint != info.fingerprint:
                raise Text2EarthError(f"There is an adapter {name} already: give this one another name.")
            self._known = self._known | {name: (there, lora)}
            return there

    def remove(self, name: str) -> None:
        """Forget an adapter; what is at work with it goes on."""
        with self._lock:
            if name not in self._known:
                raise Text2EarthError(self._unknown(name))
            self._known = {other: entry for other, entry in self._known.items() if other != name}
        self._folded.clear()

    def resolve(self, modality: str, chosen: Chosen) -> Chosen:
        """What is needed to make a modality with the adapters `chosen`: by fingerprint, in a fixed order.

        The modality's own comes by itself: of several the last that was added.

        Raises:
            Text2EarthError: one is not known, named twice or for another modality, or the modality has none.
        """
        found: dict[str, float] = {}
        made = {RGB}
        for key, weight in chosen:
            info = self._info(key)
            if info.fingerprint in found:
                raise Text2EarthError(f"The adapter {key} is named twice: give it one weight.")
            if info.modality not in (RGB, modality):
                raise Text2EarthError(
                    f"The adapter {key} makes {info.modality}, not {modality}: ask for that, or leave it out."
                )
            if weight or info.modality != RGB:  # a style without weight is none
                found[info.fingerprint] = float(weight)
            made.add(info.modality)
        if modality not in made:
            own = [info for info in self.known if info.modality == modality]
            if not own:
                raise Text2EarthError(
                    f"This model has no adapter for {modality}: make one with `text2earth train lora --modality "
                    f"{modality}`, or load one that was made for it."
                )
            found[own[-1].fingerprint] = 1.0
        return tuple(sorted(found.items()))

    def network(self, base: UNet2DConditionModel, sampler: str, chosen: Chosen) -> UNet2DConditionModel:
        """`base`, the network of a sampler, with adapters that `resolve` found folded in; without any, itself."""
        if not chosen:
            return base
        by_fingerprint = {info.fingerprint: lora for info, lora in self._known.values()}
        missing = next((key for key, _ in chosen if key not in by_fingerprint), None)
        if missing is not None:
            raise Text2EarthError(self._unknown(missing))
        return self._folded.get((sampler, chosen), base, [(by_fingerprint[key], weight) for key, weight in chosen])

    def _info(self, key: str) -> AdapterInfo:
        for info in self.known:
            if key in (info.name, info.fingerprint):
                return info
        raise Text2EarthError(self._unknown(key))

    def _unknown(self, key: str) -> str:
        there = ", ".join(self._known) or "none"
        return f"There is no adapter {key} here ({there} known): add its file first."


def _weights_in(folder: Path) -> Path:
    """The file of the weights in an adapter's folder."""
    usual = folder / WEIGHTS_FILE
    files = [usual] if usual.is_file() else sorted(folder.glob("*.safetensors"))
    if len(files) != 1:
        there = "several" if files else "no"
        raise Text2EarthError(f"{folder} holds {there} .safetensors files: an adapter has one, {WEIGHTS_FILE}.")
    return files[0]
