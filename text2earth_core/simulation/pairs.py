"""Real pairs of one place: a picture in colours or grey, and what another sensor measured there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from text2earth_core.data.corpus import Picture, decode_image, files_of
from text2earth_core.errors import Text2EarthError, reason_of
from text2earth_core.modalities import MODALITIES
from text2earth_core.simulation.figures import PURE, WET, vegetation_index
from text2earth_core.speckle import filtered

PAIRS = {"nir": ("pairs_rgb_nir",), "sar": ("pairs_sar_pan", "pairs_sar_rgb")}
"""The data sets of each modality."""

SCENES = {"agriculture": "farmland", "gorge": "mountain", "resident": "dense residential"}
"""What the radar pairs call some classes."""

WATER = "sea or lake"
"""The class of a place that is all water."""

OPEN_WATER = ("the sea", "deep blue sea", "open water", "a blue lake", "calm water of a lake")
"""What people ask for where they want water above all, beside the wordings of its class."""

CALM, CALM_PICTURES = (5, 30), 120
"""Grey values of radar between which open water lies, and how many pictures of it stand beside some 1,100 real ones."""

WIDE = 256
"""Side of pictures of open water, px: a window of the largest training stage."""

_COLUMNS = ("source_image", "target_image", "source_modality", "target_modality", "label", "split")


@dataclass(frozen=True)
class Pair:
    """picture: uint8 (H, W, 3). measured: uint8 (H, W). label: common class name, "" where there is none."""

    picture: np.ndarray
    measured: np.ndarray
    label: str


def load_pairs(data: Path, modality: str, split: str, files: Sequence[str] | None = None) -> list[Pair]:
    """Every pair of a modality in one split, "train" or "val", whichever of its two pictures comes first in the file.

    Args:
        files: only of these data sets; None takes all of `PAIRS`.

    Raises:
        Text2EarthError: a data set is missing, damaged, or holds no such pairs.
    """
    found = []
    for name in files or PAIRS[modality]:
        paths = files_of(Path(data), name)
        if not paths:
            raise Text2EarthError(f"{Path(data) / name}.parquet is missing: pairs of {modality} are needed here.")
        for path in paths:
            try:
                rows = pq.read_table(path, columns=list(_COLUMNS)).to_pylist()
            except (OSError, KeyError, ValueError) as error:
                raise Text2EarthError(f"{path} cannot be read as a table of pairs: {reason_of(error)}.") from None
            found += [
                _pair(row, modality, f"Row {number} of {path}")
                for number, row in enumerate(rows)
                if row["split"] == split
            ]
    if not found:
        raise Text2EarthError(f"{data} holds no pairs of {modality} for {split!r}: choose another folder.")
    return found


def real_pictures(data: Path, modality: str) -> list[Picture]:
    """What was measured in the training pairs of which one can say what they show, a single band three times.

    Near infrared pairs have no classes; those that are water all over are known by what was measured itself. They are
    small, and what they show goes on, so they are mirrored at their edges. Radar is without its speckle, as a model is
    to make it, and as no pair shows open water alone, pictures as dark and as even as it stand for it.
    """
    found = []
    if modality == "sar":
        levels = np.random.default_rng(0).uniform(*CALM, CALM_PICTURES).astype(np.uint8)
        found = [Picture(np.full((WIDE, WIDE, 3), level), WATER, OPEN_WATER, None, "pairs") for level in levels]
    for pair in load_pairs(data, modality, "train"):
        if pair.label:
            band = filtered(pair.measured) if MODALITIES[modality].speckled else pair.measured
            found.append(Picture(_thrice(band), pair.label, (), None, "pairs"))
        elif modality == "nir" and _is_water(pair):
            padding = [(0, max(0, WIDE - side)) for side in pair.measured.shape]
            wide = np.pad(pair.measured, padding, mode="symmetric")
            found.append(Picture(_thrice(wide), WATER, OPEN_WATER, None, "pairs"))
    return found


def _is_water(pair: Pair) -> bool:
    """Whether near infrared and red say so nearly everywhere."""
    return float((vegetation_index(pair.measured, pair.picture[..., 0]) < WET).mean()) >= PURE


def _thrice(band: np.ndarray) -> np.ndarray:
    return np.repeat(band[..., None], 3, axis=2)


def _pair(row: dict, modality: str, place: str) -> Pair:
    sides = ("source", "target")
    measured = next((side for side in sides if row[f"{side}_modality"] == modality), None)
    if measured is None:
        raise Text2EarthError(f"{place} is damaged: neither of its pictures is {modality}.")
    picture = sides[measured == "source"]
    images = {}
    for side in sides:
        image = row[f"{side}_image"]
        images[side] = decode_image(image["bytes"] if isinstance(image, dict) else image, place)
    if images["source"].shape != images["target"].shape:
        raise Text2EarthError(f"{place} is damaged: its pictures differ in size.")
    # Compressed with losses as if it had colours: the green channel is the least altered.
    return Pair(images[picture], images[measured][..., 1], SCENES.get(row["label"], row["label"] or ""))
