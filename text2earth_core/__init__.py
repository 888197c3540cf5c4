"""Text2Earth: a remote-sensing diffusion model, its sampling and its training loop."""

from text2earth_core.errors import Cancelled, Text2EarthError
from text2earth_core.model import ModelInfo, Text2Earth
from text2earth_core.tokens import PromptReport

__all__ = ["Cancelled", "ModelInfo", "PromptReport", "Text2Earth", "Text2EarthError"]
