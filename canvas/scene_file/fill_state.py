"""A region fill on its way, kept in the scene file: killed at any moment, it goes on to the same pixels."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from canvas.errors import SceneError
from canvas.geometry import CELL, TILE, Rect
from canvas.request import Request
from canvas.scene_file import branches, history, tiles
from canvas.scene_file.codec import LATENT_CHANNELS, inflate
from canvas.scene_file.commit import check_resolution, finish, next_revision
from canvas.scene_file.database import Database
from canvas.scene_file.history import Entry, TileChange

KEPT = 3  # unfinished fills that may still be resumed when another one begins
SURVEY = -1  # the phase before the first: the ground is kept under it as it was found
SOURCE = -2  # as which that is kept of which a translation is made


@dataclass(frozen=True, slots=True)
class StagedTile:
    """A finished tile that is not shown yet: the revision it was made over, and where it changed (px in the scene)."""

    x: int
    y: int
    before: int | None
    changed: Rect
    tile: tiles.Tile


def any_begun(database: Database) -> bool:
    """Whether the scene holds work of a fill that has not ended, beyond a look at the ground."""
    with database.read() as connection:
        return connection.execute("SELECT 1 FROM fills WHERE phase > ? LIMIT 1", (SURVEY,)).fetchone() is not None


class FillState:
    """The rows of latents of one fill, and which parts of it are done.

    Each write is one durable transaction, and doing a part twice does no harm: what is marked as done is left alone.
    The order in which the parts of a phase are done leaves no trace: a row gets at most two contributions, and the sum
    of two numbers does not depend on their order.
    """

    def __init__(self, database: Database, fill: int) -> None:
        self._database, self.id = database, fill
        with database.read() as connection:
            row = connection.execute("SELECT phase, x, y, w, h FROM fills WHERE id = ?", (fill,)).fetchone()
        self.phase: int = row[0]
        self.bounds = Rect(*row[1:])  # cells

    @classmethod
    def find(cls, database: Database, request: Request) -> FillState | None:
        """The unfinished fill that answers a request, if there is one."""
        with database.read() as connection:
            row = connection.execute("SELECT id FROM fills WHERE request = ?", (request.to_json(),)).fetchone()
        return None if row is None else cls(database, row[0])

    @classmethod
    def begin(cls, database: Database, request: Request, bounds: Rect) -> FillState:
        """A new fill of `bounds` (cells) that has done nothing yet; the oldest unfinished ones make room for it."""
        with database.write() as connection:
            for (old,) in connection.execute(
                "SELECT id FROM fills ORDER BY id DESC LIMIT -1 OFFSET ?", (KEPT,)
            ).fetchall():
                _drop_staged(connection, old)
                connection.execute("DELETE FROM fills WHERE id = ?", (old,))
            cursor = connection.execute(
                "INSERT INTO fills (request, created, phase, x, y, w, h) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (request.to_json(), history.now(), SURVEY, *bounds),
            )
        assert cursor.lastrowid is not None  # an INSERT always has one
        return cls(database, cursor.lastrowid)

    def discard(self) -> None:
        """Forget the fill and everything it has made so far."""
        with self._database.write() as connection:
            _drop_staged(connection, self.id)
            connection.execute("DELETE FROM fills WHERE id = ?", (self.id,))

    # rows of cells

    def write_survey(self, y: int, roles: np.ndarray, known: np.ndarray) -> None:
        """Keep what the ground is: roles uint8 (n, w) and latents float32 (4, n, w) of the rows from `y`."""
        with self._database.write() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO fill_rows VALUES (?, ?, ?, ?)",
                [
                    (self.id, SURVEY, y + n, zlib.compress(roles[n].tobytes() + _bytes(known[:, n]), 1))
                    for n in range(len(roles))
                ],
            )

    def survey(self, y0: int, y1: int) -> tuple[np.ndarray, np.ndarray]:
        """(roles, known latents) of rows, as `write_survey` took them."""
        width = self.bounds.w
        roles = np.zeros((y1 - y0, width), np.uint8)
        known = np.zeros((LATENT_CHANNELS, y1 - y0, width), np.float32)
        for y, data in self._rows(SURVEY, y0, y1):
            raw = inflate(data, width * (1 + 4 * LATENT_CHANNELS))
            roles[y - y0] = np.frombuffer(raw, np.uint8, width)
            known[:, y - y0] = np.frombuffer(raw, "<f4", offset=width).reshape(-1, width)
        return roles, known

    def write_source(self, y: int, pixels: np.ndarray, known: np.ndarray) -> None:
        """Keep what is translated: uint8 (8n, 8w, bands) and bool (8n, 8w) of the rows of cells from `y`."""
        with self._database.write() as connection:
            for n in range(len(known) // CELL):
                at = slice(n * CELL, (n + 1) * CELL)
                data = np.packbits(known[at]).tobytes() + np.ascontiguousarray(pixels[at]).tobytes()
                connection.execute(
                    "INSERT OR REPLACE INTO fill_rows VALUES (?, ?, ?, ?)",
                    (self.id, SOURCE, y + n, zlib.compress(data, 1)),
                )

    def source(self, y0: int, y1: int, bands: int) -> tuple[np.ndarray, np.ndarray]:
        """(pixels, known) of rows of cells, as `write_source` took them; nothing is known beyond the bounds."""
        width = self.bounds.w * CELL
        pixels = np.zeros(((y1 - y0) * CELL, width, bands), np.uint8)
        known = np.zeros(((y1 - y0) * CELL, width), bool)
        for y, data in self._rows(SOURCE, y0, y1):
            at = slice((y - y0) * CELL, (y - y0 + 1) * CELL)
            raw = np.frombuffer(inflate(data, width + width * CELL * bands), np.uint8)
            known[at] = np.unpackbits(raw[:width]).reshape(CELL, width)
            pixels[at] = raw[width:].reshape(CELL, width, bands)
        return pixels, known

    def rows(self, phase: int, y0: int, y1: int, channels: int = LATENT_CHANNELS) -> np.ndarray:
        """float32 (channels, y1 - y0, w): what `phase` starts from, noisy latents first; 0 where nothing is to do."""
        found = np.zeros((channels, y1 - y0, self.bounds.w), np.float32)
        for y, data in self._rows(phase, y0, y1):
            found[:, y - y0] = np.frombuffer(data, "<f4").reshape(-1, self.bounds.w)[:channels]
        return found

    def _rows(self, phase: int, y0: int, y1: int) -> Sequence[tuple[int, bytes]]:
        with self._database.read() as connection:
            return connection.execute(
                "SELECT y, data FROM fill_rows WHERE fill = ? AND phase = ? AND y >= ? AND y < ?",
                (self.id, phase, y0, y1),
            ).fetchall()

    # phases and their bands

    def done(self, phase: int) -> set[int]:
        """The bands of a phase that are finished."""
        with self._database.read() as connection:
            return {
                band
                for (band,) in connection.execute(
                    "SELECT band FROM fill_bands WHERE fill = ? AND phase = ?", (self.id, phase)
                )
            }

    def add(self, phase: int, band: int, y: int, rows: np.ndarray) -> None:
        """Add a band's share, float32 (channels, n, w) from row `y`, to what the next phase starts from; it is done."""
        with self._database.write() as connection:
            if not _mark(connection, self.id, phase, band):
                return
            for n in range(rows.shape[1]):
                at = (self.id, phase + 1, y + n)
                former = connection.execute(
                    "SELECT data FROM fill_rows WHERE fill = ? AND phase = ? AND y = ?", at
                ).fetchone()
                row = rows[:, n]
                if former is not None:
                    row = row + np.frombuffer(former[0], "<f4").reshape(row.shape)
                connection.execute("INSERT OR REPLACE INTO fill_rows VALUES (?, ?, ?, ?)", (*at, _bytes(row)))

    def advance(self, phase: int) -> None:
        """Go on to `phase`; what only earlier ones needed is deleted."""
        with self._database.write() as connection:
            connection.execute("UPDATE fills SET phase = ? WHERE id = ? AND phase < ?", (phase, self.id, phase))
            connection.execute(
                "DELETE FROM fill_rows WHERE fill = ? AND phase < ? AND phase > ?", (self.id, phase, SURVEY)
            )
            connection.execute("DELETE FROM fill_bands WHERE fill = ? AND phase < ?", (self.id, phase))
        self.phase = phase

    # tiles

    def staged(self, y: int) -> set[tuple[int, int]]:
        """(x, y) of the tiles in a row of tiles that are finished already."""
        with self._database.read() as connection:
            return set(connection.execute("SELECT x, y FROM fill_tiles WHERE fill = ? AND y = ?", (self.id, y)))

    def stage(self, layer: str, finished: Sequence[StagedTile]) -> None:
        """Put finished tiles into the file, not shown yet."""
        with self._database.write() as connection:
            _check_alive(connection, self.id)
            revision = _reserved_revision(connection, self.id)
            for item in finished:
                cursor = connection.execute(
                    "INSERT OR IGNORE INTO fill_tiles VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (self.id, layer, item.x, item.y, item.before,
                     item.changed.x, item.changed.y, item.changed.x1, item.changed.y1),
                )  # fmt: skip
                if cursor.rowcount == 1:
                    tiles.store(connection, layer, item.x, item.y, revision, item.tile)

    def finish(self, request: Request) -> Entry | None:
        """Show all staged tiles at once as one step of the history, and forget the fill.

        Where a tile was changed by somebody else since it was staged, nothing is shown: the staged tiles of its row
        are dropped, to be staged again, and None is returned.
        """
        with self._database.write() as connection:
            _check_alive(connection, self.id)
            check_resolution(connection, request)
            revision = _reserved_revision(connection, self.id)
            staged = connection.execute(
                "SELECT layer, x, y, before FROM fill_tiles WHERE fill = ? ORDER BY layer, y, x", (self.id,)
            ).fetchall()
            stale = {y for layer, x, y, before in staged if tiles.head(connection, layer, x, y) != before}
            for y in stale:
                _drop_staged(connection, self.id, y)
            if stale:
                return None
            if not staged:
                raise SceneError("This region was filled by something else meanwhile: nothing was left to do.")
            box = connection.execute(
                "SELECT min(left), min(top), max(right), max(bottom) FROM fill_tiles WHERE fill = ?", (self.id,)
            ).fetchone()
            connection.execute("DELETE FROM fills WHERE id = ?", (self.id,))
            branches.set_aside(connection)
            changed: list[TileChange] = [(layer, x, y, before, revision) for layer, x, y, before in staged]
            next_revision(connection)  # the reserved one may be older than what is shown by now
            return finish(connection, request, Rect.from_corners(*box), revision, changed)


