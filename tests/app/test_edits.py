"""Edits over HTTP: candidates wait until somebody chooses, whatever happens to the page or the server."""

from __future__ import annotations

import base64
import functools
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.app.server_process import Server, wait_for

TILE = "tiles/rgb/0/0/0.webp"


def png(mask: np.ndarray) -> str:
    out = io.BytesIO()
    Image.fromarray(mask).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


SQUARE = png(np.full((24, 24), 255, np.uint8))


def edit(server: Server, scene: str, **body: Any) -> dict[str, Any]:
    """Queue an edit and wait for it."""
    wish = {"mask": SQUARE, "at": [20, 20], "steps": 2, "seed": 5, "feather": 4}
    job = server.post(f"/api/scenes/{scene}/edits", wish | body)
    return server.finished(scene, job["id"])


def candidates(server: Server, scene: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.get(f"/api/scenes/{scene}/candidates")
    return found


def picture(server: Server, path: str) -> np.ndarray:
    answer = server.http.get(path)
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGBA"))


def test_variations_wait_as_candidates_and_one_becomes_part_of_the_scene(server: Server, scene: str) -> None:
    server.painted(scene)
    before = picture(server, f"/api/scenes/{scene}/{TILE}")
    with server.events(scene) as events:
        assert events.next()["data"]["candidates"] == []
        done = edit(server, scene, variations=3, prompt="a lake", strength=0.7)
        told = events.until(lambda event: event["event"] == "candidates" and len(event["data"]["candidates"]) == 3)
    assert (done["state"], done["result"], done["step"]) == ("done", {"batch": done["id"]}, done["steps"])
    assert "mask" not in done["request"]
    found = candidates(server, scene)
    assert told[-1]["data"]["candidates"] == found
    assert [(one["number"], one["request"]["seed"]) for one in found] == [(0, 5), (1, 6), (2, 7)]
    assert np.array_equal(picture(server, f"/api/scenes/{scene}/{TILE}"), before), "nothing is changed by a candidate"

    chosen = found[1]
    x, y, w, h = chosen["rect"]
    image = picture(server, f"/api/scenes/{scene}/candidates/{chosen['id']}.webp")
    state = server.post(f"/api/scenes/{scene}/candidates/{chosen['id']}/accept")
    assert state["revision"] == 2
    after = picture(server, f"/api/scenes/{scene}/{TILE}")
    written = image[..., 3] > 0
    assert np.array_equal(after[y : y + h, x : x + w][written], image[written])
    changed = (after != before).any(axis=2)
    assert not changed[:16].any()
    assert not changed[48:].any(), "bit for bit the same beyond mask and feather"
    assert candidates(server, scene) == []
    assert server.get(f"/api/scenes/{scene}/history")[-1]["request"]["prompt"] == "a lake"


def test_discarding_changes_nothing(server: Server, scene: str) -> None:
    server.painted(scene)
    batch = edit(server, scene)["id"]
    left = server.http.delete(f"/api/scenes/{scene}/candidates?batch={batch}")
    assert left.json() == candidates(server, scene) == []
    assert server.get(f"/api/scenes/{scene}")["revision"] == 1


@pytest.mark.parametrize("accepted", [True, False])
def test_whoever_has_chosen_is_offered_no_more(server: Server, scene: str, accepted: bool) -> None:
    server.painted(scene)
    wish = {"mask": SQUARE, "at": [20, 20], "steps": 30, "seed": 5, "variations": 8}
    batch = server.post(f"/api/scenes/{scene}/edits", wish)["id"]
    wait_for(lambda: len(candidates(server, scene)) > 0)
    first = candidates(server, scene)[0]["id"]
    if accepted:
        server.post(f"/api/scenes/{scene}/candidates/{first}/accept")
    else:
        assert server.http.delete(f"/api/scenes/{scene}/candidates?batch={batch}").is_success
    assert server.finished(scene, batch)["state"] == "cancelled"
    assert candidates(server, scene) == []


def test_of_two_edits_of_one_place_the_second_is_refused_and_kept(server: Server, scene: str) -> None:
    server.painted(scene)
    edit(server, scene)
    edit(server, scene, seed=9)
    first, second = candidates(server, scene)
    server.post(f"/api/scenes/{scene}/candidates/{first['id']}/accept")
    answer = server.http.post(f"/api/scenes/{scene}/candidates/{second['id']}/accept")
    assert answer.status_code == 409
    assert "has changed" in answer.json()["error"]
    assert candidates(server, scene) == [second]
    server.post(f"/api/scenes/{scene}/undo")
    server.post(f"/api/scenes/{scene}/candidates/{second['id']}/accept")


def test_soft_edits_run_the_sampler_that_is_chosen(server: Server, scene: str) -> None:
    server.painted(scene)
    soft = png(np.linspace(0, 255, 24 * 24).astype(np.uint8).reshape(24, 24))
    for sampler, asked_steps, steps in (("fast", None, 4), ("quality", 6, 6)):
        wish = {"mask": soft, "steps": asked_steps, "sampler": sampler, "strength": 0.6, "variations": 2}
        done = edit(server, scene, **wish)
        assert (done["state"], done["steps"]) == ("done", 2 * steps)
        asked = [one["request"] for one in candidates(server, scene) if one["batch"] == done["id"]]
        assert [(one["sampler"], one["steps"], one["strength"]) for one in asked] == [(sampler, steps, 0.6)] * 2


def test_an_edit_tells_about_how_long_it_takes(server: Server, scene: str) -> None:
    server.painted(scene)  # measures the pace
    cost = functools.partial(server.post, f"/api/scenes/{scene}/edits/cost")
    wish = {"rect": [3, 5, 60, 60], "steps": 10, "sampler": "quality"}
    once = cost(wish)["seconds"]
    assert once > 0
    assert cost(wish | {"variations": 3})["seconds"] == pytest.approx(3 * once)
    assert cost(wish | {"strength": 0.5})["seconds"] == pytest.approx(once / 2)
    assert cost(wish | {"rect": [0, 0, 200, 60]})["seconds"] > 2 * once
    assert cost(wish | {"sampler": "never measured"}) == {"seconds": None}
    for wrong in ({"rect": [0, 0, 0, 8]}, {"rect": [0, 0, 9000, 8]}, {"strength": 0}, {"variations": 9}):
        answer = server.http.post(f"/api/scenes/{scene}/edits/cost", json=wish | wrong)
        assert answer.status_code == 422
    assert server.http.post("/api/scenes/nosuchscene0/edits/cost", json=wish).status_code == 404


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"mask": png(np.zeros((16, 16), np.uint8))}, "is empty"),
        ({"mask": png(np.full((8, 2056), 255, np.uint8))}, "at most 2048 px"),
        ({"mask": "%%%"}, "base64"),
        ({"mask": base64.b64encode(b"no picture").decode()}, "not a PNG"),
        ({"at": [2**31, 0]}, "origin"),
        ({"at": [0]}, "at"),
        ({"strength": 0}, "strength"),
        ({"strength": 1.5}, "strength"),
        ({"feather": 65}, "feather"),
        ({"variations": 0}, "variations"),
        ({"variations": 9}, "variations"),
        ({"seed": 2**63 - 1}, "seed"),
        ({"steps": 0}, "steps"),
        ({"wish": 1}, "wish"),
    ],
)
def test_bad_edits_are_refused_with_one_sentence(server: Server, scene: str, body: dict[str, Any], words: str) -> None:
    wish = {"mask": SQUARE, "at": [20, 20], "steps": 2}
    answer = server.http.post(f"/api/scenes/{scene}/edits", json=wish | body)
    assert answer.status_code == 422
    assert words in answer.json()["error"]
    assert server.get(f"/api/scenes/{scene}/jobs") == []


