"""Models are listed with how they run, and switched while the scene stays: its ground goes on with the other model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.app.server_process import Server, wait_for
from tests.app.test_find import imported
from text2earth_core import Text2Earth
from text2earth_core.alignment import IMAGE_TOWER
from text2earth_core.networks.towers import TEST_SIDE, Towers


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path) -> Iterator[Server]:
    """A server whose data folder has two models that run and one that is damaged."""
    data = tmp_path_factory.mktemp("shelf")
    shutil.copytree(tiny_folder, data / "models" / "first")
    Text2Earth.from_preset("tiny", seed=9).save_pretrained(data / "models" / "second")
    add_towers(data / "models" / "second")
    shutil.copytree(tiny_folder, data / "models" / "broken")
    weights = data / "models" / "broken" / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with Server(data, data / "models" / "first") as running:
        yield running.ready()


def add_towers(folder: Path) -> None:
    """Random towers beside the text encoder of a model folder."""
    torch.manual_seed(0)
    towers = Towers(states=2 * json.loads((folder / "text_encoder" / "config.json").read_text())["hidden_size"])
    (folder / IMAGE_TOWER).mkdir()
    save_file(towers.state_dict(), folder / IMAGE_TOWER / "model.safetensors")
    config = {"towers": towers.sizes, "side": TEST_SIDE, "data": []}
    (folder / IMAGE_TOWER / "config.json").write_text(json.dumps(config))


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


def test_a_search_is_by_the_towers_of_the_model_at_work(shelf: Server) -> None:
    """The first has none, so the shipped ones search, with their lexicon; the second has towers and no lexicon."""
    address = f"/api/scenes/{imported(shelf, shelf.new_scene())}/find"

    def found() -> tuple[list[list[str]], list[float]]:
        wait_for(lambda: shelf.post(address, {"text": "an abbey"})["pending"] == 0)
        answer = shelf.post(address, {"text": "an abbey"})
        return answer["taken"], [hit["score"] for hit in answer["hits"]]

    taken, scores = found()
    assert "abbey" in dict(taken)
    switched(shelf, "second")
    other_taken, other_scores = found()
    switched(shelf, "first")
    assert other_taken == []
    assert len(other_scores) == len(scores) == 2
    assert other_scores != scores
    assert found() == (taken, scores)


def test_what_cannot_be_switched_to_leaves_the_model_as_it_is(shelf: Server) -> None:
    before = shelf.get("/api/model")["info"]
    for name, status in (("nonsense", 404), ("../first", 404), ("broken", 422)):
        answer = shelf.http.post("/api/models/current", json={"name": name})
        assert answer.status_code == status
        assert answer.json()["error"].endswith((".", "!"))
    assert shelf.get("/api/model")["info"] == before
    assert shelf.get("/api/model")["state"] == "ready"
