"""Jobs over HTTP: what is asked appears in the scene, can be taken back byte for byte, and obeys the queue."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.app.server_process import Server, wait_for

LONG = {"frame": [0, 0, 512, 512], "steps": 100}
TILE = "tiles/rgb/0/0/0.webp"


def pixels(server: Server, scene: str) -> np.ndarray:
    """Tile 0, 0 of a scene: uint8 (256, 256, 4)."""
    answer = server.http.get(f"/api/scenes/{scene}/{TILE}")
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGBA"))


def queue(server: Server, scene: str, **request: Any) -> str:
    job: str = server.post(f"/api/scenes/{scene}/jobs", {"steps": 2} | request)["id"]
    return job


def running(server: Server, scene: str, job: str) -> None:
    wait_for(lambda: server.job(scene, job)["state"] == "running")


def test_a_job_paints_its_frame_and_nothing_else(server: Server, scene: str) -> None:
    done = server.painted(scene, frame=[64, 64, 64, 64], prompt="forest")
    assert done["request"] | {"frame": [64, 64, 64, 64], "prompt": "forest", "seed": 1} == done["request"]
    assert done["step"] == done["steps"] > 0
    state = server.get(f"/api/scenes/{scene}")
    assert state["bounds"] == [64, 64, 64, 64]
    assert state["can_undo"]
    assert not state["can_redo"]
    alpha = pixels(server, scene)[..., 3]
    assert (alpha[64:128, 64:128] == 255).all()
    assert alpha.astype(int).sum() == 64 * 64 * 255
    index = server.get(f"/api/scenes/{scene}/index?z=0&x0=-2&y0=-2&x1=3&y1=3")
    assert [tile[:2] for tile in index["tiles"]] == [[0, 0]]
    assert index["revision"] == state["revision"]


def test_a_tile_is_cached_forever_under_its_own_revision_only(server: Server, scene: str) -> None:
    server.painted(scene)
    [[_, _, revision]] = server.get(f"/api/scenes/{scene}/index?z=0&x0=0&y0=0&x1=1&y1=1")["tiles"]
    right = server.http.get(f"/api/scenes/{scene}/{TILE}?v={revision}")
    wrong = server.http.get(f"/api/scenes/{scene}/{TILE}?v={revision + 1}")
    assert "immutable" in right.headers["cache-control"]
    assert wrong.headers["cache-control"] == "no-store"


def test_an_empty_tile_is_no_error(server: Server, scene: str) -> None:
    answer = server.http.get(f"/api/scenes/{scene}/{TILE}")
    assert answer.status_code == 204
    assert answer.headers["cache-control"] == "no-store"


def test_undo_and_redo_give_the_same_bytes(server: Server, scene: str) -> None:
    server.painted(scene)
    before = server.http.get(f"/api/scenes/{scene}/{TILE}").content
    server.painted(scene, frame=[32, 0, 64, 64])
    after = server.http.get(f"/api/scenes/{scene}/{TILE}").content
    assert after != before
    assert server.post(f"/api/scenes/{scene}/undo")["can_redo"]
    assert server.http.get(f"/api/scenes/{scene}/{TILE}").content == before
    server.post(f"/api/scenes/{scene}/redo")
    assert server.http.get(f"/api/scenes/{scene}/{TILE}").content == after
    assert [step["undone"] for step in server.get(f"/api/scenes/{scene}/history")] == [False, False]


def test_undo_of_a_step_that_is_not_the_newest_is_refused(server: Server, scene: str) -> None:
    server.painted(scene)
    erased = server.post(f"/api/scenes/{scene}/erase", {"rect": [0, 0, 16, 16]})["step"]
    assert erased["frame"] == [0, 0, 16, 16]
    server.painted(scene, frame=[32, 0, 64, 64])
    answer = server.http.post(f"/api/scenes/{scene}/undo?step={erased['id']}")
    assert answer.status_code == 409
    assert "not the newest" in answer.json()["error"]
    server.post(f"/api/scenes/{scene}/undo")
    assert server.post(f"/api/scenes/{scene}/undo?step={erased['id']}")["step"] == erased


def test_the_same_request_gives_the_same_pixels(server: Server) -> None:
    first, second = server.new_scene(), server.new_scene()
    for scene in (first, second):
        server.painted(scene, prompt="forest", seed=7)
    assert (pixels(server, first) == pixels(server, second)).all()


def test_erasing_empties_a_region_and_can_be_undone(server: Server, scene: str) -> None:
    server.painted(scene)
    before = pixels(server, scene)
    server.post(f"/api/scenes/{scene}/erase", {"rect": [16, 16, 16, 16]})
    erased = pixels(server, scene)
    assert (erased[16:32, 16:32, 3] == 0).all()
    server.post(f"/api/scenes/{scene}/undo")
    assert (pixels(server, scene) == before).all()


def test_directions_grow_the_scene_by_half_a_window(server: Server, scene: str) -> None:
    window = server.get("/api/model")["info"]["window"]
    server.finished(scene, queue(server, scene, direction="right", seed=1))
    x, y, w, h = server.get(f"/api/scenes/{scene}")["bounds"]
    assert (w, h) == (window, window)
    for direction, grown in {
        "right": [x, y, w + window // 2, h],
        "left": [x - window // 2, y, w + window, h],
    }.items():
        server.finished(scene, queue(server, scene, direction=direction, seed=1))
        assert server.get(f"/api/scenes/{scene}")["bounds"] == grown
    for direction in ("up", "down"):
        server.finished(scene, queue(server, scene, direction=direction, seed=1))
    assert server.get(f"/api/scenes/{scene}")["bounds"] == [x - window // 2, y - window // 2, 2 * window, 2 * window]


def test_a_row_of_extensions_lies_one_beyond_the_other(server: Server, scene: str) -> None:
    window = server.get("/api/model")["info"]["window"]
    server.painted(scene, frame=[0, 0, window, window])
    queue(server, scene, direction="right", count=3, anchor=[0, 0, window, window])
    frames = [job["request"]["frame"] for job in server.get(f"/api/scenes/{scene}/jobs")[1:]]
    assert frames == [[window // 2 * number, 0, window, window] for number in (1, 2, 3)]
    # Without an anchor the next one continues from what is still waiting.
    last = queue(server, scene, direction="right")
    assert server.job(scene, last)["request"]["frame"][0] >= 2 * window
    assert server.finished(scene, last)["state"] == "done"


def test_a_prompt_is_looked_at(server: Server, scene: str) -> None:
    report = server.post("/api/prompt/check", {"text": ""})
    assert report["cut"] == ""
    assert report["unknown"] == []
    words = " ".join(["forest"] * 200)
    report = server.post("/api/prompt/check", {"text": words})
    assert report["tokens"] > report["limit"]
    assert report["cut"]
    done = server.painted(scene, prompt=words)
    assert report["cut"] in done["notes"][0]


def test_an_empty_prompt_paints(server: Server, scene: str) -> None:
    assert server.painted(scene, prompt="")["notes"] == []


def test_an_export_is_the_scene_and_says_that_it_is_synthetic(server: Server, scene: str) -> None:
    server.painted(scene, prompt="forest")
    answer = server.http.get(f"/api/scenes/{scene}/export?format=png")
    assert answer.headers["content-type"] == "image/png"
    assert "attachment" in answer.headers["content-disposition"]
    image = Image.open(io.BytesIO(answer.content))
    assert image.size == (64, 64)
    assert (np.asarray(image.convert("RGB")) == pixels(server, scene)[:64, :64, :3]).all()
    assert "synthetic" in str(image.info).lower()
    part = server.http.get(f"/api/scenes/{scene}/export?format=png&bbox=8,16,40,32")
    assert Image.open(io.BytesIO(part.content)).size == (32, 16)


def test_a_running_and_a_waiting_job_can_be_cancelled(server: Server, scene: str) -> None:
    first = queue(server, scene, **LONG)
    second = queue(server, scene, frame=[600, 0, 64, 64])
    running(server, scene, first)
    assert server.http.delete(f"/api/jobs/{second}").json()["state"] == "cancelled"
    server.http.delete(f"/api/jobs/{first}")
    assert server.finished(scene, first)["state"] == "cancelled"
    assert server.get(f"/api/scenes/{scene}")["empty"]
    assert server.get(f"/api/scenes/{scene}/history") == []


def test_a_cancelled_job_can_be_tried_again(server: Server, scene: str) -> None:
    blocker = queue(server, scene, **LONG)
    job = queue(server, scene, frame=[600, 0, 64, 64], seed=5)
    server.http.delete(f"/api/jobs/{job}")
    server.http.delete(f"/api/jobs/{blocker}")
    assert server.post(f"/api/jobs/{job}/retry")["state"] == "queued"
    done = server.finished(scene, job)
    assert done["state"] == "done"
    assert done["request"]["seed"] == 5
    answer = server.http.post(f"/api/jobs/{job}/retry")
    assert answer.status_code == 409
    assert "done" in answer.json()["error"]


def test_the_order_of_the_queue_can_be_changed(server: Server, scene: str) -> None:
    blocker = queue(server, scene, **LONG)
    running(server, scene, blocker)
    first, second, third = (queue(server, scene, frame=[600 + 64 * i, 0, 64, 64]) for i in range(3))
    assert [server.job(scene, job)["position"] for job in (first, second, third)] == [0, 1, 2]
    assert server.post(f"/api/jobs/{third}/move", {"position": 0})["position"] == 0
    assert [server.job(scene, job)["position"] for job in (first, second, third)] == [1, 2, 0]
    server.http.delete(f"/api/jobs/{blocker}")
    for job in (first, second, third):
        assert server.finished(scene, job)["state"] == "done"
    order = [step["request"]["frame"][0] for step in server.get(f"/api/scenes/{scene}/history")]
    assert order == [728, 600, 664]


def test_jobs_tell_how_long_they_will_take(server: Server, scene: str) -> None:
    blocker = queue(server, scene, **LONG)
    waiting = queue(server, scene, frame=[600, 0, 64, 64], steps=10)
    wait_for(lambda: server.job(scene, blocker)["step"] > 2)
    assert server.job(scene, waiting)["eta"] > server.job(scene, blocker)["eta"] > 0
    for job in (waiting, blocker):
        server.http.delete(f"/api/jobs/{job}")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "either a frame or a direction"),
        ({"frame": [0, 0, 64, 64], "direction": "up"}, "either a frame or a direction"),
        ({"frame": [0, 0, 64, 64], "count": 2}, "count"),
        ({"frame": [0, 0, 0, 64]}, "at least 1 px"),
        ({"frame": [0, 0, -64, 64]}, "at least 1 px"),
        ({"frame": [0, 0, 100_000, 64]}, "2048"),
        ({"frame": [2**31, 0, 64, 64]}, "within"),
        ({"frame": [0, 0, 64]}, "frame"),
        ({"frame": "here"}, "frame"),
        ({"frame": [0, 0, 64, "x"]}, "frame"),
        ({"frame": [0, 0, 64, 1e300]}, "frame"),
        ({"direction": "north"}, "direction"),
        ({"direction": "up", "count": 0}, "count"),
        ({"direction": "up", "count": 1000}, "count"),
        ({"frame": [0, 0, 64, 64], "steps": 0}, "steps"),
        ({"frame": [0, 0, 64, 64], "steps": 100_000}, "steps"),
        ({"frame": [0, 0, 64, 64], "steps": "many"}, "steps"),
        ({"frame": [0, 0, 64, 64], "guidance": -1}, "guidance"),
        ({"frame": [0, 0, 64, 64], "guidance": 1e9}, "guidance"),
        ({"frame": [0, 0, 64, 64], "seed": -1}, "seed"),
        ({"frame": [0, 0, 64, 64], "seed": 2**70}, "seed"),
        ({"frame": [0, 0, 64, 64], "seed": 1.5}, "seed"),
        ({"frame": [0, 0, 64, 64], "prompt": 7}, "prompt"),
        ({"frame": [0, 0, 64, 64], "prompt": "x" * 100_000}, "prompt"),
        ({"frame": [0, 0, 64, 64], "promt": "x"}, "promt"),
    ],
)
def test_bad_requests_are_refused_with_one_sentence(
    server: Server, scene: str, body: dict[str, Any], words: str
) -> None:
    answer = server.http.post(f"/api/scenes/{scene}/jobs", json=body)
    assert answer.status_code == 422
    assert words in answer.json()["error"]
    assert server.get(f"/api/scenes/{scene}/jobs") == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", "/api/jobs/nosuchjob", None),
        ("POST", "/api/jobs/nosuchjob/retry", None),
        ("POST", "/api/jobs/nosuchjob/move", {"position": 0}),
        ("POST", "/api/scenes/nosuchscene0/jobs", {"frame": [0, 0, 64, 64]}),
        ("GET", "/api/scenes/nosuchscene0/jobs", None),
    ],
)
def test_unknown_jobs_and_scenes_are_404(server: Server, method: str, path: str, body: Any) -> None:
    answer = server.http.request(method, path, json=body)
    assert answer.status_code == 404
    assert answer.json()["error"].startswith("There is no")


def test_a_frame_over_finished_ground_fails_with_a_sentence(server: Server, scene: str) -> None:
    server.painted(scene)
    job = server.finished(scene, queue(server, scene, frame=[0, 0, 64, 64]))
    assert job["state"] == "failed"
    assert "exists already" in job["error"]
    assert len(server.get(f"/api/scenes/{scene}/history")) == 1
