"""Simulators of other modalities, trained on real pairs: near infrared and radar without its speckle."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from text2earth_core.errors import Text2EarthError
from text2earth_core.simulation import figures
from text2earth_core.simulation.networks import SmallUNet
from text2earth_core.simulation.pairs import Pair, load_pairs
from text2earth_core.simulation.simulators import NETWORKS, Light, Simulator, inputs_of
from text2earth_core.speckle import filtered
from text2earth_core.training.grids import tile_images
from text2earth_core.training.loop import Objective, Schedule, fit

SHOWN = 8

SIDE = 64
"""Largest crops, px."""

POOLED = 8
"""Pixels along the squares whose means radar is held to beside its pixels."""

LEVELLED = 200
"""Pairs by which radar gets its grey values."""

FORGET = 2_000
"""Samples over which the average forgets by half: a simulator is trained for minutes."""


def train_simulator(
    modality: str,
    data: Path,
    out: Path,
    *,
    minutes: float | None = None,
    samples: int | None = None,
    resume: bool = False,
    device: str | None = None,
) -> dict:
    """Train the simulator of `modality`, "nir" or "sar", and measure it on the pairs that are held back.

    Returns:
        What `fit` returns, and the figures.
    """
    if modality not in OBJECTIVES:
        raise Text2EarthError(f"There is nothing to simulate for {modality!r}: use {', '.join(OBJECTIVES)}.")
    objective = OBJECTIVES[modality](load_pairs(data, modality, "train"), load_pairs(data, modality, "val"))
    schedule = Schedule(
        minutes, samples, objective.size, objective.rate, warmup=20 * objective.size, clip=10.0, ema=FORGET
    )
    return fit(objective, out, schedule, resume, device) | objective.figures


class SimulatorObjective(Objective):
    """What both have in common: crops of pairs, and what is shown, measured and written.

    figures: of the averaged network on the held-back pairs, once it is written.
    """

    modality: str
    size = 32
    rate = 2e-3
    disturbed = 1.0

    def __init__(self, pairs: list[Pair], held_back: list[Pair]) -> None:
        self.name = f"simulator-{self.modality}"
        self.pairs, self.held_back = pairs, held_back
        torch.manual_seed(0)
        self.trainable = NETWORKS[self.modality]()
        self.figures: dict[str, Any] = {}
        self.values: np.ndarray | None = None
        self.light = Light.of([pair.picture for pair in pairs])
        self.side = min(SIDE, *(side // 4 * 4 for pair in pairs for side in pair.measured.shape))

    def batch(self, size: int, rng: np.random.Generator) -> dict[str, Tensor]:
        pictures: list[np.ndarray] = []
        bands: list[np.ndarray] = []
        side = self.side
        for number in rng.integers(len(self.pairs), size=size):
            pair = self.pairs[number]
            top, left = (int(rng.integers(0, whole - side + 1)) for whole in pair.measured.shape)
            cut = (slice(top, top + side), slice(left, left + side))
            turns, mirrored = int(rng.integers(4)), rng.random() < 0.5
            for image, into in ((pair.picture, pictures), (pair.measured, bands)):
                turned = np.rot90(image[cut], turns)
                into.append(turned[:, ::-1] if mirrored else turned)
        seen = inputs_of(self.modality, np.stack(pictures))
        measured = torch.from_numpy(np.stack(bands))[:, None].float() / 255
        return {"seen": disturb(seen, rng, self.disturbed), "measured": measured}

    def grid(self, averaged: nn.Module) -> Image.Image:
        """Columns: picture, what was measured, what is made."""
        some = self.held_back[:: max(1, len(self.held_back) // SHOWN)][:SHOWN]
        made = self._simulate(averaged, some)
        rows = [
            image
            for pair, band in zip(some, made, strict=True)
            for image in (pair.picture, *(np.repeat(one[..., None], 3, 2) for one in (pair.measured, band)))
        ]
        return tile_images(rows, 6)

    def export(self, averaged: nn.Module, out: Path, seen: int) -> None:
        self.values = self.levels(averaged.cpu())
        made = self._simulate(averaged, self.held_back)
        self.figures = {"samples": seen, "pairs": len(self.held_back)} | self.measured(made)
        assert isinstance(averaged, SmallUNet)
        Simulator(self.modality, averaged, self.light, self.figures, self.values).save(out)

    def _simulate(self, network: Any, pairs: list[Pair]) -> list[np.ndarray]:
        place = next(network.parameters()).device
        simulator, rng = (
            Simulator(self.modality, network.cpu(), self.light, levels=self.values),
            np.random.default_rng(0),
        )
        made = [simulator(pair.picture[None], rng)[0, ..., 0] for pair in pairs]
        network.to(place)
        return made

    def levels(self, network: Any) -> np.ndarray | None:
        """For each grey value that a network on the CPU makes, that which stands for it, uint8 (256,)."""
        return None

    @abstractmethod
    def measured(self, made: list[np.ndarray]) -> dict[str, float]:
        """Figures of what was made of the held-back pairs."""


class NirObjective(SimulatorObjective):
    """Near infrared follows from colours, but for little: distances will do."""

    modality = "nir"

    def loss(self, batch: dict[str, Tensor], seen: int) -> tuple[Tensor, dict[str, float]]:
        place = next(self.trainable.parameters()).device
        made, measured = self.trainable(batch["seen"].to(place)), batch["measured"].to(place)
        error = F.l1_loss(made, measured)
        return error + F.mse_loss(made, measured), {"mae": error.item()}

    def measured(self, made: list[np.ndarray]) -> dict[str, float]:
        """Agreement by pixel, and how often NDVI has the sign that was measured, where that is beyond doubt."""
        real, ours = (np.stack(bands) for bands in ([pair.measured for pair in self.held_back], made))
        red = np.stack([pair.picture[..., 0] for pair in self.held_back])
        indices = figures.vegetation_index(real, red), figures.vegetation_index(ours, red)
        clear = np.abs(indices[0]) > 0.1
        same = float((np.sign(indices[0]) == np.sign(indices[1]))[clear].mean())
        return figures.agreement(ours, real) | {"ndvi_sign": same}


class SarObjective(SimulatorObjective):
    """Backscatter without speckle by distance, and its grey values by those of real radar.

    A picture says little about how bright radar is, and by distance alone all is of one grey. So what is made is put
    into the order that the network says and onto the values that were measured. Against a critic (pix2pix) the means
    of squares of 8 px were further off, and speckle, which is chance, needs no network
    (`text2earth_core.speckle`).
    """

    modality = "sar"
    rate = 2e-3
    disturbed = 0.3  # of radar, dark water tells more than anything else

    def __init__(self, pairs: list[Pair], held_back: list[Pair]) -> None:
        super().__init__([Pair(pair.picture, filtered(pair.measured), pair.label) for pair in pairs], held_back)

    def loss(self, batch: dict[str, Tensor], seen: int) -> tuple[Tensor, dict[str, float]]:
        place = next(self.trainable.parameters()).device
        made, measured = self.trainable(batch["seen"].to(place)), batch["measured"].to(place)
        errors = [F.mse_loss(F.avg_pool2d(made, side), F.avg_pool2d(measured, side)) for side in (1, POOLED)]
        return torch.stack(errors).sum(), {"pixels": errors[0].item(), "means": errors[1].item()}

    def levels(self, network: Any) -> np.ndarray:
        some = self.pairs[:: max(1, len(self.pairs) // LEVELLED)]
        made = Simulator(self.modality, network, self.light).means
        ours = np.concatenate([made(pair.picture[None]).ravel()[::4] for pair in some])
        theirs = np.concatenate([pair.measured.ravel()[::4] for pair in some])
        shares = np.searchsorted(np.sort(ours), np.arange(256), side="right") / len(ours)
        return np.quantile(theirs, shares).round().astype(np.uint8)

    def measured(self, made: list[np.ndarray]) -> dict[str, float]:
        """Grey values, looks and spectrum; the same of the grey pictures themselves for comparison."""
        real = [pair.measured for pair in self.held_back]
        grey = [(inputs_of(self.modality, p.picture[None])[0, 0] * 255).byte().numpy() for p in self.held_back]
        pooled = [np.stack([_means(band) for band in bands]) for bands in (made, real)]
        return {
            "histogram_distance": figures.histogram_distance(made, real),
            "histogram_distance_of_grey": figures.histogram_distance(grey, real),
            "looks": figures.number_of_looks(made),
            "looks_measured": figures.number_of_looks(real),
            "looks_of_grey": figures.number_of_looks(grey),
            "spectrum_distance": figures.spectrum_distance(made, real),
            "spectrum_distance_of_grey": figures.spectrum_distance(grey, real),
            "correlation_of_means": float(np.corrcoef(pooled[0].ravel(), pooled[1].ravel())[0, 1]),
        }


OBJECTIVES = {objective.modality: objective for objective in (NirObjective, SarObjective)}


def disturb(seen: Tensor, rng: np.random.Generator, amount: float) -> Tensor:
    """Change the light of pictures (B, C, H, W) at random: others than those of the pairs are brighter and hazier.

    amount: how much, up to 1.
    """
    count, channels = seen.shape[:2]

    def each(shape: tuple[int, ...], spread: float) -> Tensor:
        return torch.from_numpy(np.exp(rng.normal(0, amount * spread, shape)).astype(np.float32))

    gain = each((count, 1, 1, 1), 0.25) * each((count, channels, 1, 1), 0.05)
    haze = torch.from_numpy(rng.uniform(0, amount * 0.15, (count, 1, 1, 1)).astype(np.float32))
    bent = seen.clamp(min=1e-3) ** each((count, 1, 1, 1), 0.15)
    return (haze + (1 - haze) * gain * bent).clamp(0, 1)


def _means(band: np.ndarray) -> np.ndarray:
    rows, columns = (side // POOLED for side in band.shape)
    cut = band[: rows * POOLED, : columns * POOLED].astype(np.float64)
    return cut.reshape(rows, POOLED, columns, POOLED).mean((1, 3))
