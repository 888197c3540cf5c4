"""What every change of a scene's content begins and ends with, inside its transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from canvas.errors import SceneError
from canvas.geometry import Rect
from canvas.request import Request
from canvas.scene_file import history, pyramid
from canvas.scene_file.history import Entry, TileChange
from canvas.scene_file.meta import set_meta
from canvas.scene_file.schema import program_version
from canvas.scene_file.snapshot import Snapshot


def next_revision(connection: sqlite3.Connection) -> int:
    """Count the scene's revision up and return it."""
    revision = Snapshot(connection).revision + 1
    set_meta(connection, revision=revision, modified=history.now(), program=program_version())
    return revision


def check_resolution(connection: sqlite3.Connection, request: Request) -> None:
    """Raise SceneError where a request was made for another resolution than the scene has by now."""
    resolution = Snapshot(connection).resolution
    if request.resolution != resolution:
        raise SceneError(
            f"This was made for {request.resolution:g} m/px and the scene has {resolution:g} m/px: "
            "generate it again for this scene."
        )


def finish(
    connection: sqlite3.Connection, request: Request, rect: Rect, revision: int, changed: list[TileChange]
) -> Entry:
    """Record and show a change whose tiles are stored."""
    step = history.record(connection, request, rect, revision, changed)
    _invalidate(connection, step.tiles, revision)
    return step


def finish_move(connection: sqlite3.Connection, steps: Iterable[Entry]) -> None:
    """Show that steps were undone or redone: a new revision, and zoomed-out tiles to be drawn again."""
    keys = list(dict.fromkeys(key for step in steps for key in step.tiles))
    if keys:
        _invalidate(connection, keys, next_revision(connection))


def _invalidate(connection: sqlite3.Connection, keys: Iterable[history.TileKey], revision: int) -> None:
    touched: dict[str, list[tuple[int, int]]] = {}
    for layer, x, y in keys:
        touched.setdefault(layer, []).append((x, y))
    for layer, places in touched.items():
        pyramid.invalidate(connection, layer, places, revision)
