"""Everything one can read of a scene, all at one moment of it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from canvas.anchor import Anchor
from canvas.errors import SceneError
from canvas.geometry import TILE, Rect, tile_rect
from canvas.layers import LAYERS, bands_of
from canvas.scene_file import codec, tiles, vectors


@dataclass(frozen=True, slots=True)
class Patch:
    """A rectangle of one layer; where a mask is False nothing is known, and the values there are 0."""

    rect: Rect
    pixels: np.ndarray  # uint8 (h, w, bands of the layer)
    valid: np.ndarray  # bool (h, w)
    latents: np.ndarray  # float32 (4, h/8, w/8)
    latent_valid: np.ndarray  # bool (h/8, w/8)


def fingerprint(pixels: np.ndarray, valid: np.ndarray) -> bytes:
    """32 bytes that tell one state of a place from another: equal where it looks the same and only there."""
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes() + np.packbits(valid).tobytes()).digest()


def box_around(boxes: Iterable[Rect]) -> Rect | None:
    """The smallest rectangle around several; None around none."""
    found = reduce(Rect.union, boxes, Rect(0, 0, 0, 0))
    return None if found.empty else found


class Snapshot:
    """Reads through one connection inside one read transaction: no later change is seen through it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @property
    def revision(self) -> int:
        return int(self.meta("revision"))

    @property
    def resolution(self) -> float:
        """m/px."""
        return float(self.meta("resolution"))

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers with content, `rgb` first."""
        return tuple(self.layer_bounds)

    @property
    def tile_count(self) -> int:
        """How many tiles have content."""
        return int(self._connection.execute("SELECT count(*) FROM heads").fetchone()[0])

    @property
    def bounds(self) -> Rect | None:
        """The smallest rectangle (px) around everything known, in any layer; None in an empty scene."""
        return box_around(self.layer_bounds.values())

    @property
    def layer_bounds(self) -> dict[str, Rect]:
        """Of each layer with content the smallest rectangle (px) around it, `rgb` first."""
        rows = self._connection.execute(
            f"SELECT layer, min(x * {TILE} + left), min(y * {TILE} + top),"
            f" max(x * {TILE} + right), max(y * {TILE} + bottom) FROM heads GROUP BY layer"
        ).fetchall()
        found = {layer: Rect.from_corners(*box) for layer, *box in rows}
        return {layer: found[layer] for layer in LAYERS if layer in found}

    @property
    def anchor(self) -> Anchor | None:
        """Where the scene lies on Earth; None where nobody said so."""
        found = dict(self._connection.execute("SELECT key, value FROM meta WHERE key IN ('epsg', 'east', 'north')"))
        return Anchor(**found) if len(found) == 3 else None

    def meta(self, key: str) -> str | float | int:
        """One value of the table `meta`."""
        row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise SceneError(f"This scene does not say its {key}: restore it from a copy.")
        return row[0]

    def read(self, rect: Rect, layer: str = "rgb", model: str | None = None) -> Patch:
        """Pixels and latents of a rectangle on the 8 px grid.

        `model` (a fingerprint) leaves out the latents that other models made: they mean nothing to it.
        """
        cells = rect.cells()
        pixels, valid = _blank(rect, layer)
        latents = np.zeros((codec.LATENT_CHANNELS, cells.h, cells.w), np.float32)
        latent_valid = np.zeros((cells.h, cells.w), bool)
        for tile, whole in self._tiles(rect, layer):
            part = whole.intersect(rect)
            here, there = part.slices(rect), part.slices(whole)
            pixels[here], valid[here] = tile.pixels[there], tile.valid[there]
            if model is None or tile.latent_model == model:
                here, there = part.cells().slices(cells), part.cells().slices(whole.cells())
                latents[:, here[0], here[1]] = tile.latents[:, there[0], there[1]]
                latent_valid[here] = tile.latent_valid[there]
        return Patch(rect, pixels, valid, latents, latent_valid)

    def pixels(self, rect: Rect, layer: str = "rgb") -> tuple[np.ndarray, np.ndarray]:
        """(uint8 (h, w, bands of the layer), bool (h, w)) of any rectangle: what is known and where."""
        pixels, valid = _blank(rect, layer)
        for tile, whole in self._tiles(rect, layer):
            part = whole.intersect(rect)
            here, there = part.slices(rect), part.slices(whole)
            pixels[here], valid[here] = tile.pixels[there], tile.valid[there]
        return pixels, valid

    def opaque(self, rect: Rect, layer: str = "rgb") -> bool:
        """Whether every pixel of a rectangle is surely known, told without reading a pixel.

        False also where a tile's known pixels do not form a rectangle.
        """
        span = rect.tile_span()
        covered = 0
        for x, y, known, left, top, right, bottom in self._connection.execute(
            "SELECT x, y, known, left, top, right, bottom FROM heads"
            " WHERE layer = ? AND x >= ? AND x < ? AND y >= ? AND y < ?",
            (layer, span.x, span.x1, span.y, span.y1),
        ):
            box = Rect.from_corners(x * TILE + left, y * TILE + top, x * TILE + right, y * TILE + bottom)
            if known != box.area:
                return False
            covered += box.intersect(rect).area
        return covered == rect.area

    def requests(self, rect: Rect) -> Iterator[tuple[Rect, dict[str, Any]]]:
        """The changes that touch a rectangle, newest first: (where each changed something, px; its request, JSON)."""
        for request, *box in self._connection.execute(
            "SELECT request, x, y, w, h FROM steps WHERE NOT undone AND x < ? AND x + w > ? AND y < ? AND y + h > ?"
            " ORDER BY id DESC",
            (rect.x1, rect.x, rect.y1, rect.y),
        ):
            yield Rect(*box), json.loads(request)

    def prompts(self, rect: Rect, layers: Collection[str], limit: int = 100) -> list[str]:
        """The different prompts whose changes touch a rectangle of some layers, newest first, at most `limit`."""
        return self._of_requests(rect, layers, limit, lambda request: request.get("prompt"))

    def imported_files(self, rect: Rect, layers: Collection[str], limit: int = 100) -> list[str]:
        """The names of the files whose imports touch a rectangle of some layers, newest first, at most `limit`."""
        return self._of_requests(rect, layers, limit, lambda request: (request.get("source") or {}).get("file"))

    def tiles_to_see(self, tower: str, layer: str) -> tuple[int, int]:
        """How many tiles of a layer a search can look at, and how many of them this image tower has not seen yet."""
        return vectors.counts(self._connection, tower, layer)

    def unseen_tiles(self, tower: str, layer: str, limit: int) -> list[vectors.TileBox]:
        """The next ones that it has not seen yet."""
        return vectors.missing(self._connection, tower, layer, limit)

    def seen_tiles(self, tower: str, layer: str, dimensions: int) -> Iterator[tuple[list[Rect], np.ndarray]]:
        """Those that it has seen, with its vectors; see `vectors.of_shown`."""
        return vectors.of_shown(self._connection, tower, layer, dimensions)

    def _of_requests(
        self, rect: Rect, layers: Collection[str], limit: int, wanted: Callable[[dict[str, Any]], str | None]
    ) -> list[str]:
        """The different texts that `wanted` finds in the requests whose changes touch a rectangle, newest first."""
        found: dict[str, None] = {}
        for _, request in self.requests(rect):
            text = wanted(request) if request.get("layer", "rgb") in layers else None
            if text:
                found[text] = None
            if len(found) == limit:
                break
        return list(found)

    def _tiles(self, rect: Rect, layer: str) -> Iterator[tuple[tiles.Tile, Rect]]:
        """The tiles with content in a rectangle, one at a time, with the pixels each covers."""
        for x, y, revision in tiles.heads_in(self._connection, layer, rect.tile_span()):
            yield tiles.load(self._connection, layer, x, y, revision), tile_rect(x, y)


def _blank(rect: Rect, layer: str) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((rect.h, rect.w, bands_of(layer)), np.uint8), np.zeros((rect.h, rect.w), bool)
