"""A scene: one file that grows without bounds, keeps every accepted change, and can take each of them back."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from canvas.anchor import Anchor
from canvas.errors import SceneError
from canvas.geometry import Rect
from canvas.request import Request
from canvas.scene_file import branches, commit, files, history, pyramid, staging, thumbnails
from canvas.scene_file.apply import apply_change, apply_erasure, apply_pieces
from canvas.scene_file.change import Change
from canvas.scene_file.database import Database
from canvas.scene_file.history import Entry
from canvas.scene_file.meta import checked_resolution, checked_title, set_anchor, set_meta
from canvas.scene_file.redraw import Redrawer
from canvas.scene_file.schema import program_version
from canvas.scene_file.snapshot import Patch, Snapshot, box_around
from canvas.scene_file.spool import Piece, Spool
from canvas.scene_file.staging import Candidate


class Scene:
    """An open scene file, safe to use from several threads; several processes may have the same file open.

    Every method that changes something is one transaction, on the disk when it returns. If it raises SceneError,
    nothing was changed.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._redrawer = Redrawer(database)

    @classmethod
    def create(cls, path: str | Path, resolution: float, title: str = "Untitled scene") -> Scene:
        """A new empty scene of `resolution` m/px (0.25 to 128) in a new file."""
        meta: dict[str, str | float | int] = {
            "title": checked_title(title),
            "resolution": checked_resolution(resolution),
            "revision": 0,
            "created": history.now(),
            "modified": history.now(),
            "program": program_version(),
        }
        return cls(Database.create(Path(path), meta))

    @classmethod
    def open(cls, path: str | Path) -> Scene:
        """The scene in a file; older formats are brought up to date, a read-only file can be looked at."""
        return cls(Database(Path(path)))

    def close(self) -> None:
        """Close the file; the scene object is of no use afterwards."""
        self._database.close()

    def __enter__(self) -> Scene:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # what it is

    @property
    def path(self) -> Path:
        return self._database.path

    @property
    def database(self) -> Database:
        """The file's connections, for the parts of this room that keep more in it than content."""
        return self._database

    @property
    def writable(self) -> bool:
        """False for a file or folder without write permission."""
        return self._database.writable

    @property
    def title(self) -> str:
        with self.snapshot() as at:
            return str(at.meta("title"))

    @property
    def resolution(self) -> float:
        """m/px, fixed once the scene has content."""
        with self.snapshot() as at:
            return at.resolution

    @property
    def anchor(self) -> Anchor | None:
        """Where the scene lies on Earth; None where nobody said so."""
        with self.snapshot() as at:
            return at.anchor

    @property
    def revision(self) -> int:
        """Grows by one with every change of the content: an accepted change, an erasure, an undo, a redo."""
        with self.snapshot() as at:
            return at.revision

    @property
    def bounds(self) -> Rect | None:
        """The smallest rectangle (px) around everything known; None in an empty scene."""
        with self.snapshot() as at:
            return at.bounds

    @property
    def layer_bounds(self) -> dict[str, Rect]:
        """Of each layer with content the smallest rectangle (px) around it, `rgb` first."""
        with self.snapshot() as at:
            return at.layer_bounds

    @property
    def tile_count(self) -> int:
        """How many tiles have content."""
        with self.snapshot() as at:
            return at.tile_count

    @property
    def can_undo(self) -> bool:
        with self._database.read() as connection:
            return history.counts(connection)[0] > 0

    @property
    def can_redo(self) -> bool:
        with self._database.read() as connection:
            return history.counts(connection)[1] > 0

    @property
    def model_fingerprint(self) -> str:
        """The model of the newest change that is not undone; empty where none has one."""
        with self._database.read() as connection:
            return history.newest_model(connection)

    def summary(self) -> dict[str, Any]:
        """What a list of scenes shows, JSON-ready, all at one moment."""
        with self._database.read() as connection:
            at = Snapshot(connection)
            layers = at.layer_bounds
            bounds = box_around(layers.values())
            back, forth = history.counts(connection)
            return {
                "title": at.meta("title"),
                "resolution": at.resolution,
                "revision": at.revision,
                "bounds": list(bounds) if bounds else None,
                "empty": bounds is None,
                "can_undo": back > 0,
                "can_redo": forth > 0,
                "layers": list(layers) or ["rgb"],
                "layer_bounds": {layer: list(box) for layer, box in layers.items()},
                "created": at.meta("created"),
                "modified": at.meta("modified"),
                "program": at.meta("program"),
                "tiles": at.tile_count,
                "bytes": files.size(self.path),
                "writable": self.writable,
                "anchor": at.anchor.as_dict() if at.anchor else None,
            }

    # reading

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """One moment of the scene, for several reads that must fit together."""
        with self._database.read() as connection:
            yield Snapshot(connection)

    def read(self, rect: Rect, layer: str = "rgb", model: str | None = None) -> Patch:
        """Pixels and latents of a rectangle on the 8 px grid; see `Snapshot.read`."""
        with self.snapshot() as at:
            return at.read(rect, layer, model)

    def requests(self, rect: Rect) -> list[tuple[Rect, dict[str, Any]]]:
        """The changes that touch a rectangle, newest first; see `Snapshot.requests`."""
        with self.snapshot() as at:
            return list(at.requests(rect))

    def history(self, newest: int | None = None) -> list[Entry]:
        """The accepted changes, oldest first, also those that do not show; only the `newest` so many where given."""
        with self._database.read() as connection:
            return history.steps(connection, newest)

    def request(self, step: int) -> Request:
        """All that was asked for in a step, with its mask."""
        with self._database.read() as connection:
            return history.request_of(connection, step)

    def thumbnail(self, step: int) -> bytes | None:
        """A small WebP of what a step made; None where it left nothing to show, or its pixels are gone."""
        with self._database.read() as connection:
            image = thumbnails.stored(connection, step)
            drawn = thumbnails.draw(connection, step) if image is None else None
        if drawn is not None and self.writable:
            with suppress(SceneError), self._database.write() as connection:  # a cache: a full disk must not hide it
                thumbnails.keep(connection, step, drawn)
        return image or drawn

    def candidates(self, batch: str | None = None) -> list[Candidate]:
        """The changes that wait to be accepted or discarded, of one batch or of all."""
        with self._database.read() as connection:
            return staging.waiting(connection, batch)

    def candidate_image(self, candidate: int) -> bytes | None:
        """Lossless WebP of a candidate's rectangle, transparent where it changes nothing; None where it is gone."""
        with self._database.read() as connection:
            return staging.image(connection, candidate)

    def tile_index(self, span: Rect, z: int = 0, layer: str = "rgb") -> list[tuple[int, int, int]]:
        """(x, y, revision) of the tiles with content in a rectangle of tile coordinates at zoom level z."""
        pyramid.check_tile(layer, z)
        with self._database.read() as connection:
            return pyramid.index(connection, layer, span, z)

    def tile_webp(self, layer: str, z: int, x: int, y: int) -> tuple[bytes, int] | None:
        """(lossless WebP with alpha 0 where nothing is known, revision) of a tile; None where it is empty.

        Level z shows 2**z px per pixel. A zoomed-out tile is drawn when it is first asked for after a change.
        """
        pyramid.check_tile(layer, z)
        if z and self.writable:
            with suppress(SceneError):  # a full disk or a busy file must not hide what can be drawn without storing
                self._redrawer.below(layer, z, x, y)
        with self._database.read() as connection:
            return pyramid.image(connection, layer, z, x, y)

    def redraw(self) -> int:
        """Draw every zoomed-out tile that is out of date and say how many: for idle moments and large imports."""
        return self._redrawer.everything()

    # changing

    def accept(self, change: Change) -> Entry:
        """Write a change into the scene; what was undone lies aside from then on."""
        change.check()
        with self._database.write() as connection:
            return apply_change(connection, change)

    def stage(self, change: Change, batch: str, number: int) -> int:
        """Keep a change as candidate `number` (from 0) of a batch until it is accepted or discarded; returns its id."""
        change.check()
        with self._database.write() as connection:
            commit.check_resolution(connection, change.request)
            return staging.add(connection, change, batch, number)

    def accept_candidate(self, candidate: int) -> Entry:
        """Write a candidate into the scene and forget its batch; refused where the place has changed meanwhile."""
        with self._database.write() as connection:
            change = staging.take(connection, candidate)
            change.check()
            return apply_change(connection, change)

    def discard(self, batch: str) -> int:
        """Forget the candidates of a batch; returns how many there were."""
        with self._database.write() as connection:
            return staging.discard(connection, batch)

    def accept_tiles(
        self, imports: Sequence[tuple[Request, Iterable[Piece]]], anchor: Anchor | None = None
    ) -> list[Entry]:
        """Write pixels without latents into the scene: a change for each of `imports`, however many tiles it has.

        Pieces come one at a time and are compressed to temporary files; only then is the scene locked, for as long as
        it takes to copy them. All changes are there, or none. `anchor` is set in the same transaction, never over
        another.
        """
        with ExitStack() as stack:
            spools = [stack.enter_context(Spool(self.path.absolute().parent)) for _ in imports]
            for spool, (_, pieces) in zip(spools, imports, strict=True):
                for piece in pieces:
                    spool.add(piece)
                if spool.box.empty:
                    raise SceneError("The picture has no known pixel here: choose another one, or another place.")
            with self._database.write() as connection:
                return [
                    apply_pieces(connection, request, spool, anchor)
                    for spool, (request, _) in zip(spools, imports, strict=True)
                ]

    def erase(self, rect: Rect, layer: str = "rgb") -> Entry:
        """Make a region (snapped to 8 px) empty again."""
        rect = Rect(*rect).snap()
        with self._database.write() as connection:
            return apply_erasure(connection, rect, layer)

    def undo(self, only: int | None = None) -> Entry | None:
        """Take back the newest change, or `only` that one; None where it is not there or cannot be taken back."""
        return self._move(lambda connection: history.undo(connection, only))

    def redo(self) -> Entry | None:
        """Bring back the change that was undone last, byte for byte; None where there is none."""
        return self._move(history.redo)

    def _move(self, how: Callable[[sqlite3.Connection], Entry | None]) -> Entry | None:
        with self._database.write() as connection:
            step = how(connection)
            commit.finish_move(connection, [step] if step else [])
            return step

    def go_to(self, step: int) -> list[Entry]:
        """Undo and redo, in one go, until `step` (an id; 0 for before the first) is the newest change that shows."""
        with self._database.write() as connection:
            steps = history.go_to(connection, step)
            commit.finish_move(connection, steps)
            return steps

    def set_title(self, title: str) -> None:
        """Rename the scene (1 to 120 characters); the file keeps its name."""
        title = checked_title(title)
        with self._database.write() as connection:
            set_meta(connection, title=title, modified=history.now())

    def set_resolution(self, resolution: float) -> None:
        """Choose another resolution (m/px); only in a scene into which no undo can bring content back."""
        resolution = checked_resolution(resolution)
        with self._database.write() as connection:
            if resolution == Snapshot(connection).resolution:
                return
            if history.has_content(connection):
                raise SceneError("The resolution is fixed once a scene has content: start a new scene for another one.")
            branches.forget_all(connection)
            set_meta(connection, resolution=resolution, modified=history.now())

    def set_anchor(self, anchor: Anchor | None) -> None:
        """Say where the scene lies on Earth, or that it lies nowhere; whether maps can be made there is not checked."""
        with self._database.write() as connection:
            set_anchor(connection, anchor)
            set_meta(connection, modified=history.now())

    # the file as a whole

    def backup(self, destination: str | Path) -> None:
        """Copy the scene as it is now into a new file of its own, while it stays in use."""
        with self._database.read() as connection:
            files.backup(connection, Path(destination))

    @staticmethod
    def check(path: str | Path, max_bytes: int = files.MAX_BYTES) -> None:
        """Raise SceneError where a file from elsewhere is not a sound scene; nothing is written."""
        files.check(Path(path), max_bytes)
