"""One server for the tests of this room; each test makes its own scene."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.server_process import Server


@pytest.fixture(scope="session")
def server_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of `server`."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="session")
def server(server_data: Path, student_folder: Path) -> Iterator[Server]:
    """A real server with the tiny model and its student, ready to paint."""
    with Server(server_data, student_folder) as running:
        yield running.ready()


@pytest.fixture
def scene(server: Server) -> str:
    """The id of a fresh scene at 1 m/px."""
    return server.new_scene()
