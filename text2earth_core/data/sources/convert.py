"""From Git-10M's columns to those of training, with what cannot be used left out and named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from text2earth_core.data.sources.faults import COPY, UNUSABLE, Seen, check, look
from text2earth_core.data.sources.training_tables import LEFT_OUT, TrainingTables, check_output, new_folder
from text2earth_core.errors import Text2EarthError


def convert(
    source: str,
    out: Path,
    name: str = "git10m",
    held_back: float = 0.02,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> dict[str, Any]:
    """Write a data set with Git-10M's columns as a data folder of `corpus.load_corpus`.

    Every row of the source is either in the tables or in `left_out.jsonl`, with its place and its faults.

    Args:
        name: of the data set in the folder.
        held_back: share of the images in the split "val", chosen by the hash of their bytes.

    Returns:
        What `check` found, with "written" and "left_out".

    Raises:
        Text2EarthError: `out` is there already, the source cannot be read, or nothing of it can be used.
    """
    check_output(out, name)
    found, usable = check(source, lambda done, total: progress("Checking", done, total))
    written = sum(usable)
    if not found.images:
        raise Text2EarthError(f"{source} holds no images, only what is said of them: there is nothing to train on.")
    if not written:
        raise Text2EarthError(f"No row of {source} can be used: text2earth data check tells why.")
    with (
        new_folder(out) as part, TrainingTables(part, name) as tables,
        (part / LEFT_OUT).open("w", encoding="utf-8") as left_out,
    ):  # fmt: skip
        for kept, seen in zip(usable, look(source, lambda done, total: progress("Writing", done, total)), strict=True):
            if kept:
                tables.write(_converted(seen, held_back), len(seen.image))
            else:
                faults = [*seen.faults] if set(seen.faults) & set(UNUSABLE) else [*seen.faults, COPY]
                told = {"place": seen.place, "name": seen.row.name, "caption": seen.row.caption, "faults": faults}
                left_out.write(json.dumps(told, ensure_ascii=False) + "\n")
    return found.as_json() | {"written": written, "left_out": len(usable) - written}


def _converted(seen: Seen, held_back: float) -> dict[str, Any]:
    row = seen.row
    longitude, latitude = row.place.centre if row.place else (None, None)
    chance = int.from_bytes(hashlib.blake2b(seen.image, digest_size=8).digest(), "big") / 2**64
    return {
        "image": {"bytes": seen.image, "path": row.name}, "label": "", "captions": [row.caption] if row.caption else [],
        "resolution": row.resolution, "split": "val" if chance < held_back else "train",
        "name": row.name, "quality": row.quality, "longitude": longitude, "latitude": latitude,
    }  # fmt: skip
