"""One row of Git-10M: its values, which may be texts, as numbers, and what is wrong with them.

Columns: image, img_name, img_quality_score, caption, caption_length, resolution (m/px), Google_location ("Z_X_Y").
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from text2earth_core.data.sources.places import TilePlace, place_of
from text2earth_core.data.texts import BROKEN
from text2earth_core.errors import Text2EarthError
from text2earth_core.prompts import take_level

COLUMNS = ("image", "img_name", "img_quality_score", "caption", "caption_length", "resolution", "Google_location")
IMAGE = "image"
METADATA = tuple(name for name in COLUMNS if name != IMAGE)

TOLERANCE = 0.05
"""Relative; resolutions are written with few digits, while a wrong level is off by a factor of two."""


@dataclass(frozen=True)
class Row:
    """What could be read of a row.

    caption: without the level that may stand before it. quality: the aesthetic score. resolution: m/px, None where it
    is unknown or where the row contradicts itself. faults: reasons, at most one of each.
    """

    name: str
    caption: str
    quality: float | None
    resolution: float | None
    place: TilePlace | None
    faults: tuple[str, ...]


def read_row(values: Mapping[str, Any]) -> Row:
    """Read the metadata of a row; nothing in it raises, everything wrong becomes a fault."""
    faults: list[str] = []
    name, words = _told(values.get("img_name"), "name", faults), _told(values.get("caption"), "caption", faults)
    caption, said = take_level(words)
    caption = caption.strip()
    if not name and "name is no text" not in faults:
        faults.append("no name")
    if not caption and "caption is no text" not in faults:
        faults.append("no caption")
    quality = _number(values.get("img_quality_score"), "quality score", faults)
    written = _number(values.get("resolution"), "resolution", faults)
    if written is not None and written <= 0:
        faults.append("resolution is no number")
        written = None
    length = _number(values.get("caption_length"), "caption length", faults)
    if length is not None and length < 0:
        faults.append("caption length is no number")
    place = _place(values.get("Google_location"), faults)
    known = [one for one in (place.resolution if place else None, written, said) if one is not None]
    agree = all(abs(one / known[0] - 1) <= TOLERANCE for one in known)
    if not agree:
        faults.append("level and resolution disagree")
    resolution = known[0] if known and agree else None
    return Row(name, caption, quality, resolution, place, tuple(faults))


def _told(value: Any, what: str, faults: list[str]) -> str:
    """A text of people; bytes are read as one, and what is neither text nor number is a fault."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    if isinstance(value, list | dict):
        faults.append(f"{what} is no text")
        return ""
    if BROKEN in _text(value):
        faults.append(f"{what} is no UTF-8")
    return _text(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _number(value: Any, what: str, faults: list[str]) -> float | None:
    """A number, or a text that is one ("0.5", "0.5 m"); None where there is none. What is neither is a fault."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        number = float(value.strip().removesuffix("m").rstrip() if isinstance(value, str) else value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        faults.append(f"{what} is no number")
        return None
    return number


def _place(value: Any, faults: list[str]) -> TilePlace | None:
    if not _text(value).strip():
        return None
    try:
        return place_of(_text(value))
    except Text2EarthError:
        faults.append("place is no tile")
        return None
