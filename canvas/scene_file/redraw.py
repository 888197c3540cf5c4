"""Brings zoomed-out tiles up to date: drawn while reading, stored a few at a time, by one thread at once."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable

from canvas.layers import LAYERS
from canvas.scene_file import pyramid
from canvas.scene_file.database import Database


class Redrawer:
    """Draws and stores what is out of date in the pyramid of the scene in `database`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._drawing = threading.Lock()

    def everything(self) -> int:
        """Every tile that is out of date; returns how many there were."""
        return sum(
            self._redraw(layer, lambda connection, layer=layer: pyramid.dirty(connection, layer))  # type: ignore[misc]
            for layer in LAYERS
        )

    def below(self, layer: str, z: int, x: int, y: int) -> int:
        """What tile (x, y) of level z is drawn from, and the tile itself; returns how many were out of date."""
        return self._redraw(layer, lambda connection: pyramid.dirty_below(connection, layer, z, x, y))

    def _redraw(self, layer: str, find: Callable[[sqlite3.Connection], list[pyramid.DirtyTile]]) -> int:
        """Draw and store the tiles that `find` returns, a few at a time, until it returns none."""
        count = 0
        while True:
            with self._database.read() as connection:
                if not find(connection):  # the usual case, told without waiting for another thread's drawing
                    return count
            with self._drawing, self._database.read() as connection:
                drawn = pyramid.draw(connection, layer, find(connection))
                with self._database.write() as writer:
                    pyramid.keep(writer, drawn)
            count += len(drawn)
