"""The first guess of a translator: what a network says of the target before the control completes it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from text2earth_core.errors import Text2EarthError, reason_of
from text2earth_core.translation.condition import CHANNELS, LATENT

WIDTH, BLOCKS = 72, 3
"""Of the regression: channels, and residual convolutions."""


class Guess(nn.Module):
    """Conditions (B, CHANNELS, h, w) to latents (B, 4, h, w), kept in a translator's folder as `file`."""

    file: ClassVar[str]

    def save(self, folder: Path) -> None:
        """Write the weights as they are."""
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self.state_dict().items()}
        save_file(tensors, folder / self.file)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """That in a translator's folder, in its stored precision; Text2EarthError where it is missing or damaged."""
        guess = cls()
        try:
            tensors = load_file(folder / cls.file)
            guess.to(next(iter(tensors.values())).dtype).load_state_dict(tensors)
        except Exception as error:
            raise Text2EarthError(f"{folder / cls.file} cannot be loaded: {reason_of(error)}.") from None
        return guess


class FirstGuess(Guess):
    """The target's latents by regression, (B, CHANNELS, h, w) to (B, 4, h, w): at first the source's own.

    What a source decides, such as how bright a meadow of such colours is in near infrared, a regression learns within
    minutes, and no sampling makes it better; what it leaves open, texture above all, it blurs. Restoring first and
    generating on top of it is the way of DiffBIR (Lin et al. 2023).
    """

    file = "guess.safetensors"

    def __init__(self) -> None:
        super().__init__()
        self.first = conv(CHANNELS, WIDTH)
        self.whole = nn.Linear(WIDTH, WIDTH)  # how bright a window is as a whole, no neighbourhood tells
        self.blocks = nn.ModuleList(conv(WIDTH, WIDTH) for _ in range(BLOCKS))
        self.last = conv(WIDTH, LATENT)
        nn.init.zeros_(self.last.weight)

    def forward(self, condition: Tensor) -> Tensor:
        seen = self.first(condition)
        seen = seen + self.whole(F.silu(seen).mean((2, 3)))[..., None, None]
        for block in self.blocks:
            seen = seen + block(F.silu(seen))
        return condition[:, :LATENT] + self.last(F.silu(seen))


def conv(before: int, after: int, dilation: int = 1) -> nn.Conv2d:
    """3 x 3, with edges that go on as they are."""
    return nn.Conv2d(before, after, 3, padding=dilation, dilation=dilation, padding_mode="replicate")
