"""What the list of scenes shows, remembered: a scene is opened again only where its file has changed."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any

Stamp = tuple[tuple[int, int, int], ...]
"""Inode, size and time (ns) of the file, and of its -wal file where that holds anything."""

SETTLED_NS = 2_000_000_000
"""A file this young may change again without its time showing it: file systems count in steps of up to 2 s."""


LOG = "-wal"
"""What SQLite adds to a file's name for the log of what was written last."""


def stamp(path: str, logged: bool = True) -> Stamp:
    """What changes whenever the scene does; OSError where there is no file.

    In WAL mode the newest change may lie in the log only; an empty one is made by every reader.

    Args:
        logged: whether there may be a log.
    """
    found = [_of(path)]
    if not logged:
        return tuple(found)
    try:
        log = _of(path + LOG)
    except OSError:
        return tuple(found)
    return tuple([*found, log] if log[1] else found)


def _of(path: str) -> tuple[int, int, int]:
    about = os.stat(path)
    return about.st_ino, about.st_size, about.st_mtime_ns


class Summaries:
    """The last summary of every scene, with what its file was like when it was read; safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[Stamp, dict[str, Any]]] = {}

    def get(self, scene: str, path: str, read: Callable[[str], dict[str, Any]], logged: bool = True) -> dict[str, Any]:
        """The summary of `scene`; `read` is asked where the file at `path`, with a log or without, is not as it was."""
        found = self._kept.get(scene)
        if found and found[0] == stamp(path, logged):
            return found[1]
        # Looked at before it is read: a change between the two makes the next one read again, never miss it.
        before = stamp(path)
        settled = time.time_ns() - SETTLED_NS
        summary = read(scene)
        with self._lock:
            self._kept.pop(scene, None)
            if all(written < settled for _, _, written in before):
                self._kept[scene] = before, summary
        return summary

    def keep_only(self, scenes: set[str]) -> None:
        """Forget those that are gone."""
        with self._lock:
            for scene in self._kept.keys() - scenes:
                del self._kept[scene]
