"""Where a tile of the web's map pyramid lies: Git-10M's `Google_location`, "Z_X_Y"."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from text2earth_core.errors import Text2EarthError
from text2earth_core.prompts import LEVEL_OF_ONE_METRE

DEEPEST = 23
"""Zoom levels above this exist on no imagery server."""

_PLACE = re.compile(r"\s*(\d{1,2})_(\d{1,8})_(\d{1,8})\s*")


@dataclass(frozen=True)
class TilePlace:
    """A 256 px tile: zoom level Z, column X from 180° West, row Y from the north (Web Mercator)."""

    z: int
    x: int
    y: int

    @property
    def resolution(self) -> float:
        """m/px as the model's levels count it, 2^(17 - Z); the true size of a pixel also shrinks with latitude."""
        return 2.0 ** (LEVEL_OF_ONE_METRE - self.z)

    @property
    def corner(self) -> tuple[float, float]:
        """(longitude, latitude) of the tile's north-western corner, degrees on WGS 84."""
        return _degrees(self.x, self.y, self.z)

    @property
    def centre(self) -> tuple[float, float]:
        """(longitude, latitude) of the tile's centre on the Mercator map, degrees on WGS 84."""
        return _degrees(self.x + 0.5, self.y + 0.5, self.z)


def place_of(text: str) -> TilePlace:
    """The tile that "Z_X_Y" names.

    Raises:
        Text2EarthError: it is no such text, or there is no such tile.
    """
    found = _PLACE.fullmatch(text)
    if found is None:
        raise Text2EarthError(f'The place "{text[:40]}" is not three whole numbers as Z_X_Y.')
    z, x, y = map(int, found.groups())
    if z > DEEPEST or max(x, y) >= 2**z:
        raise Text2EarthError(f'The place "{text[:40]}" is no tile: X and Y go from 0 to 2^Z - 1, Z to {DEEPEST}.')
    return TilePlace(z, x, y)


def _degrees(x: float, y: float, z: int) -> tuple[float, float]:
    """Inverse spherical Mercator, as web maps use it."""
    longitude = x / 2**z * 360.0 - 180.0
    latitude = math.degrees(math.atan(math.sinh(math.pi * (1.0 - 2.0 * y / 2**z))))
    return longitude, latitude
