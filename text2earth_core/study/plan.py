"""How much a study of augmentation does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from text2earth_core.errors import Text2EarthError
from text2earth_core.study.backbones import NAMES

MAX_COPIES = 100


@dataclass(frozen=True)
class Plan:
    """Counts of one study.

    copies: number of real images, to generated images for each of them. side: px that classifiers see. size: px of the
    generated images. steps, batch: of each training, the same with and without generated images. small: small networks.
    """

    copies: Mapping[int, int] = field(default_factory=lambda: {1027: 20, 300: 20, 100: 20})
    networks: tuple[str, ...] = tuple(NAMES)
    seeds: int = 3
    side: int = 224
    size: int = 256
    steps: int = 3000
    batch: int = 64
    learning_rate: float = 3e-4
    small: bool = False

    @classmethod
    def reduced(cls) -> Plan:
        """What takes one core with AVX2 alone less than three hours, most of it for the four networks' trainings."""
        return cls(copies={1027: 4, 300: 10, 100: 20}, side=64, size=128, steps=300, learning_rate=1e-3, small=True)

    def wanted(self) -> list[tuple[int, int]]:
        """(real image, copy) of every generated image, each once: smaller sets are the first images of larger ones."""
        return sorted(
            {(image, copy) for n, copies in self.copies.items() for image in range(n) for copy in range(copies)}
        )

    def runs(self) -> list[tuple[str, int, bool, int]]:
        """(network, real images, with generated ones, seed) of every training, seed by seed."""
        return [
            (network, real, augmented, seed)
            for seed in range(self.seeds) for network in self.networks for real in self.copies
            for augmented in (False, True)
        ]  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"copies": {str(n): copies for n, copies in self.copies.items()}}


def read_copies(text: str) -> dict[int, int]:
    """What somebody wrote as "300:10,100:20"; Text2EarthError where it is not that."""
    try:
        found = {int(real): int(copies) for real, _, copies in (part.partition(":") for part in text.split(","))}
    except ValueError:
        found = {}
    if not found or min(found) < 2 or min(found.values()) < 1 or max(found.values()) > MAX_COPIES:
        raise Text2EarthError(
            f'"{text}" does not say how many images: write REAL:COPIES, such as 300:10,100:20, with 2 real images or '
            f"more and 1 to {MAX_COPIES} copies."
        )
    return found
