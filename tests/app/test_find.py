"""Places found over HTTP and on the command line: the same ones, by the shipped towers."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.app import command_line
from tests.app.server_process import Server

FOREST, DESERT = [-256, 0, 0, 256], [0, 0, 256, 256]
"""Corners of the two places in `land`."""


def land() -> bytes:
    """A PNG of two tiles: dark green treetops, and bright sand."""
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, (256, 512, 1)) + np.repeat(np.repeat(rng.normal(0, 1, (64, 128, 1)), 4, 0), 4, 1)
    pixels = np.where(np.arange(512)[:, None] < 256, (46, 74, 44) + 14 * noise, (222, 184, 138) + 3 * noise)
    out = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


def imported(server: Server, scene: str) -> str:
    """`land` in a scene, from (-256, 0) on."""
    told = server.http.post(f"/api/scenes/{scene}/imports", params={"name": "land.png"}, content=land()).json()
    wish = {"name": "land.png", "resolution": 1.0, "at": [-256, 0]}
    job = server.post(f"/api/scenes/{scene}/imports/{told['file']}", wish)
    assert server.finished(scene, job["id"])["state"] == "done"
    return scene


def test_places_that_fit_a_text_are_found(server: Server, scene: str) -> None:
    address = f"/api/scenes/{imported(server, scene)}"
    answer = server.post(f"{address}/find", {"text": "dense green forest", "top": 1})
    while answer["pending"]:
        answer = server.post(f"{address}/find", {"text": "dense green forest", "top": 1})
    assert answer["tiles"] == 2
    assert [hit["bbox"] for hit in answer["hits"]] == [FOREST]
    both = server.post(f"{address}/find", {"text": "a desert"})["hits"]
    assert [hit["bbox"] for hit in both] == [DESERT, FOREST]
    assert both[0]["score"] > both[1]["score"]
    assert server.get(address)["revision"] == 1, "looking changes nothing"
    server.post(f"{address}/erase", {"rect": [0, 0, 256, 256]})
    assert [hit["bbox"] for hit in server.post(f"{address}/find", {"text": "a desert"})["hits"]] == [FOREST]


@pytest.mark.parametrize("body", [{"text": ""}, {"text": "sea", "top": 0}, {"text": "\0"}, {"top": 3}])
def test_a_search_for_nothing_is_refused(server: Server, scene: str, body: dict[str, object]) -> None:
    answer = server.http.post(f"/api/scenes/{scene}/find", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]


def test_an_empty_scene_says_that_there_is_nothing(server: Server, scene: str) -> None:
    answer = server.http.post(f"/api/scenes/{scene}/find", json={"text": "sea"})
    assert answer.status_code == 422
    assert "nothing to search" in answer.json()["error"]


def test_the_command_finds_the_same(server: Server, scene: str, tmp_path: Path) -> None:
    imported(server, scene)
    (tmp_path / "copy.t2e").write_bytes(server.http.get(f"/api/scenes/{scene}/file").content)
    found = command_line.result("scene", "find", tmp_path / "copy.t2e", "sand dunes", "--top", "2")
    assert found == {"hits": server.post(f"/api/scenes/{scene}/find", {"text": "sand dunes", "top": 2})["hits"]}
    shown = command_line.run("scene", "find", tmp_path / "copy.t2e", "sand dunes", "--top", "1")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("bbox: [0, 0, 256, 256]\nscore: 0.")
    missing = command_line.run("scene", "find", tmp_path / "none.t2e", "sea")
    assert (missing.returncode, missing.stderr) == (
        1, "There is no scene at none.t2e: check the name, or create it first.\n",
    )  # fmt: skip
