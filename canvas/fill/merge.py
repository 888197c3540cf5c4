"""From finished latents to tiles: decoded piece by piece, blended over what is there, not shown yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from canvas.fill.request import FillRequest
from canvas.fill.survey import BOUNDARY, REMADE, TODO
from canvas.fill.workers import Drawing, Workers
from canvas.geometry import CELL, TILE, Rect, bounding_rect, tile_rect
from canvas.masks import spread
from canvas.scene import Scene
from canvas.scene_file import tiles
from canvas.scene_file.fill_state import FillState, StagedTile
from canvas.scene_file.snapshot import Snapshot
from text2earth_core.sampling.feather import blend, feather_weight

PIECE = 2  # tiles in a row that are decoded at once

Report = Callable[[Rect, np.ndarray], None]


@dataclass(frozen=True, slots=True)
class _Piece:
    """Pixels to be written: `weights` float32 (h, w) of the new over the old, `latents` (4, h/8, w/8) of all cells."""

    rect: Rect
    weights: np.ndarray
    latents: np.ndarray
    context: Rect  # px that are decoded for it
    before: dict[tuple[int, int], int]  # revisions of the tiles it goes into


class Merger:
    """Makes tiles from the state that came out of the last phase; a band is one row of tiles."""

    def __init__(self, scene: Scene, request: FillRequest, state: FillState, halo: int) -> None:
        self._scene, self._request, self._state, self._halo = scene, request, state, halo
        self._task = request.translation
        self._feather = -(-request.feather // CELL) * CELL
        self._content = self._content_box()
        self._area = request.frame.expand(self._feather).intersect(self._content.pixels())

    @property
    def bands(self) -> range:
        """The rows of tiles (their y) that may change."""
        return range(self._area.y // TILE, (self._area.y1 - 1) // TILE + 1)

    def stage(self, band: int, workers: Workers, report: Report) -> None:
        """Make the tiles of a band, over the scene as it is now, and put them into the state.

        `report(rect, latents)` is called for each piece (px) that is done.
        """
        waiting: deque[_Piece] = deque()

        def jobs() -> Iterator[Drawing]:
            for piece, drawing in self._pieces(band):
                waiting.append(piece)
                yield drawing

        for decoded in workers.map("decode", jobs()):
            piece = waiting.popleft()
            self._state.stage(self._request.layer, self._merge(piece, decoded[piece.rect.slices(piece.context)]))
            report(piece.rect, piece.latents)

    def _pieces(self, band: int) -> Iterator[tuple[_Piece, Drawing]]:
        """What is to be written in a band, piece by piece, and what to decode for it."""
        bounds, margin = self._state.bounds, max(self._halo, self._feather // CELL)
        top, bottom = band * TILE // CELL, (band + 1) * TILE // CELL
        rows = Rect.from_corners(bounds.x, max(bounds.y, top - margin), bounds.x1, min(bounds.y1, bottom + margin))
        roles, latents = self._state.survey(rows.y, rows.y1)
        made = np.isin(roles, (TODO, REMADE))
        latents[:, made] = self._state.rows(self._request.steps, rows.y, rows.y1)[:, made]
        there = made | np.isin(roles, BOUNDARY)
        source = None if self._task is None else self._state.source(rows.y, rows.y1, self._task.sees.channels)
        width, staged = PIECE * TILE, self._state.staged(band)
        for x in range(self._area.x // width * width, self._area.x1, width):
            rect = Rect(x, band * TILE, width, TILE).intersect(self._area)
            if not staged.isdisjoint(rect.tiles()):
                continue
            weights, before = self._weights(rect, roles, there, rows, source)
            if not weights.any():
                continue
            context = rect.cells().expand(self._halo).intersect(self._content)
            seen = context.slices(rows)
            carried = spread(latents[:, seen[0], seen[1]], there[seen], self._halo)
            own = rect.cells().slices(rows)
            around = context.pixels()
            seen_of = (part[around.slices(rows.pixels())] for part in source or ())
            drawing = Drawing(carried, (around.x, around.y), *seen_of)
            yield _Piece(rect, weights, latents[:, own[0], own[1]].copy(), around, before), drawing

    def _weights(
        self,
        rect: Rect,
        roles: np.ndarray,
        there: np.ndarray,
        rows: Rect,
        source: tuple[np.ndarray, np.ndarray] | None,
    ) -> tuple[np.ndarray, dict[tuple[int, int], int]]:
        """Where a piece is to be written, and the tiles this was looked up in.

        float32 (h, w): 1 where a pixel is missing, falling to 0 within the feather, 0 where nothing can be decoded.
        """
        near = rect.expand(self._feather).intersect(rows.pixels())
        at = near.cells().slices(rows)
        layer = self._request.layer
        with self._scene.database.read() as connection:
            _, valid = Snapshot(connection).pixels(near, layer)
            before = {(x, y): revision for x, y, revision in tiles.heads_in(connection, layer, rect.tile_span())}
        missing = _enlarge(roles[at] == TODO)
        if self._task is None or not self._task.in_place:
            missing &= ~valid
        if source is not None:  # a target ends where its source does
            missing &= source[1][near.slices(rows.pixels())]
        # Only over what is still known: ground that was undone meanwhile must not come back in black.
        weights = feather_weight(missing, self._request.feather) * _enlarge(there[at]) * (valid | missing)
        return weights[rect.slices(near)], before

    def _merge(self, piece: _Piece, decoded: np.ndarray) -> list[StagedTile]:
        """The tiles under a piece with the new pixels and latents in them."""
        finished = []
        for x, y in piece.rect.tiles():
            whole = tile_rect(x, y)
            part = whole.intersect(piece.rect)
            here, there = part.slices(whole), part.slices(piece.rect)
            weights = piece.weights[there]
            written = weights > 0
            if not written.any():
                continue
            layer, before = self._request.layer, piece.before.get((x, y))
            with self._scene.database.read() as connection:
                tile = tiles.Tile.blank(layer) if before is None else tiles.load(connection, layer, x, y, before)
            new = decoded[there]
            old = np.where(tile.valid[here][..., None], tile.pixels[here], new)
            tile.write_pixels(here, blend(old, new, weights), written)
            cells_here = part.cells().slices(whole.cells())
            cells_there = part.cells().slices(piece.rect.cells())
            if self._task is None or not self._task.holds:  # else the latents do not say what the pixels became
                tile.write_latents(
                    cells_here, piece.latents[:, cells_there[0], cells_there[1]], tiles.cells_touched(written),
                    self._request.model,
                )  # fmt: skip
            finished.append(StagedTile(x, y, before, bounding_rect(written, part.x, part.y), tile))
        return finished

    def _content_box(self) -> Rect:
        """The smallest rectangle of cells around all content: beyond it the decoder continues the edge by itself."""
        bounds, box = self._state.bounds, Rect(0, 0, 0, 0)
        for y in range(bounds.y, bounds.y1, TILE):
            roles, _ = self._state.survey(y, min(y + TILE, bounds.y1))
            box = box.union(bounding_rect(np.isin(roles, (TODO, REMADE, *BOUNDARY)), bounds.x, y))
        return box


def _enlarge(cells: np.ndarray) -> np.ndarray:
    """A mask of cells as a mask of pixels."""
    return cells.repeat(CELL, 0).repeat(CELL, 1)
