"""Simulators on disk and at work: colours in, the bands of another modality out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from text2earth_core.data.corpus import Picture
from text2earth_core.errors import Text2EarthError, reason_of
from text2earth_core.modalities import MODALITIES
from text2earth_core.simulation.networks import SmallUNet, nir_network, sar_network
from text2earth_core.speckle import speckled

NETWORKS: dict[str, Callable[[], SmallUNet]] = {"nir": nir_network, "sar": sar_network}

LIGHT = 1_000
"""Pictures by which those of a corpus are known."""

WEIGHTS, FACTS = "simulator.safetensors", "simulator.json"


@dataclass(frozen=True)
class Light:
    """Mean and standard deviation of the colours of a set of pictures, three numbers each, of 255."""

    mean: tuple[float, ...]
    spread: tuple[float, ...]

    @classmethod
    def of_corpus(cls, corpus: Sequence[Picture]) -> Light:
        """Of pictures spread over a corpus."""
        return cls.of([picture.pixels for picture in corpus[:: len(corpus) // LIGHT or 1]])

    @classmethod
    def of(cls, pictures: Sequence[np.ndarray]) -> Light:
        """Of pictures uint8 (H, W, 3), each counted alike."""
        means = np.mean([picture.mean((0, 1)) for picture in pictures], axis=0)
        squares = np.mean([(picture.astype(np.float64) ** 2).mean((0, 1)) for picture in pictures], axis=0)
        return cls(tuple(means.tolist()), tuple(np.sqrt(squares - means**2).tolist()))


class Simulator:
    """A trained network of one modality.

    light: of the pictures that it learned from. figures: what was measured on real pairs it had not seen, by name.
    levels: what stands for each grey value that the network makes, uint8 (256,); None leaves them as they are.
    """

    def __init__(
        self,
        modality: str,
        network: SmallUNet,
        light: Light,
        figures: dict[str, Any] | None = None,
        levels: np.ndarray | None = None,
    ) -> None:
        # In this order of memory a CPU convolves thin layers faster.
        self.modality, self.network = modality, network.eval().to(memory_format=torch.channels_last)
        self.light, self.figures, self.levels = light, figures or {}, levels

    def __call__(self, pixels: np.ndarray, rng: np.random.Generator, light: Light | None = None) -> np.ndarray:
        """As `means`, with the speckle that a modality has, of which `rng` decides."""
        bands = self.means(pixels, light)
        if MODALITIES[self.modality].speckled:
            bands = np.stack([speckled(band, int(rng.integers(2**62))) for band in bands])
        return bands

    @torch.no_grad()
    def means(self, pixels: np.ndarray, light: Light | None = None) -> np.ndarray:
        """uint8 (B, H, W, 3), sides multiples of 4, to uint8 (B, H, W, 1).

        Args:
            light: of the pictures that these are some of, where it is not the one that the network knows: photographs
                are brighter and hazier than what a satellite measures.
        """
        if light is not None:
            ours, theirs = np.array([[self.light.mean, self.light.spread], [light.mean, light.spread]])
            moved = (pixels - theirs[0]) / theirs[1] * ours[1] + ours[0]
            pixels = np.rint(moved).clip(0, 255).astype(np.uint8)
        made = self.network(inputs_of(self.modality, pixels).to(memory_format=torch.channels_last))
        bands = (made.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy()
        return bands if self.levels is None else self.levels[bands]

    def save(self, folder: Path) -> None:
        """Write network and figures."""
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self.network.state_dict().items()}
        save_file(tensors, folder / WEIGHTS)
        facts = {"version": 1, "modality": self.modality, "light": asdict(self.light), "figures": self.figures}
        if self.levels is not None:
            facts["levels"] = self.levels.tolist()
        (folder / FACTS).write_text(json.dumps(facts, indent=2) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Simulator:
        """Read what `save` wrote; Text2EarthError where it is missing or damaged."""
        try:
            facts = json.loads((folder / FACTS).read_bytes())
            network = NETWORKS[facts["modality"]]()
            network.load_state_dict(load_file(folder / WEIGHTS))
            levels = np.array(facts["levels"], np.uint8) if "levels" in facts else None
            if levels is not None and levels.shape != (256,):
                raise ValueError("it needs 256 levels")
            return cls(facts["modality"], network, Light(**facts["light"]), dict(facts["figures"]), levels)
        except FileNotFoundError:
            raise Text2EarthError(f"{folder} holds no simulator: run `text2earth train simulator` first.") from None
        except Exception as error:
            raise Text2EarthError(f"The simulator in {folder} is damaged: {reason_of(error)}.") from None


def find_simulator(modality: str, folder: Path | None) -> Simulator | None:
    """The simulator with which pictures of a modality are made for training; None for one that needs none.

    Raises:
        Text2EarthError: it is missing, or of another modality.
    """
    if modality not in NETWORKS:
        return None
    if folder is None:
        raise Text2EarthError(
            f"Pictures of {modality} are made by a simulator: train one with `text2earth train simulator {modality}`, "
            "and give its folder with --simulator."
        )
    found = Simulator.load(folder)
    if found.modality != modality:
        raise Text2EarthError(f"The simulator in {folder} makes {found.modality}, not {modality}: give the right one.")
    return found


def inputs_of(modality: str, pixels: np.ndarray) -> Tensor:
    """uint8 (B, H, W, 3) as a modality's network takes them, float32 (B, channels, H, W) in [0, 1]."""
    seen = pixels if modality == "nir" else MODALITIES["pan"].to_bands(pixels)
    return torch.from_numpy(np.ascontiguousarray(seen)).permute(0, 3, 1, 2).float() / 255
