"""A command that is told to stop leaves nothing half done behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from canvas import Change, Rect, Request
from canvas.scene import Scene

ROOT = Path(__file__).parents[2]
SIDE = 2048


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("suffix", ["tif", "png"])
def test_a_stopped_export_leaves_no_part(tmp_path: Path, number: int, suffix: str) -> None:
    rect = Rect(0, 0, SIDE, SIDE)
    pixels = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    cells = np.zeros((4, SIDE // 8, SIDE // 8), np.float32)
    with Scene.create(tmp_path / "a.t2e", 1.0) as scene:
        scene.accept(
            Change(
                Request("generate", rect, 1.0), "rgb", rect, pixels, np.ones((SIDE, SIDE), bool), cells, cells[0] > 0
            )
        )
    before = sorted(tmp_path.iterdir())
    command = [
        sys.executable,
        "-m",
        "app.cli",
        "scene",
        "export",
        tmp_path / "a.t2e",
        "--out",
        tmp_path / f"a.{suffix}",
    ]
    child = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob(".*.part*")) and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    child.send_signal(number)
    _, told = child.communicate(timeout=120)
    assert child.returncode == 130, told
    assert "Traceback" not in told
    assert sorted(tmp_path.iterdir()) == before
