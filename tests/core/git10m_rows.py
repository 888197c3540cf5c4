"""A synthetic Git-10M in its exact schema, texts where the card has texts, with rows broken in ten ways."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SIDE = 64

SCHEMA = pa.schema(
    {
        "image": pa.struct({"bytes": pa.binary(), "path": pa.string()}),
        "img_name": pa.string(), "img_quality_score": pa.string(), "caption": pa.string(),
        "caption_length": pa.string(), "resolution": pa.string(), "Google_location": pa.string(),
    }
)  # fmt: skip

BROKEN: dict[str, dict[str, Any]] = {
    "no image": {"image": None},
    "image is damaged": {"image": {"bytes": b"\xff\xd8 no picture", "path": ""}},
    "image is smaller than the window": {"image": "small"},
    "near-uniform sea": {"image": "sea"},
    "no caption": {"caption": " "},
    "resolution is no number": {"resolution": "fine"},
    "quality score is no number": {"img_quality_score": "good"},
    "place is no tile": {"Google_location": "17_9_x"},
    "level and resolution disagree": {"resolution": "8.0"},
    "no level": {"resolution": None, "Google_location": None},
}
"""What is counted, and what makes a row so."""


def write_git10m(folder: Path, count: int, share: float = 0.05, tables: int = 2, group: int = 50) -> Counter[str]:
    """Write tables of `count` rows, of which a share is broken, evenly in the ten ways; how many are broken how."""
    rng = np.random.default_rng(0)
    bad = rng.permutation(count)[: round(count * share)]
    reasons = {int(at): list(BROKEN)[number % len(BROKEN)] for number, at in enumerate(bad)}
    rows = [_row(number, rng) | _broken(reasons.get(number)) for number in range(count)]
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(tables):
        part = pa.Table.from_pylist(rows[number::tables], schema=SCHEMA)
        pq.write_table(part, folder / f"train-{number:05d}-of-{tables:05d}.parquet", row_group_size=group)
    return Counter(reasons.values())


def _row(number: int, rng: np.random.Generator) -> dict[str, Any]:
    colour = rng.integers(40, 200, 3)
    pixels = np.full((SIDE, SIDE, 3), colour, np.uint8)
    pixels[:, :: 4 + number % 9] = 255
    return {
        "image": {"bytes": _encoded(pixels), "path": f"{number}.png"},
        "img_name": f"{number}.png", "img_quality_score": f"{4 + number % 3 / 2}",
        "caption": f"17_GOOGLE_LEVEL_A satellite image of a forest {number % 7}.", "caption_length": "50",
        "resolution": "1.0", "Google_location": f"17_{number % 1000}_{number % 777}",
    }  # fmt: skip


def _broken(reason: str | None) -> dict[str, Any]:
    if reason is None:
        return {}
    changed = dict(BROKEN[reason])
    if changed.get("image") == "small":
        changed["image"] = {"bytes": _encoded(np.full((32, 32, 3), (90, 30, 60), np.uint8)), "path": ""}
    if changed.get("image") == "sea":
        changed["image"] = {"bytes": _encoded(np.full((SIDE, SIDE, 3), (20, 50, 120), np.uint8)), "path": ""}
    if reason in ("resolution is no number", "place is no tile", "no level"):
        changed["caption"] = "A satellite image without a level."
    return changed


def _encoded(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()
