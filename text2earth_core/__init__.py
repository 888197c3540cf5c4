"""Text2Earth: a remote-sensing diffusion model, its sampling, its training loop and its evaluation.

Importing it brings neither torch nor diffusers, and it knows neither `canvas` nor `app`.
Start reading at `text2earth_core.model`, then `facts`, `folder` (a model on disk) and `sampling`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from text2earth_core.errors import Cancelled, Text2EarthError

if TYPE_CHECKING:
    from text2earth_core.model import Text2Earth
    from text2earth_core.model_info import ModelInfo
    from text2earth_core.networks.tokens import PromptReport

__all__ = ["Cancelled", "ModelInfo", "PromptReport", "Text2Earth", "Text2EarthError"]

# Imported when first asked for: they bring torch and diffusers, and a server must listen before that takes its seconds.
_HEAVY = {
    "ModelInfo": "text2earth_core.model_info",
    "Text2Earth": "text2earth_core.model",
    "PromptReport": "text2earth_core.networks.tokens",
}


def __getattr__(name: str) -> Any:
    if name in _HEAVY:
        return getattr(import_module(_HEAVY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
