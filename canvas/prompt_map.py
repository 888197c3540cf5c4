"""Which prompt holds where: regions with soft borders, mixed by weights that sum to 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from canvas.geometry import CELL, Rect

SAMPLES = 8  # points along a window's side at which its prompts are looked up

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Region:
    """All of one or more polygons in scene pixels (a rectangle is one of four corners).

    Where a polygon crosses itself the even-odd rule holds; where polygons overlap, what any of them covers is inside.
    """

    polygons: tuple[Points, ...]

    @classmethod
    def of_rect(cls, rect: Rect) -> Region:
        return cls((((rect.x, rect.y), (rect.x1, rect.y), (rect.x1, rect.y1), (rect.x, rect.y1)),))

    @property
    def box(self) -> Rect:
        """The smallest rectangle of whole pixels around it."""
        x, y = np.concatenate([np.array(points) for points in self.polygons]).T
        return Rect.from_corners(
            *(int(v) for v in (np.floor(x.min()), np.floor(y.min()), np.ceil(x.max()), np.ceil(y.max())))
        )

    @property
    def least_area(self) -> float:
        """px^2 that the smallest of its polygons encloses, parts of opposite turn against each other."""
        return min(_area(points) for points in self.polygons)

    def contains(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """bool: which of the points (x, y) lie inside."""
        inside = np.zeros(np.broadcast(x, y).shape, bool)
        for points in self.polygons:
            inside |= _contains(points, x, y)
        return inside

    def distance(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """px from each point to the outline."""
        nearest = np.full(np.broadcast(x, y).shape, np.inf)
        for (ax, ay), (bx, by) in chain.from_iterable(map(_sides, self.polygons)):
            length = (bx - ax) ** 2 + (by - ay) ** 2
            along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length if length else np.zeros(nearest.shape)
            along = np.clip(along, 0, 1)
            nearest = np.minimum(nearest, np.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay)))
        return nearest

    def cells(self, cells: Rect) -> np.ndarray:
        """bool (h, w): which cells of a rectangle of latent cells have their centre inside."""
        x = (np.arange(cells.x, cells.x1) + 0.5) * CELL
        y = (np.arange(cells.y, cells.y1) + 0.5) * CELL
        return self.contains(x[None, :], y[:, None])


@dataclass(frozen=True, slots=True)
class Prompt:
    """A text and where it holds: everywhere (no region), or in a region and, fading out, `feather` px around it."""

    text: str
    region: Region | None = None
    feather: float = 0.0

    def weight(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """0 to 1 at each point (px)."""
        if self.region is None:
            return np.ones(np.broadcast(x, y).shape)
        if self._is_far(x, y):
            return np.zeros(np.broadcast(x, y).shape)
        inside = self.region.contains(x, y)
        if not self.feather:
            return inside.astype(float)
        return np.where(inside, 1.0, np.clip(1 - self.region.distance(x, y) / self.feather, 0, 1))

    def _is_far(self, x: np.ndarray, y: np.ndarray) -> bool:
        """Whether all points lie beyond the feather: most prompts of a large map say nothing about a window."""
        assert self.region is not None
        box, feather = self.region.box, self.feather
        return bool(
            x.max() < box.x - feather or x.min() > box.x1 + feather
            or y.max() < box.y - feather or y.min() > box.y1 + feather
        )  # fmt: skip


class PromptMap:
    """Several prompts over an area; where their weights sum to less than 1, the empty prompt makes up for the rest.

    `texts` are the prompts' texts and, last, the empty one; weights come in this order. Where only a `region` is made,
    what the prompts say beside it does not count.
    """

    def __init__(self, prompts: Sequence[Prompt], region: Region | None = None) -> None:
        self._prompts, self._region = tuple(prompts), region
        self.texts = (*(prompt.text for prompt in prompts), "")

    def weights(self, window: Rect) -> np.ndarray:
        """float32 (prompts + 1,): the share of each prompt in a window (px); they sum to 1.

        Shares, not a map: a window has one text condition. As the grid moves from phase to phase, every place is seen
        under the mixtures of all windows around it, and prompts pass into one another over about a window.
        """
        x = window.x + (np.arange(SAMPLES) + 0.5) * (window.w / SAMPLES)
        y = window.y + (np.arange(SAMPLES) + 0.5) * (window.h / SAMPLES)
        found = np.stack([prompt.weight(x[None, :], y[:, None]) for prompt in self._prompts])
        found /= np.maximum(found.sum(axis=0), 1)
        made = None if self._region is None else self._region.contains(x[None, :], y[:, None])
        shares = found.mean(axis=(1, 2)) if made is None or not made.any() else found[:, made].mean(axis=1)
        return np.append(shares, max(0.0, 1 - shares.sum())).astype(np.float32)


def _contains(points: Points, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    inside = np.zeros(np.broadcast(x, y).shape, bool)
    top, bottom = y.min(), y.max()
    for (ax, ay), (bx, by) in _sides(points):
        if ay != by and min(ay, by) <= bottom and max(ay, by) >= top:
            inside ^= ((ay > y) != (by > y)) & (x < ax + (y - ay) * ((bx - ax) / (by - ay)))
    return inside


def _area(points: Points) -> float:
    x, y = np.array(points).T
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2


def _sides(points: Points) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    return list(zip(points, points[1:] + points[:1], strict=True))
