"""How far the prompt leads beside other ground: asked for over HTTP, kept by jobs, refused out of range."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.jobs.queue import JobQueue
from app.jobs.store import Job, JobStore
from app.serving.events import EventHub
from app.serving.library import Library
from app.serving.model_host import ModelHost
from canvas.geometry import Rect
from canvas.masks import encode_mask
from tests.app.server_process import Server, wait_for
from tests.app.test_edits import SQUARE, candidates
from tests.app.test_painting import LONG
from tests.canvas.conftest import random_change
from text2earth_core.sampling.settings import Sampling

EDIT = {"mask": SQUARE, "at": [20, 20], "prompt": "a lake", "steps": 2, "seed": 5, "feather": 4}
FILL = {"bbox": [64, 0, 128, 64], "prompts": [{"text": "a lake"}], "steps": 2, "seed": 5}


def newest(server: Server, scene: str) -> dict[str, Any]:
    request: dict[str, Any] = server.get(f"/api/scenes/{scene}/history")[-1]["request"]
    return request


def test_what_is_asked_for_is_what_the_history_says(server: Server, scene: str) -> None:
    server.painted(scene, prompt="forest")
    for follow in (None, 0.25, 0, 1):
        asked = {} if follow is None else {"follow": follow}
        done = server.painted(scene, frame=[32, 0, 64, 64], prompt="a lake", **asked)
        assert done["request"]["follow"] == follow
        assert newest(server, scene).get("follow", 0) == follow
        server.post(f"/api/scenes/{scene}/undo")


def test_every_variation_of_an_edit_takes_it(server: Server, scene: str) -> None:
    server.painted(scene, prompt="forest")
    job = server.post(f"/api/scenes/{scene}/edits", EDIT | {"follow": 0.75, "variations": 2})
    assert job["request"]["follow"] == 0.75
    server.finished(scene, job["id"])
    assert [one["request"]["follow"] for one in candidates(server, scene)] == [0.75, 0.75]


def test_fills_and_their_recipes_take_it_too(server: Server, scene: str) -> None:
    server.painted(scene, prompt="forest")
    assert server.post(f"/api/scenes/{scene}/fills/cost", FILL | {"follow": 0.5})["steps"] == 2
    job = server.post(f"/api/scenes/{scene}/fills", FILL | {"follow": 0.5})
    assert server.finished(scene, job["id"])["request"]["follow"] == 0.5
    assert newest(server, scene)["follow"] == 0.5
    assert server.get(f"/api/scenes/{scene}/recipe")["history"][-1]["follow"] == 0.5


@pytest.mark.parametrize("wrong", ["-0.1", "1.01", "NaN", "Infinity", '"much"'])
@pytest.mark.parametrize("path", ["jobs", "edits", "fills", "fills/cost"])
def test_an_impossible_number_is_refused_with_one_sentence(server: Server, scene: str, path: str, wrong: str) -> None:
    rest = {"jobs": {"frame": [0, 0, 64, 64]}, "edits": EDIT, "fills": FILL, "fills/cost": FILL}[path]
    body = json.dumps(rest).replace("{", f'{{"follow": {wrong}, ', 1)  # JSON proper has no NaN, but parsers take it
    headers = {"content-type": "application/json"}
    answer = server.http.post(f"/api/scenes/{scene}/{path}", content=body, headers=headers)
    assert answer.status_code == 422
    assert "follow" in answer.json()["error"]
    assert server.get(f"/api/scenes/{scene}/jobs") == []


def test_a_job_tried_again_keeps_it(server: Server, scene: str) -> None:
    blocker = server.post(f"/api/scenes/{scene}/jobs", LONG)["id"]
    asked = {"frame": [600, 0, 64, 64], "steps": 2, "follow": 0.25}
    job = server.post(f"/api/scenes/{scene}/jobs", asked)["id"]
    for one in (job, blocker):
        server.http.delete(f"/api/jobs/{one}")
    wait_for(lambda: server.job(scene, blocker)["state"] == "cancelled")
    assert server.post(f"/api/jobs/{job}/retry")["request"]["follow"] == 0.25
    server.finished(scene, job)
    assert newest(server, scene)["follow"] == 0.25


# ---- jobs stored by a server before there was a choice


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path)
    yield library
    library.close()


def test_jobs_from_before_continue_the_ground_as_they_would_have(
    tmp_path: Path, library: Library, tiny_folder: Path
) -> None:
    scene = library.create("Scene", 1.0)
    made = {name: value for name, value in Sampling(seed=5, steps=2).as_dict().items() if name != "follow"}
    fill = {name: value for name, value in made.items() if name != "prompt"} | {"region": None}
    requests = {
        "generate": made | {"frame": [0, 0, 64, 64], "prompt": "forest"},
        "fill": fill | {"frame": [64, 0, 64, 64], "prompt": "a lake", "prompts": [{"text": "a lake"}]},
        "edit": made | {"frame": [16, 16, 24, 24], "mask": _whole_mask(), "prompt": "a lake"}
        | {"strength": 1.0, "feather": 4, "variations": 1},
    }  # fmt: skip
    store = JobStore(tmp_path)
    for rank, (kind, request) in enumerate(requests.items()):
        store.save(Job(kind, scene, request, time.time(), kind=kind, rank=rank))
    host = ModelHost(tiny_folder, "cpu", lambda: None)
    host.start()
    queue = JobQueue(store, library, host, EventHub())
    queue.start()
    wait_for(lambda: all(job["state"] in ("done", "failed") for job in queue.of_scene(scene)))
    queue.stop(30)
    assert [(job["state"], job["error"]) for job in queue.of_scene(scene)] == [("done", None)] * 3
    with library.open(scene) as opened:
        asked = [step.request for step in opened.history()] + [one.as_dict()["request"] for one in opened.candidates()]
    assert [(one["kind"], one.get("follow", 0)) for one in asked] == [("generate", 0), ("fill", 0), ("edit", 0)]
    store.close()


@pytest.mark.parametrize("follow", [0.0, 0.25, None])
def test_a_kill_after_the_change_was_accepted_is_seen_whatever_it_followed(
    tmp_path: Path, library: Library, follow: float | None
) -> None:
    scene, before = library.create("Scene", 1.0), time.time()
    change = random_change(Rect(0, 0, 64, 64), seed=1)
    with library.open(scene) as opened:
        opened.accept(replace(change, request=replace(change.request, follow=follow)))
    request = {"frame": [0, 0, 64, 64], "prompt": "prompt 1", "seed": 1, "follow": follow}
    store = JobStore(tmp_path)
    store.save(Job("killed", scene, request, before, state="running", started=before))
    queue = JobQueue(store, library, ModelHost(None, None, lambda: None), EventHub())
    queue.start()
    queue.stop(10)
    assert [job["state"] for job in queue.of_scene(scene)] == ["done"]
    store.close()


def _whole_mask() -> str:
    return encode_mask(np.full((24, 24), 255, np.uint8))
