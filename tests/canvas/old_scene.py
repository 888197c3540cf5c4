"""A scene that an earlier version wrote, and how its pixels are compared with what is made now (see data/README.md)."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from canvas.geometry import CELL
from canvas.scene_file.snapshot import Patch

DATA = Path(__file__).with_name("data")
EXPECTED: dict[str, str] = json.loads((DATA / "before.json").read_text())
CLOSE = 2.0  # levels of 255 by which the mean of a cell may differ where the processor counts in another way


def unpack_scene(path: Path) -> Path:
    """The earlier version's scene at `path`; packed it has no empty pages."""
    path.write_bytes(gzip.decompress((DATA / "before.t2e.gz").read_bytes()))
    return path


def arithmetic() -> str:
    """What this processor makes of some sums in float32: the SHA-256 of their bytes, for their order is its own."""
    random = np.random.default_rng(0)
    x, kernel, matrix = (
        torch.from_numpy(random.normal(size=size).astype(np.float32))
        for size in ((2, 32, 8, 8), (64, 32, 3, 3), (64, 64))
    )
    y = F.silu(F.group_norm(F.conv2d(x, kernel, padding=1), 8)).flatten(2).transpose(1, 2)
    return _sha256(F.scaled_dot_product_attention(y @ matrix, y, y).numpy())


def same_pixels(patch: Patch, expected: str, means: Path | None = None) -> bool:
    """Whether a part of a scene has the pixels whose SHA-256 is `expected`.

    What was computed on another kind of processor is allowed its rounding: there the means of 8 x 8 px are compared
    with a picture of them, `means`.
    """
    found = _sha256(patch.pixels, patch.valid)
    if found == expected or means is None or arithmetic() == EXPECTED["arithmetic"]:
        return found == expected
    wanted: Any = np.asarray(Image.open(means), np.float32)
    return bool(np.abs(cell_means(patch.pixels) - wanted).max() <= CLOSE)


def cell_means(pixels: np.ndarray) -> np.ndarray:
    """(h/8, w/8, 3): the mean colour of each cell of (h, w, 3) pixels."""
    h, w, _ = pixels.shape
    means: np.ndarray = pixels.reshape(h // CELL, CELL, w // CELL, CELL, 3).mean((1, 3))
    return means


def _sha256(*arrays: np.ndarray) -> str:
    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()