def test_the_history_can_be_walked_and_shows_every_step(server: Server, scene: str) -> None:
    for place in (0, 64, 128):
        server.painted(scene, frame=[place, 0, 64, 64])
    first, _, third = server.get(f"/api/scenes/{scene}/steps")
    assert picture(server, f"/api/scenes/{scene}/steps/{first['id']}/thumbnail.webp").shape[:2] == (64, 64)
    state = server.post(f"/api/scenes/{scene}/steps/{first['id']}/go")
    assert (state["bounds"], state["can_redo"]) == ([0, 0, 64, 64], True)
    assert server.post(f"/api/scenes/{scene}/steps/0/go")["empty"]
    assert server.post(f"/api/scenes/{scene}/steps/{third['id']}/go")["bounds"] == [0, 0, 192, 64]
    server.post(f"/api/scenes/{scene}/erase", {"rect": [0, 0, 256, 256]})
    erased = server.get(f"/api/scenes/{scene}/steps")[-1]
    assert server.http.get(f"/api/scenes/{scene}/steps/{erased['id']}/thumbnail.webp").status_code == 204
    assert server.http.post(f"/api/scenes/{scene}/steps/999/go").status_code == 422


def test_candidates_survive_a_kill_and_a_retry_makes_only_the_rest(tmp_path: Path, tiny_folder: Path) -> None:
    with Server(tmp_path, tiny_folder) as server:
        server.ready()
        scene = server.new_scene()
        server.painted(scene)
        with server.events(scene) as events:
            wish = {"mask": SQUARE, "at": [20, 20], "steps": 100, "seed": 5, "variations": 4}
            job = server.post(f"/api/scenes/{scene}/edits", wish)["id"]
            events.until(lambda event: event["event"] == "candidates")
            server.kill()
    with Server(tmp_path, tiny_folder) as server:
        there = candidates(server, scene)
        assert 1 <= len(there) < 4
        assert server.job(scene, job)["state"] == "interrupted"
        server.ready()
        server.post(f"/api/jobs/{job}/retry")
        assert server.finished(scene, job)["state"] == "done"
        assert candidates(server, scene)[: len(there)] == there
        assert [one["number"] for one in candidates(server, scene)] == [0, 1, 2, 3]


