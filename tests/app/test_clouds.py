"""Clouds proposed over HTTP and on the command line: the same mask, and nothing of the scene changes."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from canvas import Rect, Scene
from canvas.paint.clouds import find_clouds
from tests.app import command_line
from tests.app.server_process import Server
from tests.canvas.cloud_pictures import cloudy, forest
from tests.canvas.conftest import random_change

PICTURE = cloudy(forest(), (128, 128), (50, 20))


@pytest.fixture
def clouded(server: Server, scene: str) -> str:
    """A scene with a cloud over a forest, its corner at (-40, 16)."""
    out = io.BytesIO()
    Image.fromarray(PICTURE).save(out, "PNG")
    told = server.http.post(f"/api/scenes/{scene}/imports", params={"name": "a.png"}, content=out.getvalue())
    wish = {"name": "a.png", "resolution": 1.0, "at": [-40, 16]}
    job = server.post(f"/api/scenes/{scene}/imports/{told.json()['file']}", wish)
    assert server.finished(scene, job["id"])["state"] == "done"
    return scene


def painted(answer: dict[str, Any]) -> np.ndarray:
    """The mask of an answer over the scene from (-40, 16), bool (256, 256)."""
    x, y, w, h = answer["rect"]
    runs = np.repeat(np.arange(len(answer["counts"])) % 2 == 1, answer["counts"])
    whole = np.zeros((256, 256), bool)
    whole[y - 16 : y - 16 + h, x + 40 : x + 40 + w] = runs.reshape(h, w)
    return whole


def test_the_answer_is_the_mask_and_the_scene_stays(server: Server, clouded: str) -> None:
    answer = server.post(f"/api/scenes/{clouded}/clouds", {"rect": [-40, 16, 256, 256]})
    assert np.array_equal(painted(answer), find_clouds(PICTURE) > 0)
    assert answer["sure"]
    # More than the ground is looked at: what is not known is no part of it.
    around = server.post(f"/api/scenes/{clouded}/clouds", {"rect": [-80, 0, 400, 300]})
    overlap = painted(around) & painted(answer)
    assert overlap.sum() > 0.9 * painted(answer).sum()
    assert server.get(f"/api/scenes/{clouded}")["revision"] == 1


def test_nothing_found_is_no_mistake(server: Server, clouded: str) -> None:
    for rect in ([-40, 16, 40, 40], [5000, 5000, 64, 64]):
        assert server.post(f"/api/scenes/{clouded}/clouds", {"rect": rect}) == {
            "rect": None,
            "counts": [],
            "sure": False,
        }


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "rect"),
        ({"rect": [0, 0, 8]}, "rect"),
        ({"rect": [0, 0, 0, 8]}, "at least 1 px"),
        ({"rect": [2**31, 0, 8, 8]}, "within"),
        ({"rect": [0, 0, 2049, 8]}, "at most 2048 px"),
        ({"rect": [0, 0, 8, 8], "wish": 1}, "wish"),
    ],
)
def test_bad_places_are_refused_with_one_sentence(server: Server, scene: str, body: dict[str, Any], words: str) -> None:
    answer = server.http.post(f"/api/scenes/{scene}/clouds", json=body)
    assert answer.status_code == 422
    assert words in answer.json()["error"]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return command_line.run("scene", "clouds", *arguments)


def test_the_command_line_writes_the_mask_that_edit_takes(tmp_path: Path) -> None:
    file, out = tmp_path / "a.t2e", tmp_path / "mask.png"
    change = random_change(Rect(-40, 16, 256, 256))
    change.pixels[:] = PICTURE
    with Scene.create(file, 1.0) as made:
        made.accept(change)
    done = run(file, "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    mask = np.asarray(Image.open(out))
    assert np.array_equal(mask, find_clouds(PICTURE))
    told = json.loads(done.stdout)
    assert told == {"file": str(out), "at": [-40, 16], "share": round(float((mask > 0).mean()), 4), "sure": True}


def test_an_empty_scene_and_one_that_is_too_large_are_told(tmp_path: Path) -> None:
    file = tmp_path / "a.t2e"
    with Scene.create(file, 1.0) as made:
        failed = run(file, "--out", tmp_path / "m.png")
        assert (failed.returncode, "is empty" in failed.stderr) == (1, True)
        for x in (0, 3000):
            made.accept(random_change(Rect(x, 0, 8, 8)))
    failed = run(file, "--out", tmp_path / "m.png")
    assert (failed.returncode, "at most 2048 px" in failed.stderr) == (1, True)
    assert not (tmp_path / "m.png").exists()
