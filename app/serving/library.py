"""The scene files of this server: ids, the bounded cache of open scenes, and what happens to whole files.

A scene is one file, `scenes/{id}.t2e` under the data directory.  Only ids that match `ID` ever become part of a path.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
import secrets
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from app.errors import AppError, Conflict, NoRoom, NotFound
from app.serving.summaries import LOG, Summaries
from canvas.errors import SceneError
from canvas.scene import Scene
from canvas.scene_file.files import STAGED
from canvas.scene_file.meta import TITLE_LENGTH

log = logging.getLogger("text2earth")

ID = re.compile(r"[a-z0-9][a-z0-9-]{11,63}")
OPEN_SCENES = 48  # opening one costs as much as fifty tiles; each holds a dozen files
AWAKE_SCENES = 16  # of these, the ones used last, may keep what they need for many requests at a time
DELETE_WAIT_S = 10.0
ABANDONED_S = 3600.0
SUFFIX = ".t2e"
COPY = " (copy)"  # follows the title of a scene that was duplicated
EXAMPLE = Path(__file__).parents[2] / "assets" / "scenes" / "example.t2e"
NO_SCENE = "There is no scene with this id; it may have been deleted or renamed outside."


class Library:
    """Owns the folder of scene files; safe to use from several threads.

    Its folders are made where they are missing.  Raises AppError with a sentence where they cannot be.
    """

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir / "scenes"
        self.trash = data_dir / "trash"
        self.incoming = data_dir / "incoming"
        try:
            for folder in (self.folder, self.trash, self.incoming):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NoRoom(f"The data directory {data_dir} cannot be written: {error.strerror}.") from error
        self._elsewhere: dict[str, Path] = {}
        self._cache = _OpenScenes()
        self._summaries = Summaries()

    def add_path(self, path: Path) -> str:
        """Serve a scene file that lies elsewhere, in its place; returns its id (the same for the same path)."""
        path = path.resolve()
        if not path.is_file():
            raise NotFound(f"There is no scene file {path}; make one with: text2earth scene new {path.name}.")
        if path.parent == self.folder.resolve() and ID.fullmatch(path.stem):
            return path.stem
        scene = hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
        self._elsewhere[scene] = path
        with self.open(scene):
            return scene

    def path(self, scene: str) -> Path:
        """The file of `scene`; NotFound for an id that is none or has no file."""
        if ID.fullmatch(scene):
            path = self._elsewhere.get(scene, self.folder / f"{scene}{SUFFIX}")
            if path.is_file():
                return path
        raise NotFound(NO_SCENE)

    @contextlib.contextmanager
    def open(self, scene: str) -> Iterator[Scene]:
        """Lend the open scene; it stays open for the next user until the cache needs its place."""
        with self._cache.lend(scene, self.path) as opened:
            yield opened

    def written_elsewhere(self, scenes: Collection[str]) -> list[str]:
        """Those of `scenes` that are open and into which another program has written since this was asked last."""
        return [scene for scene, opened in self._cache.opened(scenes) if _written_elsewhere(opened)]

    def ids(self) -> list[str]:
        """All scenes, in no order."""
        return list(self._paths())

    def _paths(self) -> dict[str, Path]:
        names = (name for name in os.listdir(self.folder) if name.endswith(SUFFIX))
        paths = {name.removesuffix(SUFFIX): self.folder / name for name in names}
        paths = {scene: path for scene, path in paths.items() if ID.fullmatch(scene)}
        return paths | {scene: path for scene, path in self._elsewhere.items() if path.is_file()}

    def create(self, title: str, resolution: float) -> str:
        """Make an empty scene; returns its id."""
        scene = _new_id()
        Scene.create(self.folder / f"{scene}{SUFFIX}", resolution, title=title).close()
        return scene

    def adopt(self, file: Path) -> str:
        """Take a scene file from `incoming` into the library; returns its id.  The file moves.

        Raises SceneError where it is not a sound scene.
        """
        try:
            Scene.check(file)
        except SceneError as error:  # the name it has here means nothing to the user
            raise SceneError(str(error).replace(file.name, "The file")) from error
        scene = _new_id()
        file.rename(self.folder / f"{scene}{SUFFIX}")
        return scene

    def duplicate(self, scene: str) -> str:
        """Copy a scene through the backup API, so that an open one is copied whole; returns the copy's id."""
        with self.open(scene) as source:
            copy = self.incoming_path()
            source.backup(copy)
            title = source.title
        new = self.adopt(copy)
        with self.open(new) as opened:
            opened.set_title(title[: TITLE_LENGTH - len(COPY)] + COPY)
        return new

    def example(self) -> str:
        """Copy the shipped example scene; returns the copy's id."""
        if not EXAMPLE.is_file():
            raise NotFound("This installation has no example scene; type a prompt and press Generate instead.")
        copy = self.incoming_path()
        shutil.copyfile(EXAMPLE, copy)
        return self.adopt(copy)

    def incoming_path(self) -> Path:
        """A fresh file name in the folder for files that are not scenes of the library yet."""
        return self.incoming / f"{_new_id()}{SUFFIX}"

    def job_file(self, job: str, suffix: str) -> Path:
        """Where a job's file lies: what it makes, or what was sent for it."""
        return self.incoming / f"{job}{suffix}"

    def keeps(self, name: str | None) -> bool:
        """Whether there is a job's file of this name."""
        return name is not None and (self.incoming / name).is_file()

    def forget_old_files(self, keep: int, *suffixes: str, needed: Collection[str] = ()) -> None:
        """Remove all but the newest `keep` job files with these suffixes; names in `needed` stay and do not count."""
        files = [
            file
            for file in self.incoming.iterdir()
            if file.suffix in suffixes and file.name not in needed and not file.name.startswith(".")
        ]
        for file in sorted(files, key=_modified, reverse=True)[keep:]:
            file.unlink(missing_ok=True)

    def sweep(self, needed: Collection[str]) -> None:
        """Remove what a killed server left; job files whose names are in `needed` stay.  To be called before any job.

        Beside the scenes another program may be importing right now: there, only what nobody has written to for a while
        is a leftover.
        """
        left = [file for file in self.incoming.iterdir() if file.name not in needed]
        long_ago = time.time() - ABANDONED_S
        left += [file for file in self.folder.glob(f".*{STAGED}") if _modified(file) < long_ago]
        for file in left:
            with contextlib.suppress(OSError):  # one that cannot be removed must not keep the server from starting
                file.unlink()

    def delete(self, scene: str) -> None:
        """Move the file to the trash folder.  Conflict while it is in use or lies outside the library."""
        path = self.path(scene)
        if scene in self._elsewhere:
            raise Conflict(f"This scene lies outside the library, in {path}; delete the file itself.")
        stamp = time.strftime("%Y%m%d-%H%M%S")
        # A cancelled job lets go at its next step, a tile request within milliseconds.
        with self._cache.keep_closed(scene, DELETE_WAIT_S):
            path.rename(self.trash / f"{scene}-{stamp}{SUFFIX}")

    def summary(self, scene: str) -> dict[str, Any]:
        """The scene as the page knows it (`Scene.summary` and its id)."""
        with self.open(scene) as opened:
            return {"id": scene} | opened.summary()

    def summaries(self) -> list[dict[str, Any]]:
        """All scenes that open, the one changed last first; one that does not is named in the log and left alone."""
        found = []
        # Looked for before the scenes: a log that is begun later belongs to a change that is younger than this list.
        logs = {name for name in os.listdir(self.folder) if name.endswith(LOG)}
        paths = self._paths()
        for scene, path in paths.items():
            try:
                logged = path.name + LOG in logs or scene in self._elsewhere
                found.append(self._summaries.get(scene, str(path), self.summary, logged))
            except (SceneError, AppError, OSError) as error:
                log.warning("Scene %s is not listed: %s", scene, error)
        self._summaries.keep_only(set(paths))
        # Not by the files' times: drawing zoomed-out tiles writes too.
        return sorted(found, key=lambda summary: _moment(summary["modified"]), reverse=True)

    def close(self) -> None:
        """Close every open scene."""
        self._cache.close()


