"""`adapter.json`, beside an adapter's weights: what it makes, of which base, and what is known of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from text2earth_core.errors import Text2EarthError
from text2earth_core.modalities import MODALITIES, RGB
from text2earth_core.values import is_text, is_whole

MANIFEST_FILE = "adapter.json"

ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
"""The layers that are adapted to a modality (paper, section on multimodal generation)."""

RANK = 16
"""Of all adapters that make a modality, so that stock diffusers can swap one for another in place (`hotswap`)."""

_MAX_BYTES = 2**20


@dataclass(frozen=True)
class Manifest:
    """What an adapter says of itself.

    modality, bands: what it makes; "rgb" is a style. base: `ModelInfo.base` of the model it was trained on, base_name:
    that model's name. rank, layers: of the LoRA. samples: images seen. data: what it learned from. figures: what was
    measured, by name. licence: of the data.
    """

    modality: str
    bands: tuple[str, ...]
    base: str
    base_name: str
    rank: int
    layers: tuple[str, ...]
    samples: int = 0
    data: str = ""
    figures: dict[str, Any] = field(default_factory=dict)
    licence: str = ""
    version: int = 1

    def write(self, folder: Path) -> None:
        """Write it into the adapter's folder."""
        (folder / MANIFEST_FILE).write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest in a folder, None where there is none.

    Raises:
        Text2EarthError: it is damaged, from a newer version, or names a modality that is not known.
    """
    path = folder / MANIFEST_FILE
    if not path.is_file():
        return None
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ValueError("it is too large")
        stored = json.loads(path.read_bytes())
        version = stored["version"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        raise Text2EarthError(f"{path} is not the manifest of an adapter: it is damaged.") from None
    if version != Manifest.version:
        raise Text2EarthError(f"{path} has version {str(version)[:20]}: update the program to use this adapter.")
    known = {one.name for one in fields(Manifest)}
    values: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in stored.items() if name in known
    }
    wrong = next((name for name, fits in _KINDS.items() if name in values and not fits(values[name])), None)
    missing = next(
        (name for name in ("modality", "bands", "base", "base_name", "rank", "layers") if name not in values), None
    )
    if wrong or missing:
        raise Text2EarthError(f'{path} is damaged: its "{wrong or missing}" is not possible.')
    found = Manifest(**values)
    if found.modality not in MODALITIES:
        raise Text2EarthError(f"{path} is for the modality {found.modality!r}: {', '.join(MODALITIES)} are known.")
    if found.bands != MODALITIES[found.modality].bands:
        raise Text2EarthError(f"{path} does not fit: {found.modality} has other bands than {', '.join(found.bands)}.")
    if found.modality != RGB and found.rank != RANK:
        raise Text2EarthError(f"{path} says rank {found.rank}: all adapters that make a modality have rank {RANK}.")
    return found


def _are_texts(value: Any) -> bool:
    return isinstance(value, tuple) and all(map(is_text, value))


_KINDS = {
    "modality": is_text, "bands": _are_texts, "base": is_text, "base_name": is_text, "rank": is_whole,
    "layers": _are_texts, "samples": is_whole, "data": is_text, "figures": lambda value: isinstance(value, dict),
    "licence": is_text,
}  # fmt: skip
