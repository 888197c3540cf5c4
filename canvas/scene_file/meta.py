"""What a scene says of itself: how values of the table `meta` are written, and what may stand in them."""

from __future__ import annotations

import math
import sqlite3

from canvas.anchor import Anchor
from canvas.errors import SceneError

TITLE_LENGTH = 120
RESOLUTIONS = (0.25, 128.0)  # m/px: Google levels 19 to 10


def set_meta(connection: sqlite3.Connection, **values: str | float | int) -> None:
    """Write values over those that are there."""
    connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", values.items())


def set_anchor(connection: sqlite3.Connection, anchor: Anchor | None) -> None:
    """Write where the scene lies on Earth; None for nowhere."""
    connection.execute("DELETE FROM meta WHERE key IN ('epsg', 'east', 'north')")
    if anchor is not None:
        set_meta(connection, **anchor.as_dict())


def checked_title(title: str) -> str:
    """A title with its spaces in order; SceneError where it is none."""
    title = " ".join(str(title).split())
    if not title or len(title) > TITLE_LENGTH or not title.isprintable():
        raise SceneError(f"A title has 1 to {TITLE_LENGTH} printable characters: choose another one.")
    return title


def checked_resolution(resolution: float) -> float:
    """A resolution (m/px) as a number; SceneError where it is not one that a scene can have."""
    low, high = RESOLUTIONS
    try:
        value = float(resolution)
    except (TypeError, ValueError):
        value = math.nan
    if not low <= value <= high:  # also False for NaN
        raise SceneError(f"The resolution {resolution} is not possible: use {low:g} to {high:g} m/px.")
    return value
