"""What may stand beside the UNet and steer it by a picture of the place, so that sampling need not know what it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from torch import Tensor

Residuals = tuple[Sequence[Tensor], Tensor]
"""What is added to the UNet's skips, and to its middle."""

Beside = Callable[[Tensor, Tensor, Tensor, Tensor], Residuals]
"""`Control.residuals` with a condition bound: (inputs, t, embeddings, levels)."""


class Control(Protocol):
    """What a step asks of it; see `text2earth_core.translation.translator.Translator`."""

    def residuals(self, inputs: Tensor, t: Tensor, embeddings: Tensor, levels: Tensor, condition: Tensor) -> Residuals:
        """For a batch as the UNet gets it, and conditions (n, c, h, w) of its windows, where n divides the batch."""

    def hold(self, estimate: Tensor, condition: Tensor) -> Tensor:
        """Clean latents as estimated, with what the condition says for certain."""
