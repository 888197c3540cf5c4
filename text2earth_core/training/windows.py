"""The windows that the UNet and its student are trained on: crops, masks, texts and levels, made into conditions."""

from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from text2earth_core.data.captions import class_of, describe
from text2earth_core.data.corpus import Picture, random_crop
from text2earth_core.errors import Text2EarthError
from text2earth_core.networks.thumbnail_vae import CELL
from text2earth_core.sampling.conditioning import (
    NULL_LEVEL,
    drop_conditions,
    inpainting_input,
    level_of,
    masked_latents,
)
from text2earth_core.training.encoding import Encoder
from text2earth_core.training.masks import random_mask

ROUND_RESOLUTIONS = (0.3, 0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 20.0)


@dataclass(frozen=True)
class Conditioned:
    """A batch as the UNet meets it.

    clean: (B, 4, h, w) latents. masks: (B, 1, h, w), 1 = regenerate. grey: (4,), the latent of mid-grey, which stands
    for what is not known. embeddings: (B, tokens, width). levels: (B,). shown: (B, 4, h, w), latents of the picture
    with the masked part painted grey, for an autoencoder that looks beyond a cell; None takes them cell by cell.
    inpaints: the UNet has the 9-channel input.
    """

    clean: Tensor
    masks: Tensor
    grey: Tensor
    embeddings: Tensor
    levels: Tensor
    shown: Tensor | None = None
    inpaints: bool = True

    def inputs(self, noisy: Tensor, masks: Tensor) -> Tensor:
        """What the UNet is shown of noisy latents (B, 4, h, w) where `masks` are to be regenerated.

        (B, 9, h, w), or the noisy latents alone for a UNet of 4 channels.
        """
        if not self.inpaints:
            return noisy
        shown = masked_latents(self.clean, masks, self.grey) if self.shown is None else self.shown
        return inpainting_input(noisy, masks, shown)


class Windows(Encoder):
    """Draws training windows from a corpus, with the frozen autoencoder and text tower of a model folder.

    Args:
        any_autoencoder: take any, and a UNet of 4 channels; without it the only kind that is trained here.
        levels: between which an image of unknown resolution may be said to lie; None takes those of the corpus.
        guess: how often it is, see `_level`.
    """

    def __init__(
        self,
        folder: Path,
        corpus: list[Picture],
        window: int,
        any_autoencoder: bool = False,
        levels: tuple[float, float] | None = None,
        guess: float = 0.25,
    ):
        if window % 64:
            raise Text2EarthError(f"A training window of {window} px does not fit the UNet: use a multiple of 64.")
        super().__init__(folder, any_autoencoder)
        self.window, self.guess = window, guess
        self._take(corpus, levels)

    def of(self, corpus: list[Picture]) -> "Windows":
        """The same of other pictures, which shares the networks."""
        other = copy(self)
        other._take(corpus, None)
        return other

    def _take(self, corpus: list[Picture], levels: tuple[float, float] | None) -> None:
        window = self.window
        self.by_size: dict[int, list[Picture]] = {}
        for picture in corpus:
            side = min(window, min(picture.pixels.shape[:2]) // 32 * 32)
            if side >= window // 2:
                self.by_size.setdefault(side, []).extend([picture] * (2 if _says_more(picture) else 1))
        if not self.by_size:
            raise Text2EarthError(
                f"All images are too small for a window of {window} px: half of it is needed, and none is enlarged."
            )
        known = [level_of(p.resolution) for p in corpus if p.resolution is not None]
        self.scaled = _seen_at_several_resolutions(corpus)
        self.levels = (min(known) - 1.0, max(known)) if known else levels

    def batch(self, size: int, rng: np.random.Generator) -> dict[str, Any]:
        """`size` random crops of one side length, with texts, classes, levels and masks."""
        sizes = list(self.by_size)
        counts = np.array([len(self.by_size[side]) for side in sizes], float)
        side = sizes[rng.choice(len(sizes), p=counts / counts.sum())]
        pictures = [self.by_size[side][i] for i in rng.integers(len(self.by_size[side]), size=size)]
        crops, resolutions = zip(*(random_crop(picture, side, rng) for picture in pictures), strict=True)
        levels = [self._level(picture, at, rng) for picture, at in zip(pictures, resolutions, strict=True)]
        return {
            "pixels": torch.from_numpy(np.stack(crops)),
            "texts": [describe(picture, rng) for picture in pictures],
            "classes": [class_of(picture.label) for picture in pictures],
            "levels": torch.tensor(levels),
            "masks": torch.from_numpy(np.stack([random_mask(side // CELL, rng) for _ in range(size)]))[:, None],
        }

    def _level(self, picture: Picture, resolution: float | None, rng: np.random.Generator) -> float:
        """The true level; for an image of unknown resolution the null level, or now and then any level at all.

        Without the latter, a class that only occurs in images of unknown resolution would never be seen together
        with a level, and asking for it at a given resolution would be foreign to the model. Classes of which images
        at several resolutions are known are spared: for them a level that means nothing would drown those that do.
        """
        if resolution is not None:
            return level_of(resolution)
        if self.levels is not None and class_of(picture.label) not in self.scaled and rng.random() < self.guess:
            return rng.uniform(*self.levels)
        return NULL_LEVEL

    @torch.no_grad()
    def condition(self, batch: dict[str, Any], device: torch.device) -> Conditioned:
        """Encode a batch on `device`, with dynamic condition adaptation (paper, Algorithm 1)."""
        self.to(device)
        pixels = batch["pixels"].to(device, non_blocking=True).permute(0, 3, 1, 2).float() / 255
        masks = batch["masks"].to(device, non_blocking=True)
        clean = self.encode(pixels)
        grey = self.encode(clean.new_full((1, 3, CELL, CELL), 0.5))[0, :, 0, 0]
        shown = None
        if not self.cellwise and self.inpaints:
            hidden = F.interpolate(masks, scale_factor=CELL, mode="nearest") > 0.5
            shown = self.encode(pixels.masked_fill(hidden, 0.5))
        if not self.inpaints:
            masks = torch.ones_like(masks)
        embeddings = self.text.embed(batch["texts"]).to(device)
        embeddings, levels = drop_conditions(embeddings, self.null.to(device), batch["levels"].to(device).float())
        return Conditioned(clean, masks, grey, embeddings, levels, shown, self.inpaints)

    def trained_resolutions(self) -> tuple[float, ...]:
        """Round values of m/px within what the corpus covered."""
        if self.levels is None:
            return ()
        low, high = 2 ** (17 - self.levels[1]), 2 ** (17 - self.levels[0])
        return tuple(r for r in ROUND_RESOLUTIONS if low * 0.95 <= r <= high * 1.05)


def _says_more(picture: Picture) -> bool:
    """Whether people described the picture or its resolution is known: such pictures are seen twice as often.

    They teach words and levels; the others teach mostly what is under them.
    """
    return bool(picture.captions) or picture.resolution is not None


def _seen_at_several_resolutions(corpus: list[Picture]) -> set[str]:
    """Classes whose images of known resolution span a factor of two and more."""
    resolutions: dict[str, list[float]] = {}
    for picture in corpus:
        if picture.resolution is not None:
            resolutions.setdefault(class_of(picture.label), []).append(picture.resolution)
    return {label for label, known in resolutions.items() if max(known) >= 2 * min(known)}
