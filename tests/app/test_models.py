"""Models are listed with how they run, and switched while the scene stays: its ground goes on with the other model."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.server_process import Server, wait_for
from text2earth_core import Text2Earth


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path) -> Iterator[Server]:
    """A server whose data folder has two models that run and one that is damaged."""
    data = tmp_path_factory.mktemp("shelf")
    shutil.copytree(tiny_folder, data / "models" / "first")
    Text2Earth.from_preset("tiny", seed=9).save_pretrained(data / "models" / "second")
    shutil.copytree(tiny_folder, data / "models" / "broken")
    weights = data / "models" / "broken" / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with Server(data, data / "models" / "first") as running:
        yield running.ready()


def switched(server: Server, name: str) -> None:
    server.post("/api/models/current", {"name": name})
    wait_for(lambda: server.get("/api/model")["switching"] is None)
    assert server.get("/api/model")["name"] == name


def test_the_list_says_what_runs_and_why_not(shelf: Server) -> None:
    found = {one["name"]: one for one in shelf.get("/api/models")}
    assert {"text2earth-mini", "first", "second", "broken"} <= found.keys()
    assert found["second"]["runs"]
    assert "on cpu" in found["second"]["how"]
    assert "cannot be loaded" in found["broken"]["why_not"]
    assert found["first"]["fingerprint"] == shelf.get("/api/model")["info"]["fingerprint"]


def test_a_scene_goes_on_with_another_model_and_every_step_names_its_own(shelf: Server) -> None:
    scene = shelf.new_scene()
    shelf.painted(scene)
    first = shelf.get("/api/model")["info"]["fingerprint"]
    before = shelf.http.get(f"/api/scenes/{scene}/tiles/rgb/0/0/0.webp").content
    switched(shelf, "second")
    second = shelf.get("/api/model")["info"]["fingerprint"]
    assert first != second
    assert shelf.http.get(f"/api/scenes/{scene}/tiles/rgb/0/0/0.webp").content == before
    shelf.painted(scene, frame=[32, 0, 64, 64])
    assert [step["request"]["model"] for step in shelf.get(f"/api/scenes/{scene}/history")][-2:] == [first, second]
    names = shelf.get("/api/model")["names"]
    assert (names[first], names[second]) == ("first", "second")
    switched(shelf, "first")
    assert shelf.get("/api/model")["info"]["fingerprint"] == first


def test_what_cannot_be_switched_to_leaves_the_model_as_it_is(shelf: Server) -> None:
    before = shelf.get("/api/model")["info"]
    for name, status in (("nonsense", 404), ("../first", 404), ("broken", 422)):
        answer = shelf.http.post("/api/models/current", json={"name": name})
        assert answer.status_code == status
        assert answer.json()["error"].endswith((".", "!"))
    assert shelf.get("/api/model")["info"] == before
    assert shelf.get("/api/model")["state"] == "ready"
