"""Clouds put over clear images, so that what was below them is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq

from text2earth_core.errors import Text2EarthError

FILE = "clouds.parquet"
SHOWS = 0.08
"""Opacity, or share of light taken by a shadow, from which a pixel counts as changed: below it is noise to the eye."""

_LEAST_CONTRAST = 30.0  # standard deviation of a texture's brightness: many are one uniform grey


@dataclass(frozen=True)
class CloudyImage:
    """A simulation: pixels uint8 (H, W, 3); cloud, shadow: bool (H, W), where each of them shows."""

    pixels: np.ndarray
    cloud: np.ndarray
    shadow: np.ndarray

    @property
    def mask(self) -> np.ndarray:
        """bool (H, W): what a removal has to make anew."""
        return self.cloud | self.shadow


def load_cloud_textures(data: Path) -> list[np.ndarray]:
    """uint8 (h, w, 3) textures of broken clouds from the data folder; uniform ones, which have no shape, are left out.

    Raises Text2EarthError where the file is missing or holds no such texture.
    """
    path = Path(data) / FILE
    if not path.is_file():
        raise Text2EarthError(f"{path} is missing: the data folder must hold cloud textures as {FILE}.")
    textures = []
    for row in pq.read_table(path, columns=["image"]).to_pylist():
        bgr = cv2.imdecode(np.frombuffer(row["image"]["bytes"], np.uint8), cv2.IMREAD_COLOR)
        if bgr is not None and bgr.max(axis=2).std() >= _LEAST_CONTRAST:
            textures.append(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))
    if not textures:
        raise Text2EarthError(f"{path} holds no texture of broken clouds.")
    return textures


def with_cloud(image: np.ndarray, textures: Sequence[np.ndarray], rng: np.random.Generator) -> CloudyImage:
    """Put one bank of clouds over an image, and its shadow on the ground beside it.

    The brightness of a texture is its opacity, within a soft random outline that covers a tenth to a quarter of the
    image. The shadow is the same shape 8 to 20 % of the image's side away, blurred; it takes 35 to 60 % of the light.

    Args:
        image: uint8 (H, W, 3).
    """
    height, width = image.shape[:2]
    texture = textures[int(rng.integers(len(textures)))]
    texture = cv2.resize(np.rot90(texture, int(rng.integers(4))).copy(), (width, height), interpolation=cv2.INTER_CUBIC)
    opacity = _opacity(texture, rng)
    angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(0.08, 0.2) * max(height, width)
    move = np.array([[1, 0, far * np.cos(angle)], [0, 1, far * np.sin(angle)]], np.float32)
    darkness = cv2.GaussianBlur(cv2.warpAffine(opacity, move, (width, height)), (0, 0), max(height, width) / 100)
    darkness = darkness * rng.uniform(0.35, 0.6)
    lit = image * (1 - darkness[..., None])
    mixed = lit + opacity[..., None] * (texture - lit)
    return CloudyImage(
        mixed.round().clip(0, 255).astype(np.uint8), opacity > SHOWS, (darkness > SHOWS) & ~(opacity > SHOWS)
    )


def _opacity(texture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float32 (H, W) in [0, 1]: bright parts of the texture within a random outline."""
    height, width = texture.shape[:2]
    brightness = texture.max(axis=2).astype(np.float32)
    dark, bright = np.percentile(brightness, (30, 85))
    dense = np.clip((brightness - dark) / max(bright - dark, 1), 0, 1)
    field = cv2.GaussianBlur(rng.standard_normal((height, width)).astype(np.float32), (0, 0), max(height, width) / 9)
    edge = np.quantile(field, 1 - rng.uniform(0.1, 0.25))
    outline = np.clip((field - edge) / (0.5 * field.std()) + 0.5, 0, 1)
    return np.minimum(1, 1.4 * outline * (0.25 + 0.75 * dense) * dense).astype(np.float32)