class _OpenScenes:
    """Scenes kept open between requests, at most OPEN_SCENES of them and those in use."""

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._scenes: OrderedDict[str, _Lent] = OrderedDict()

    @contextlib.contextmanager
    def lend(self, scene: str, find: Callable[[str], Path]) -> Iterator[Scene]:
        with self._free:
            path = find(scene)  # here, because it may have been deleted while this thread waited
            lent = self._scenes.get(scene)
            if lent is None:
                lent = self._scenes[scene] = _Lent(Scene.open(path))
            elif lent.leaving:
                raise Conflict("This scene is being deleted.")
            self._scenes.move_to_end(scene)
            lent.users += 1
            lent.resting = False
        try:
            yield lent.scene
        finally:
            with self._free:
                lent.users -= 1
                self._shrink()
                self._free.notify_all()

    def opened(self, scenes: Collection[str]) -> list[tuple[str, Scene]]:
        """Those of `scenes` that are open now."""
        with self._free:
            return [(scene, lent.scene) for scene, lent in self._scenes.items() if scene in scenes and not lent.leaving]

    @contextlib.contextmanager
    def keep_closed(self, scene: str, seconds: float) -> Iterator[None]:
        """Keep one scene's file closed for the length of the block, as soon as nobody uses it.

        Conflict where somebody still does after `seconds`.  Who asks for the scene meanwhile waits.
        """
        with self._free:
            lent = self._scenes.get(scene)
            if lent is not None:
                lent.leaving = True
                if not self._free.wait_for(lambda: lent.users == 0, seconds):
                    lent.leaving = False
                    raise Conflict("The scene is still in use; wait a moment and try again.")
                del self._scenes[scene]
                lent.scene.close()
            yield

    def close(self) -> None:
        with self._free:
            for lent in self._scenes.values():
                lent.scene.close()
            self._scenes.clear()

    def _shrink(self) -> None:
        idle = [scene for scene, lent in self._scenes.items() if not lent.users and not lent.leaving]
        for scene in idle[: max(0, len(self._scenes) - OPEN_SCENES)]:
            self._scenes.pop(scene).scene.close()
        for lent in list(self._scenes.values())[:-AWAKE_SCENES]:
            if not (lent.users or lent.leaving or lent.resting):
                lent.scene.database.rest()
                lent.resting = True


class _Lent:
    """An open scene, how many use it now, whether it is about to be deleted, and whether it rests."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.users = 0
        self.leaving = False
        self.resting = False


def _written_elsewhere(scene: Scene) -> bool:
    try:
        return scene.database.written_elsewhere()
    except SceneError:  # whoever uses the scene next is told
        return False


def _new_id() -> str:
    return secrets.token_hex(6)


def _moment(text: str) -> float:
    """Seconds of a time in ISO 8601, whatever its zone; files from elsewhere may hold anything there."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def _modified(path: Path) -> float:
    """Unix seconds of the last change; in WAL mode the newest change may lie in the -wal file only."""
    log = path.with_name(path.name + "-wal")
    return max((file.stat().st_mtime for file in (path, log) if file.is_file()), default=0.0)
