"""Many scenes in use at once are not opened again and again, and what they hold open stays small."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from app.serving.library import AWAKE_SCENES, Library

PEOPLE = 45  # each in a scene of their own
READERS = 6


def connections(path: Path) -> int:
    """How many connections to a scene are open: each holds its log.  SQLite closes the scene's own file late."""
    found = 0
    for number in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # the listing itself
            found += os.readlink(f"/proc/self/fd/{number}") == f"{path}-wal"
    return found


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files in /proc")
def test_scenes_stay_open_and_rest_while_others_are_used(tmp_path: Path) -> None:
    library = Library(tmp_path)
    first = library.create("first", 1.0)
    library.close()
    scenes = [first, *(f"another{number:06}" for number in range(PEOPLE - 1))]
    for scene in scenes[1:]:
        shutil.copyfile(library.path(first), library.folder / f"{scene}.t2e")
    with library.open(first) as opened:
        with ExitStack() as readers:
            for _ in range(READERS):
                connection = readers.enter_context(opened.database.read())
                connection.execute("SELECT count(*) FROM meta").fetchone()
        assert connections(library.path(first)) == 1 + READERS
    for scene in scenes[1:]:
        with library.open(scene) as other:
            assert other.tile_webp("rgb", 0, 0, 0) is None
    assert connections(library.path(first)) == 2, "who writes, and one who reads"
    with library.open(first) as again:
        assert again is opened
        assert again.tile_webp("rgb", 0, 0, 0) is None, "it is awake again"
    assert AWAKE_SCENES < PEOPLE
    library.close()
    assert connections(library.path(first)) == 0
