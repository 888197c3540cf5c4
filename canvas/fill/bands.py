"""One row of windows in one step of a fill: what its windows see, and the sum of what they make."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from canvas.fill.grid import Span
from canvas.fill.survey import ACTIVE
from canvas.geometry import Rect
from canvas.scene_file.fill_state import FillState


@dataclass(slots=True)
class Band:
    """A row of windows of one step: what they see, read once, and the sum of what they make."""

    number: int
    y: Span
    bounds: Rect
    missing: int  # windows still to come
    done: bool
    _ground: tuple[np.ndarray, np.ndarray] | None = None
    _latents: np.ndarray | None = None
    _source: tuple[np.ndarray, np.ndarray] | None = None
    _sum: np.ndarray | None = None

    @property
    def end(self) -> int:
        return self.y.start + len(self.y.weights)

    def ground(self, state: FillState) -> tuple[np.ndarray, np.ndarray]:
        if self._ground is None:
            self._ground = state.survey(self.y.start, self.end)
        return self._ground

    def source(self, state: FillState, bands: int) -> tuple[np.ndarray, np.ndarray]:
        """What a translation sees, see `FillState.source`."""
        if self._source is None:
            self._source = state.source(self.y.start, self.end, bands)
        return self._source

    def latents(self, state: FillState, phase: int, channels: int) -> np.ndarray:
        if self._latents is None:
            self._latents = state.rows(phase, self.y.start, self.end, channels)
        return self._latents

    def add(self, window: Window, stepped: np.ndarray) -> None:
        """Take what a window made (channels, side, side) by its weights."""
        assert self._ground is not None  # it was loaded
        if self._sum is None:
            self._sum = np.zeros((len(stepped), len(self.y.weights), self.bounds.w), np.float32)
        columns = slice(window.x.start - self.bounds.x, window.x.start - self.bounds.x + len(window.x.weights))
        weights = self.y.weights[:, None] * window.x.weights
        active = np.isin(self._ground[0][:, columns], ACTIVE)
        self._sum[..., columns] += np.where(active & (weights > 0), weights * stepped, 0)
        self.missing -= 1

    def take(self, bounds: Rect) -> tuple[int, np.ndarray]:
        """(first row, sums (channels, n, w)) of the rows this band has a share in; forgets them."""
        assert self._sum is not None
        low, high = self.y.owned
        rows = self._sum[:, low - self.y.start : high - self.y.start]
        self._sum = self._ground = self._latents = self._source = None
        return low, rows


@dataclass(frozen=True, slots=True)
class Window:
    x: Span
    band: Band
