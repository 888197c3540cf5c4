"""Fog over clear pictures by the atmospheric scattering model: I = J t + A (1 - t) (Narasimhan & Nayar 2002)."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import cv2
import numpy as np

THINNEST, THICKEST = 0.3, 1.6
"""Optical depths: of the light of the ground 74 and 20 % come through."""

BRIGHTEST, DARKEST = 0.95, 0.7
"""Airlight, of 1."""


@dataclass(frozen=True)
class Fog:
    """A draw of fog. airlight: A, of red, green and blue in [0, 1]. depth: mean optical depth. patchy: how much it
    differs from place to place, as a share of the mean. scale: px over which it does. seed: of where it does.
    """

    airlight: tuple[float, float, float]
    depth: float
    patchy: float
    scale: float
    seed: int

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Fog:
        """Fog as it may be: nearly white, thin to thick, even or in banks."""
        bright = rng.uniform(DARKEST, BRIGHTEST)
        red, green, blue = (float(np.clip(bright + shift, 0, 1)) for shift in rng.normal(0, 0.02, 3))
        return cls(
            (red, green, blue), float(rng.uniform(THINNEST, THICKEST)), float(rng.uniform(0, 0.5)),
            float(rng.uniform(16, 96)), int(rng.integers(2**31)),
        )  # fmt: skip

    def transmission(self, height: int, width: int) -> np.ndarray:
        """t, float32 (H, W): the share of the ground's light that comes through, exp(-depth)."""
        noise = np.random.default_rng(self.seed).normal(size=(height // 8 + 1, width // 8 + 1)).astype(np.float32)
        smooth = cv2.GaussianBlur(noise, (0, 0), self.scale / 8)
        even = np.asarray((smooth - smooth.mean()) / max(float(smooth.std()), 1e-6), np.float32)
        banks = cv2.resize(even, (width, height), interpolation=cv2.INTER_CUBIC)
        return np.exp(-self.depth * np.clip(1 + self.patchy * banks, 0.1, None)).astype(np.float32)

    def over(self, clear: np.ndarray) -> np.ndarray:
        """uint8 (H, W, 3) of a clear picture uint8 (H, W, 3)."""
        through = self.transmission(*clear.shape[:2])[..., None]
        seen = clear * through + 255 * np.array(self.airlight, np.float32) * (1 - through)
        return np.rint(seen).clip(0, 255).astype(np.uint8)

    def as_dict(self) -> dict[str, object]:
        """The parameters, JSON-ready."""
        return asdict(self)
