"""The list of scenes opens a file again only where it has changed, and never misses a change."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.serving.library import Library
from app.serving.summaries import Summaries
from canvas.scene import Scene

LONG_AGO = 1_700_000_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A closed scene that nobody has touched for a long time."""
    path = tmp_path / "scene.t2e"
    Scene.create(path, 1.0, title="before").close()
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


@pytest.fixture
def read(file: Path) -> Callable[[str], dict[str, Any]]:
    """Reads the title out of the file; `read.times` says how often."""

    def title(scene: str) -> dict[str, Any]:
        title.times += 1  # type: ignore[attr-defined]
        with Scene.open(file) as opened:
            return {"title": opened.title}

    title.times = 0  # type: ignore[attr-defined]
    return title


def test_an_unchanged_file_is_read_once(file: Path, read: Any) -> None:
    summaries = Summaries()
    assert [summaries.get("a", str(file), read)["title"] for _ in range(3)] == ["before"] * 3
    assert read.times == 1


def test_what_another_program_writes_is_seen_while_it_lies_beside_the_file_only(file: Path, read: Any) -> None:
    summaries = Summaries()
    summaries.get("a", str(file), read)
    other = sqlite3.connect(file)
    other.execute("PRAGMA wal_autocheckpoint = 0")
    other.execute("UPDATE meta SET value = 'after' WHERE key = 'title'")
    other.commit()
    os.utime(file, (LONG_AGO, LONG_AGO))  # the change is in the -wal file, and the file itself is as it was
    assert summaries.get("a", str(file), read)["title"] == "after"
    other.close()
    assert summaries.get("a", str(file), read)["title"] == "after"


def test_two_changes_within_one_tick_of_the_clock_are_both_seen(file: Path, read: Any) -> None:
    summaries = Summaries()
    for title in ("first", "later"):  # of one length
        with Scene.open(file) as scene:
            scene.set_title(title)
        now = os.stat(file).st_mtime_ns // 10**9 * 10**9  # a file system that counts in seconds
        os.utime(file, ns=(now, now))
        assert summaries.get("a", str(file), read)["title"] == title


def test_another_file_in_its_place_is_read(file: Path, read: Any, tmp_path: Path) -> None:
    summaries = Summaries()
    summaries.get("a", str(file), read)
    other = tmp_path / "other.t2e"
    Scene.create(other, 1.0, title="behind").close()
    os.utime(other, (LONG_AGO, LONG_AGO))
    assert os.stat(other).st_size == os.stat(file).st_size
    other.rename(file)
    assert summaries.get("a", str(file), read)["title"] == "behind"


def test_the_library_lists_what_is_there_and_forgets_what_is_gone(tmp_path: Path) -> None:
    library = Library(tmp_path)
    first, second = (library.create(title, 1.0) for title in ("one", "two"))
    assert {summary["title"] for summary in library.summaries()} == {"one", "two"}
    with library.open(first) as opened:
        opened.set_title("renamed")
    assert {summary["title"] for summary in library.summaries()} == {"renamed", "two"}
    library.delete(second)
    assert [summary["id"] for summary in library.summaries()] == [first]
    library.close()
