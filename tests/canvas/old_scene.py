"""A scene that an earlier version wrote, and how its pixels are compared with what is made now (see data/README.md)."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from canvas.geometry import CELL
from canvas.scene_file.snapshot import Patch

DATA = Path(__file__).with_name("data")
_RECORDED = json.loads((DATA / "before.json").read_text())
STORED: dict[str, str] = _RECORDED["stored"]  # what the file holds: the same on every processor
MADE: dict[str, dict[str, str]] = _RECORDED["made"]  # what that version made, by `arithmetic`
CLOSE = 2.0  # levels of 255 by which the mean of a cell may differ where the processor counts in a way not recorded


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


def fingerprint(patch: Patch) -> str:
    """The SHA-256 of a part's pixels and validity."""
    return _sha256(patch.pixels, patch.valid)


def near(patch: Patch, means: np.ndarray) -> bool:
    """Whether a part of a scene looks as it did: the rounding of another processor moves no 8 x 8 px by much."""
    return bool(np.abs(cell_means(patch.pixels) - means).max() <= CLOSE)


def read_means(path: Path) -> np.ndarray:
    """(h/8, w/8, 3): the mean colours of cells that a picture keeps."""
    return np.asarray(Image.open(path), np.float32)


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