def test_the_command_line_edits_a_scene(tmp_path: Path, tiny_folder: Path) -> None:
    from canvas import Rect, Scene
    from tests.app.command_line import run
    from tests.canvas.conftest import random_change

    scene, mask = tmp_path / "s.t2e", tmp_path / "mask.png"
    with Scene.create(scene, 1.0) as made:
        made.accept(random_change(Rect(-64, 32, 128, 128)))
        before = made.read(Rect(-64, 32, 128, 128))
    picture = np.zeros((40, 128), np.uint8)
    picture[16:32, 24:40] = 255
    Image.fromarray(picture).save(mask)
    options = ["--seed", "3", "--steps", "2", "--feather", "2", "--device", "cpu", "--json"]
    command = ["scene", "edit", scene, "--mask", mask, "--prompt", "a lake", "--model", tiny_folder, *options]
    done = run(*command)
    assert done.returncode == 0, done.stderr
    step = json.loads(done.stdout)
    assert step["request"]["frame"] == [-40, 48, 16, 16], "without --at the mask lies at the content's corner"
    with Scene.open(scene) as opened:
        after = opened.read(Rect(-64, 32, 128, 128))
    changed = (before.pixels != after.pixels).any(axis=2)
    assert changed[16:32, 24:40].mean() > 0.9
    changed[14:34, 22:42] = False
    assert not changed.any()
    for wrong, words in ((["--at", "here"], "X,Y"), (["--strength", "2"], "strength")):
        failed = run(*command, *wrong)
        assert failed.returncode == 1
        assert words in failed.stderr
        assert len(failed.stderr.strip().splitlines()[-1:]) == 1
