"""Region fills over HTTP: queued, shown as they grow, resumed after a cancel, and refused with a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from tests.app.server_process import Server, wait_for

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


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bbox": [0, 0, 0, 0]}, "no area"),
        ({"bbox": [0, 0, 1e7, 10]}, "too large"),
        ({"prompts": []}, "prompts"),
        ({"prompts": [{"txt": "forest"}]}, "no text"),
        ({"region": [[0, 0], [1, 1]]}, "three points"),
        ({"steps": 10**9}, "steps"),
        ({"guidance": 0.5}, "guidance"),
    ],
)
def test_impossible_fills_are_refused_at_once(server: Server, scene: str, change: dict[str, Any], words: str) -> None:
    answer = server.http.post(f"/api/scenes/{scene}/fills", json=FILL | change)
    assert 400 <= answer.status_code < 500
    assert words in answer.json()["error"]