def content_box(connection: sqlite3.Connection, layer: str, reach: Rect) -> Rect:
    """The smallest rectangle (px) around what is known inside `reach` (px), told by the tiles' known boxes."""
    box = Rect(reach.x, reach.y, 0, 0)
    span = reach.tile_span()
    for x, y, left, top, right, bottom in connection.execute(
        "SELECT x, y, left, top, right, bottom FROM heads WHERE layer = ? AND x >= ? AND x < ? AND y >= ? AND y < ?",
        (layer, span.x, span.x1, span.y, span.y1),
    ):
        known = Rect.from_corners(x * TILE + left, y * TILE + top, x * TILE + right, y * TILE + bottom)
        box = box.union(known.intersect(reach))
    return box


def _mark(connection: sqlite3.Connection, fill: int, phase: int, band: int) -> bool:
    """Mark a band as done; False where it is already, or where the fill is gone or further on."""
    if _check_alive(connection, fill) != phase:
        return False
    cursor = connection.execute("INSERT OR IGNORE INTO fill_bands VALUES (?, ?, ?)", (fill, phase, band))
    return cursor.rowcount == 1


def _check_alive(connection: sqlite3.Connection, fill: int) -> int:
    """The phase a fill is in, as the file has it."""
    row = connection.execute("SELECT phase FROM fills WHERE id = ?", (fill,)).fetchone()
    if row is None:
        raise SceneError("This fill was finished or given up by another program: look at the scene and start it again.")
    return int(row[0])


