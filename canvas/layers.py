"""The layers of a scene: kinds of pixels (modalities) on one grid, each with tiles of its own."""

from __future__ import annotations

from typing import Any

from canvas.errors import SceneError
from text2earth_core.modalities import MODALITIES

LAYERS = {name: modality.channels for name, modality in MODALITIES.items()}
"""name: bands, uint8 each; `rgb` first."""


def bands_of(layer: str) -> int:
    """How many bands a layer has; SceneError where there is no such layer."""
    return LAYERS[checked_layer(layer)]


def checked_layer(layer: Any) -> str:
    """The name of a layer that scenes can have; SceneError for any other."""
    if not isinstance(layer, str) or layer not in LAYERS:
        raise SceneError(f"There is no layer {layer!r}: use one of {', '.join(LAYERS)}.")
    return layer
