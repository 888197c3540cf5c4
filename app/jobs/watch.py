"""Notices when another program, such as the command line, writes into a scene that a page shows."""

from __future__ import annotations

import threading
from typing import Any

from app.errors import AppError
from app.jobs.queue import JobQueue
from app.serving.events import EventHub
from app.serving.library import Library
from canvas.errors import SceneError
from canvas.geometry import LIMIT, Rect

EVERY_S = 1.0
EVERYWHERE = Rect.from_corners(-LIMIT, -LIMIT, LIMIT, LIMIT)


class SceneWatch:
    """Owns a thread that asks the open files, which costs no query, and tells the pages of those that have changed."""

    def __init__(self, library: Library, jobs: JobQueue, hub: EventHub) -> None:
        self._library = library
        self._jobs = jobs
        self._hub = hub
        self._told: dict[str, Any] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            for scene in self._library.written_elsewhere(self._hub.scenes()):
                try:
                    self._tell(scene)
                except (AppError, SceneError):  # deleted or damaged meanwhile: its next request says so
                    self._told.pop(scene, None)

    def _tell(self, scene: str) -> None:
        """Tell the pages, unless the other program only drew zoomed-out tiles."""
        with self._library.open(scene) as opened:
            candidates = [candidate.as_dict() for candidate in opened.candidates()]
            summary = opened.summary()
        state = (summary["revision"], summary["modified"], [candidate["id"] for candidate in candidates])
        if self._told.get(scene) == state:
            return
        self._told[scene] = state
        self._hub.publish("candidates", {"candidates": candidates}, scene)
        self._jobs.tell_scene_changed(scene, [EVERYWHERE])
