"""How large a model folder's networks are, from the heads of its weight files alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from safetensors import safe_open

from text2earth_core.errors import Text2EarthError, reason_of
from text2earth_core.layouts import weight_files


@dataclass(frozen=True)
class Footprint:
    """Parameters of the networks of a model, the student apart: it shares nothing, and takes what the UNet does."""

    unet: int
    vae: int
    text: int
    student: bool

    @property
    def parameters(self) -> int:
        """Of all networks in memory."""
        return self.unet * (1 + self.student) + self.vae + self.text


def footprint(folder: Path) -> Footprint:
    """Count the parameters of a model folder.

    Raises:
        Text2EarthError: a file of weights is damaged.
    """
    unet, vae, text = (_parameters(folder / part) for part in ("unet", "vae", "text_encoder"))
    return Footprint(unet, vae, text, (folder / "student").is_dir())


def _parameters(place: Path) -> int:
    total = 0
    for file in weight_files(place):
        try:
            with safe_open(file, "pt") as opened:
                total += sum(math.prod(opened.get_slice(name).get_shape()) for name in opened.keys())  # noqa: SIM118
        except Exception as error:
            raise Text2EarthError(f"{place} cannot be loaded: {reason_of(error)}.") from None
    return total
