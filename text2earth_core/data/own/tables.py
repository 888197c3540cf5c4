"""A parquet table with an image and a text column, as data sets on the hub have them."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from text2earth_core.data.corpus import Picture, decode_image, shrink_to
from text2earth_core.data.damage import leave_out
from text2earth_core.data.own.images import CAPTION_KEYS, SHORTER_SIDE, texts_of
from text2earth_core.data.sources.tables import encoded, stream
from text2earth_core.errors import Text2EarthError, reason_of
from text2earth_core.prompts import take_level
from text2earth_core.values import positive

IMAGE, LABEL, RESOLUTION = "image", "label", "resolution"


def table_columns(path: Path) -> set[str]:
    """Names of a table's columns; Text2EarthError where it cannot be read."""
    try:
        return set(pq.read_schema(path).names)
    except (OSError, ValueError) as error:
        raise Text2EarthError(f"{path} is damaged or no parquet file ({reason_of(error)}).") from None


def pictures_of_table(path: Path) -> list[Picture]:
    """Decode a table; rows without a readable image are left out, see `damage.leave_out`.

    Raises:
        Text2EarthError: it has no such columns, or too many rows are damaged.
    """
    there = table_columns(path)
    if IMAGE not in there or not there & {*CAPTION_KEYS, LABEL}:
        raise Text2EarthError(
            f"{path} has the columns {', '.join(sorted(there))[:200]}: needed are {IMAGE}, and one of "
            f"{', '.join(CAPTION_KEYS)} or {LABEL}."
        )
    found: list[Picture] = []
    damaged: list[str] = []
    for place, row in stream([str(path)], (IMAGE, *CAPTION_KEYS, LABEL, RESOLUTION)):
        try:
            full = decode_image(encoded(row[IMAGE]), place) if encoded(row[IMAGE]) else None
            if full is None:
                raise Text2EarthError(f"{place} has no image.")
        except Text2EarthError as error:
            damaged.append(str(error))
            continue
        pixels, captions = shrink_to(full, SHORTER_SIDE), texts_of(row)
        label, metres = row.get(LABEL), positive(row.get(RESOLUTION))
        if metres is None:
            metres = next((said for caption in captions if (said := take_level(caption)[1])), None)
        if metres is not None:
            metres = metres * min(full.shape[:2]) / min(pixels.shape[:2])
        found.append(Picture(pixels, label if isinstance(label, str) else "", captions, metres, path.stem))
    leave_out(damaged, len(found) + len(damaged), str(path))
    return found
