"""Items from the tiles of a land-cover map, as either version of ChatEarthNet shows them to a model."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from text2earth_core.data.annotation.items import Item, Settled
from text2earth_core.data.landcover.algorithms import overall
from text2earth_core.data.landcover.classes import CLASSES
from text2earth_core.data.landcover.colours import coloured
from text2earth_core.data.landcover.instructions import facts_4v, facts_35
from text2earth_core.data.landcover.maps import LandcoverMap, MapTile
from text2earth_core.errors import Text2EarthError


class MapSource:
    """A GeoTIFF of classes; a tile's number is its row times the columns, plus its column.

    Args:
        seen: the model sees the coloured tile (version 4v) instead of being told sizes in words (version 35).

    Raises:
        Text2EarthError: as `LandcoverMap`.
    """

    def __init__(self, path: Path, codes: str = "auto", seen: bool = False) -> None:
        self._path = path
        self._map = LandcoverMap(path, codes)
        self._codes = codes
        self._seen = seen
        self._reading = threading.Lock()

    @property
    def identity(self) -> dict[str, Any]:
        """Source, tiles, and what its values mean."""
        size = f"{self._map.rows} x {self._map.columns}"
        return {"source": str(self._path.absolute()), "tiles": size, "codes": self._codes}

    @property
    def total(self) -> int:
        """Tiles that hold any class."""
        return self._map.count

    def items(self, settled: Settled) -> Iterator[Item]:
        """Tiles that hold a class and are not settled; bands of tiles that are, are not read."""
        columns = self._map.columns
        for row in range(self._map.rows):
            if settled(row * columns, (row + 1) * columns):
                continue
            with self._reading:
                band = list(self._map.tiles(range(row, row + 1)))
            for tile in band:
                if not settled(row * columns + tile.column, row * columns + tile.column + 1):
                    yield self._item(tile)

    def item(self, number: int) -> Item:
        """One tile."""
        row, column = divmod(number, self._map.columns)
        if not 0 <= row < self._map.rows:
            raise Text2EarthError(f"{self._path} has no tile {number}.")
        with self._reading:
            return self._item(self._map.tile(row, column))

    def told(self, number: int) -> str:
        """The facts of a tile."""
        return self.item(number).text

    def picture(self, number: int) -> bytes:
        """The tile in colours, every pixel of it, also where the model is only told of it."""
        row, column = divmod(number, self._map.columns)
        with self._reading:
            return coloured(self._map.tile(row, column).classes, 1)

    def _item(self, tile: MapTile) -> Item:
        number = tile.row * self._map.columns + tile.column
        keys = {"row": tile.row, "column": tile.column}
        there = set(overall(tile.classes))
        if not there:
            return Item(number, keys, "", problem="no class covers 20 pixels")
        known = set(np.unique(tile.classes).tolist())
        return Item(
            number, keys,
            facts_4v(tile.classes) if self._seen else facts_35(tile.classes, number),
            coloured(tile.classes) if self._seen else None,
            tuple(name for one, name in enumerate(CLASSES[1:], 1) if one not in known),
        )  # fmt: skip