def _reserved_revision(connection: sqlite3.Connection, fill: int) -> int:
    """The revision under which a fill stores its tiles: its own from the first one on, so that none can clash."""
    (revision,) = connection.execute("SELECT revision FROM fills WHERE id = ?", (fill,)).fetchone()
    if revision is None:
        revision = next_revision(connection)
        connection.execute("UPDATE fills SET revision = ? WHERE id = ?", (revision, fill))
    return int(revision)


def _drop_staged(connection: sqlite3.Connection, fill: int, y: int | None = None) -> None:
    """Delete the staged tiles of a fill, all or those of one row of tiles."""
    values = {"fill": fill, "y": y}
    connection.execute(
        "DELETE FROM tiles WHERE rowid IN (SELECT t.rowid FROM fill_tiles f JOIN fills ON fills.id = f.fill"
        " JOIN tiles t ON t.layer = f.layer AND t.x = f.x AND t.y = f.y AND t.revision = fills.revision"
        " WHERE f.fill = :fill AND (:y IS NULL OR f.y = :y))",
        values,
    )
    connection.execute("DELETE FROM fill_tiles WHERE fill = :fill AND (:y IS NULL OR y = :y)", values)


def _bytes(values: np.ndarray) -> bytes:
    return np.ascontiguousarray(values, "<f4").tobytes()
