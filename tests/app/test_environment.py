"""What the environment of a user may hold or lack does not keep the page from being built."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.server_process import Server, wait_for

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "setting",
    [
        {"ALL_PROXY": "socks://127.0.0.1:9"},
        {"SSL_CERT_FILE": "/gone.pem"},
        {"no_proxy": "fe80::/10,[::1]", "http_proxy": "http://127.0.0.1:9"},
    ],
    ids=["socks", "certificates", "exceptions"],
)
def test_network_settings_that_nothing_can_use_are_set_aside(
    tmp_path: Path, tiny_folder: Path, setting: dict[str, str]
) -> None:
    with Server(tmp_path / "data", tiny_folder, environment=setting) as server:
        wait_for(lambda: any(server.get("/api/ready")[key] for key in ("page", "page_failed")))
        assert server.get("/api/ready")["page"], server.log
        assert server.http.get("/").status_code == 200


def test_a_page_that_cannot_be_built_is_not_called_ready() -> None:
    code = """
import asyncio
from app.page import slot
def broken():
    raise RuntimeError("no page")
slot._build = broken
page = slot.PageSlot()
asyncio.run(page.serve())
print(page.ready, page.failed)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.split() == ["False", "True"]


@pytest.mark.skipif(os.name == "nt", reason="users without a home are those of containers")
def test_a_user_without_a_home_is_told_where_to_keep_scenes() -> None:
    code = """
import pathlib, sys
def home(*_):
    raise RuntimeError("Could not determine home directory.")
pathlib.Path.home = classmethod(home)
from app.serve import serve
sys.exit(serve(browser=False))
"""
    environment = {name: value for name, value in os.environ.items() if name not in ("HOME", "XDG_DATA_HOME")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=environment)
    assert done.returncode == 1
    assert done.stderr.strip().endswith("say where scenes are kept with --data-dir DIR.")
    assert done.stderr.count("\n") == 1
