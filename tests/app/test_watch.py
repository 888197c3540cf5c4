"""A page hears of what another program writes into its scene, and its own server's changes are told once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from canvas import Rect, Scene
from tests.app.server_process import ROOT, Server
from tests.canvas.conftest import random_change

ELSEWHERE = """
import sys
from canvas import Rect, Scene
with Scene.open(sys.argv[1]) as scene:
    exec(sys.argv[2])
"""


def elsewhere(path: Path, code: str) -> None:
    """Run code over `scene` in a process of its own."""
    subprocess.run([sys.executable, "-c", ELSEWHERE, str(path), code], check=True, cwd=ROOT)


def test_only_what_another_process_writes_is_written_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "scene.t2e"
    with Scene.create(path, 1.0) as scene:
        assert not scene.database.written_elsewhere()
        scene.accept(random_change(Rect(0, 0, 64, 64)))
        scene.redraw()
        scene.read(Rect(0, 0, 64, 64))
        assert not scene.database.written_elsewhere(), "our own writing does not count"
        elsewhere(path, "scene.read(Rect(0, 0, 8, 8))")
        assert not scene.database.written_elsewhere(), "nor does another's reading"
        elsewhere(path, "scene.erase(Rect(0, 0, 8, 8))")
        scene.accept(random_change(Rect(64, 0, 64, 64)))
        assert scene.database.written_elsewhere(), "also where we wrote after it"
        assert not scene.database.written_elsewhere(), "it is said once"
    assert not scene.database.written_elsewhere(), "a closed file is not asked"


def test_a_page_hears_of_another_programs_changes(server: Server, scene: str) -> None:
    path = server.data_dir / "scenes" / f"{scene}.t2e"
    server.painted(scene)

    def is_scene(event: dict[str, Any]) -> bool:
        return event["event"] == "scene"

    with server.events(scene) as events:
        events.next()
        elsewhere(path, "scene.erase(Rect(0, 0, 8, 8))")
        told = events.until(is_scene)[-1]["data"]
        assert told["revision"] == 2
        x0, y0, x1, y1 = told["changed"][0]
        assert x0 < 0 < x1
        assert y0 < 0 < y1
        elsewhere(path, "scene.set_title('From the command line')")
        assert events.until(is_scene)[-1]["data"]["title"] == "From the command line"
        # What the server itself changes is told by it, with the place, and not a second time.
        server.post(f"/api/scenes/{scene}/undo")
        assert events.until(is_scene)[-1]["data"]["changed"] == [[0, 0, 8, 8]]
        elsewhere(path, "scene.set_title('The end')")
        seen = events.until(lambda event: is_scene(event) and event["data"]["title"] == "The end")
        assert [event["data"]["revision"] for event in seen if is_scene(event)] == [3]
