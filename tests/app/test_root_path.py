"""The path under which a proxy serves the program is taken off where it is there, and refused where it is none."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from app.api.root_path import RootPath, checked_root_path
from app.api.server import create_app
from app.errors import AppError


@pytest.mark.parametrize(
    ("given", "used"), [("/earth", "/earth"), ("earth/", "/earth"), ("/a/b-1", "/a/b-1"), ("/", ""), ("", "")]
)
def test_a_root_path_is_written_in_any_way(given: str, used: str) -> None:
    assert checked_root_path(given) == used


@pytest.mark.parametrize("given", ["https://maps.example.com/earth", "/a/../b", "/a b", "/a?b", "//evil//x", "/ä"])
def test_what_is_no_path_is_refused_in_one_sentence(tmp_path: Path, given: str) -> None:
    with pytest.raises(AppError, match=r"is no root path; use the path under which"):
        create_app(tmp_path, root_path=given)


@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        ("/earth/api/scenes", "/api/scenes"),
        ("/api/scenes", "/api/scenes"),
        ("/earth/", "/"),
        ("/earth/earth/x", "/earth/x"),
        ("/earthling/x", "/earthling/x"),
    ],
)
def test_only_the_prefix_is_taken_off(asked: str, seen: str) -> None:
    paths: list[str] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        paths.append(scope["path"])

    scope = {"type": "http", "path": asked, "raw_path": asked.encode(), "query_string": b""}
    asked_for = RootPath(application, "/earth")(scope, None, None)  # type: ignore[arg-type]
    with ThreadPoolExecutor(1) as pool:  # tests of the browser leave a running loop in this thread
        pool.submit(asyncio.run, asked_for).result()
    assert paths == [seen]
