"""Rectangles on the unbounded pixel grid: x to the right, y down, integers of either sign.

Three grids share the origin: pixels, latent cells of 8 px, and tiles of 256 px. Python's floor division keeps them
aligned on the negative side, where truncation would shift everything by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

TILE = 256  # px along a side of a stored tile
CELL = 8  # px along a side of a latent cell
TILE_CELLS = TILE // CELL
LIMIT = 2**30  # px from the origin; beyond it a coordinate is a mistake, not a place

Direction = str
DIRECTIONS: tuple[Direction, ...] = ("right", "left", "up", "down")


class Rect(NamedTuple):
    """A half-open rectangle [x, x + w) x [y, y + h)."""

    x: int
    y: int
    w: int
    h: int

    @classmethod
    def from_corners(cls, x0: int, y0: int, x1: int, y1: int) -> Rect:
        """The rectangle between two corners; an empty one where they cross."""
        return cls(x0, y0, max(0, x1 - x0), max(0, y1 - y0))

    @property
    def x1(self) -> int:
        return self.x + self.w

    @property
    def y1(self) -> int:
        return self.y + self.h

    @property
    def empty(self) -> bool:
        return self.w <= 0 or self.h <= 0

    @property
    def area(self) -> int:
        return 0 if self.empty else self.w * self.h

    @property
    def on_cells(self) -> bool:
        """Whether every side lies on the grid of latent cells."""
        return all(v % CELL == 0 for v in self)

    def intersect(self, other: Rect) -> Rect:
        """The common part (empty where there is none)."""
        return Rect.from_corners(
            max(self.x, other.x), max(self.y, other.y), min(self.x1, other.x1), min(self.y1, other.y1)
        )

    def union(self, other: Rect) -> Rect:
        """The smallest rectangle around both; an empty one adds nothing."""
        if self.empty:
            return other
        if other.empty:
            return self
        return Rect.from_corners(
            min(self.x, other.x), min(self.y, other.y), max(self.x1, other.x1), max(self.y1, other.y1)
        )

    def contains(self, other: Rect) -> bool:
        return self.x <= other.x and self.y <= other.y and other.x1 <= self.x1 and other.y1 <= self.y1

    def expand(self, by: int) -> Rect:
        """Grown (or shrunk) by `by` px on every side."""
        return Rect.from_corners(self.x - by, self.y - by, self.x1 + by, self.y1 + by)

    def snap(self, grid: int = CELL) -> Rect:
        """The nearest rectangle on the grid, at least one step wide: what a frame drawn by hand becomes."""
        x, y = _nearest(self.x, grid), _nearest(self.y, grid)
        return Rect(x, y, max(grid, _nearest(self.w, grid)), max(grid, _nearest(self.h, grid)))

    def snap_out(self, grid: int = CELL) -> Rect:
        """The smallest rectangle on the grid that contains this one."""
        return Rect.from_corners(
            self.x // grid * grid, self.y // grid * grid, -(-self.x1 // grid) * grid, -(-self.y1 // grid) * grid
        )

    def cells(self) -> Rect:
        """This rectangle in units of latent cells; it must lie on their grid."""
        if not self.on_cells:
            raise ValueError(f"{self} does not lie on the {CELL} px grid")
        return Rect(self.x // CELL, self.y // CELL, self.w // CELL, self.h // CELL)

    def pixels(self) -> Rect:
        """This rectangle of latent cells in pixels."""
        return Rect(*(v * CELL for v in self))

    def slices(self, inside: Rect) -> tuple[slice, slice]:
        """(rows, columns) of this rectangle in an array that covers `inside`."""
        return slice(self.y - inside.y, self.y1 - inside.y), slice(self.x - inside.x, self.x1 - inside.x)

    def tiles(self, grid: int = TILE) -> Iterator[tuple[int, int]]:
        """(x, y) of every tile that shares a pixel with this rectangle, row by row."""
        if self.empty:
            return
        for ty in range(self.y // grid, (self.y1 - 1) // grid + 1):
            for tx in range(self.x // grid, (self.x1 - 1) // grid + 1):
                yield tx, ty

    def tile_span(self, grid: int = TILE) -> Rect:
        """The rectangle of tile coordinates that this one touches."""
        if self.empty:
            return Rect(self.x // grid, self.y // grid, 0, 0)
        return Rect.from_corners(self.x // grid, self.y // grid, (self.x1 - 1) // grid + 1, (self.y1 - 1) // grid + 1)


def _nearest(value: int, grid: int) -> int:
    """`value` rounded to a multiple of `grid`, halves upwards on both sides of zero."""
    return (value + grid // 2) // grid * grid


def tile_rect(tx: int, ty: int) -> Rect:
    """The pixels of tile (tx, ty)."""
    return Rect(tx * TILE, ty * TILE, TILE, TILE)


def bounding_rect(mask: np.ndarray, x: int = 0, y: int = 0) -> Rect:
    """The smallest rectangle around the True elements of a 2-D mask whose first element lies at (x, y)."""
    rows = np.flatnonzero(mask.any(axis=1))
    if rows.size == 0:
        return Rect(x, y, 0, 0)
    columns = np.flatnonzero(mask.any(axis=0))
    return Rect.from_corners(x + int(columns[0]), y + int(rows[0]), x + int(columns[-1]) + 1, y + int(rows[-1]) + 1)


def side_window(anchor: Rect, direction: Direction, window: int, centre: int | None = None) -> Rect:
    """The window of `window` px that extends `anchor` in a direction: half on it, half beyond its edge.

    An anchor thinner than half a window is overlapped whole, so the frame never reaches past its far side.
    `centre` is the coordinate along the edge to centre on (default: the middle of the side).
    Everything snaps to latent cells.
    """
    if direction not in DIRECTIONS:
        raise ValueError(f"direction {direction!r} is none of {', '.join(DIRECTIONS)}")
    a, horizontal = anchor.snap_out(), direction in ("left", "right")
    if centre is None:
        centre = a.y + a.h // 2 if horizontal else a.x + a.w // 2
    along = _nearest(centre - window // 2, CELL)
    overlap = min(window // 2 // CELL * CELL, a.w if horizontal else a.h)
    match direction:
        case "right":
            return Rect(a.x1 - overlap, along, window, window)
        case "left":
            return Rect(a.x + overlap - window, along, window, window)
        case "down":
            return Rect(along, a.y1 - overlap, window, window)
        case _:
            return Rect(along, a.y + overlap - window, window, window)
