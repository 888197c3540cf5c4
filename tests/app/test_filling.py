"""Region fills over HTTP: queued, shown as they grow, resumed after a cancel, and refused with a sentence."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from canvas import Rect, Scene
from tests.app.server_process import Server, wait_for

JSON = {"content-type": "application/json"}
FILL: dict[str, Any] = {
    "bbox": [0, 0, 200, 100],
    "prompts": [{"text": "forest", "region": [0, 0, 100, 100], "feather": 20}, {"text": "desert"}],
    "seed": 2,
    "steps": 2,
}


def test_a_fill_is_one_step_with_a_picture_of_the_whole_region(server: Server, scene: str) -> None:
    with server.events(scene) as events:
        job = server.post(f"/api/scenes/{scene}/fills", FILL)
        done = server.finished(scene, job["id"])
        seen = events.until(lambda event: event["event"] == "scene")
    assert (done["state"], done["kind"], done["error"]) == ("done", "fill", None)
    assert done["step"] == done["steps"] > 0
    previews = [event["data"] for event in seen if event["event"] == "preview"]
    assert previews
    assert {tuple(preview["frame"]) for preview in previews} == {(0, 0, 200, 104)}
    state = server.get(f"/api/scenes/{scene}")
    assert state["bounds"] == [0, 0, 200, 104]
    recipe = server.get(f"/api/scenes/{scene}/recipe")
    assert (recipe["bbox"], recipe["prompts"], recipe["seed"]) == ([0, 0, 200, 104], FILL["prompts"], 2)
    assert server.post(f"/api/scenes/{scene}/undo")["empty"]


def test_a_cancelled_fill_goes_on_when_it_is_retried(server: Server, scene: str) -> None:
    job = server.post(f"/api/scenes/{scene}/fills", FILL | {"bbox": [0, 0, 400, 300], "steps": 20})["id"]
    wait_for(lambda: server.job(scene, job)["step"] > 40)
    server.http.delete(f"/api/jobs/{job}")
    wait_for(lambda: server.job(scene, job)["state"] == "cancelled")
    assert server.get(f"/api/scenes/{scene}")["empty"]
    server.post(f"/api/jobs/{job}/retry")
    done = server.finished(scene, job)
    assert done["state"] == "done"
    assert any("goes on" in note for note in done["notes"])


def test_a_fill_is_made_by_the_sampler_that_is_named(server: Server, scene: str) -> None:
    fast = {name: value for name, value in FILL.items() if name != "steps"} | {"sampler": "fast"}
    cost = server.post(f"/api/scenes/{scene}/fills/cost", fast)
    assert (cost["sampler"], cost["steps"], cost["width"], cost["height"]) == ("fast", 4, 200, 104)
    job = server.post(f"/api/scenes/{scene}/fills", fast)
    done = server.finished(scene, job["id"])
    assert (done["state"], done["steps"]) == ("done", cost["windows"])
    recipe = server.get(f"/api/scenes/{scene}/recipe")
    assert (recipe["sampler"], recipe["steps"], recipe["guidance"]) == ("fast", 4, 1.0)


def test_only_the_regions_are_filled(server: Server, scene: str, tmp_path: Path) -> None:
    wish = FILL | {"region": [[0, 0, 64, 64], [[120, 8], [200, 8], [200, 100]]]}
    job = server.post(f"/api/scenes/{scene}/fills", wish)
    assert server.finished(scene, job["id"])["state"] == "done"
    (tmp_path / "copy.t2e").write_bytes(server.http.get(f"/api/scenes/{scene}/file").content)
    with Scene.open(tmp_path / "copy.t2e") as opened:
        valid = opened.read(Rect(0, 0, 200, 104)).valid
    assert valid[:64, :64].all()
    assert valid[20:40, 180:196].all()
    assert not valid[:, 64:112].any()


def test_a_large_fill_is_told_its_cost_and_waits_for_a_yes(server: Server, scene: str) -> None:
    large = FILL | {"bbox": [0, 0, 30_000, 20_000], "steps": 200}
    cost = server.post(f"/api/scenes/{scene}/fills/cost", large)
    assert cost["large"]
    assert cost["peak"] > cost["bytes"] > 10**9
    assert cost["windows"] > 200 * 30_000 * 20_000 / 64**2
    assert cost["seconds"] > 0
    refused = server.http.post(f"/api/scenes/{scene}/fills", json=large)
    assert refused.status_code == 409
    assert "30,000 x 20,000 px" in refused.json()["error"]
    assert server.get(f"/api/scenes/{scene}/jobs") == []
    small = server.post(f"/api/scenes/{scene}/fills/cost", FILL)
    assert not small["large"]


def test_a_confirmed_fill_can_be_cancelled_while_it_looks_at_the_ground(server: Server, scene: str) -> None:
    large = FILL | {"bbox": [0, 0, 30_000, 8_000], "steps": 200, "confirmed": True}
    job = server.post(f"/api/scenes/{scene}/fills", large)["id"]
    wait_for(lambda: server.job(scene, job)["state"] == "running")
    server.http.delete(f"/api/jobs/{job}")
    wait_for(lambda: server.job(scene, job)["state"] == "cancelled")
    assert server.get(f"/api/scenes/{scene}")["empty"]


def test_the_picture_of_a_large_region_stays_small(server: Server, scene: str) -> None:
    wide = FILL | {"bbox": [0, 0, 20_000, 64], "prompts": [{"text": "forest"}], "steps": 1, "confirmed": True}
    with server.events(scene) as events:
        job = server.post(f"/api/scenes/{scene}/fills", wide)
        seen = events.until(lambda event: event["event"] == "preview" and event["data"]["image"])
    server.http.delete(f"/api/jobs/{job['id']}")
    preview = seen[-1]["data"]
    image = Image.open(io.BytesIO(base64.b64decode(preview["image"].partition(",")[2])))
    assert max(image.size) <= 768
    x, y, w, h = preview["frame"]
    assert (x, y) == (0, 0)
    assert w >= 20_000
    assert w / image.size[0] == h / image.size[1]  # its pixels are squares
    server.finished(scene, job["id"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bbox": [0, 0, 0, 0]}, "no area"),
        ({"bbox": [0, 0, 1e7, 10]}, "too large"),
        ({"prompts": []}, "prompts"),
        ({"prompts": [{"txt": "forest"}]}, "no text"),
        ({"prompts": [{"text": "\ud800"}]}, "no text"),
        ({"prompts": [{"text": "forest " * 1000}]}, "longer than 2000"),
        ({"region": [[0, 0], [1, 1]]}, "three points"),
        ({"region": [[0, 0, 8, 8], [4, 4, 4, 9]]}, "no area"),
        ({"sampler": "turbo"}, "no sampler"),
        ({"sampler": "fast"}, "4 steps"),
        ({"steps": 10**9}, "steps"),
        ({"guidance": 0.5}, "guidance"),
    ],
)
def test_impossible_fills_are_refused_at_once(server: Server, scene: str, change: dict[str, Any], words: str) -> None:
    answer = server.http.post(f"/api/scenes/{scene}/fills", content=json.dumps(FILL | change), headers=JSON)
    assert 400 <= answer.status_code < 500
    assert words in answer.json()["error"]
