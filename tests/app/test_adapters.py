"""Adapters are listed, added with a check, used at once, kept over a restart, removed; layers are made with them."""

from __future__ import annotations

import base64
import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from PIL import Image

from tests.adapters import write_adapter
from tests.app.server_process import Server

FRAME = [0, 0, 64, 64]


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory, adapted_folder: Path) -> Iterator[Server]:
    """A server whose model has random adapters for all modalities."""
    with Server(tmp_path_factory.mktemp("adapted"), adapted_folder) as running:
        running.ready()
        yield running


@pytest.fixture
def scene(adapted: Server) -> str:
    return adapted.new_scene()


def made(server: Server, scene: str, path: str, wish: dict[str, Any]) -> dict[str, Any]:
    job = server.post(f"/api/scenes/{scene}/{path}", wish)
    done = server.finished(scene, job["id"])
    assert done["state"] == "done", done
    return done


def send(server: Server, folder: Path, *, manifest: bool = False, **form: str) -> Any:
    files = {"weights": ("autumn.safetensors", (folder / "pytorch_lora_weights.safetensors").read_bytes())}
    if manifest:
        files["manifest"] = ("adapter.json", (folder / "adapter.json").read_bytes())
    return server.http.post("/api/adapters", files=files, data=form)


def colourfulness(image: str) -> int:
    """How far red, green and blue of a data URL's picture are from each other at most: 0 is grey."""
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(image.partition(",")[2]))).convert("RGB"), int)
    return int((pixels.max(axis=2) - pixels.min(axis=2)).max())


def test_pictures_of_a_layer_of_one_band_are_grey_while_it_is_made(adapted: Server, scene: str) -> None:
    painting = ("jobs", {"frame": FRAME, "seed": 1, "steps": 2})
    filling = ("fills", {"bbox": FRAME, "prompts": [{"text": "forest"}], "seed": 1, "steps": 2})
    most = {}
    with adapted.events(scene) as events:
        for layer, (path, wish) in itertools.product(("rgb", "sar"), (painting, filling)):
            job = adapted.post(f"/api/scenes/{scene}/{path}", wish | {"layer": layer})["id"]
            seen = events.until(lambda event: event["event"] == "scene")
            images = [event["data"]["image"] for event in seen if event["event"] == "preview"]
            most[layer, path] = max(map(colourfulness, filter(None, images)))
            assert adapted.finished(scene, job)["state"] == "done"
            adapted.post(f"/api/scenes/{scene}/undo")
            events.until(lambda event: event["event"] == "scene")
    assert most["sar", "jobs"] <= 2, most
    assert most["sar", "fills"] <= 2, most
    assert most["rgb", "jobs"] > 8, most


def test_a_layer_is_made_extended_edited_erased_and_taken_away(adapted: Server, scene: str) -> None:
    assert {one["modality"] for one in adapted.get("/api/adapters")} == {"pan", "nir", "sar"}
    for layer in ("rgb", "nir"):
        done = made(adapted, scene, "jobs", {"frame": FRAME, "prompt": "forest", "seed": 1, "steps": 2, "layer": layer})
        assert ("adapters" in done["request"]) == (layer == "nir")
    summary = adapted.get(f"/api/scenes/{scene}")
    assert summary["layers"] == ["rgb", "nir"]
    assert summary["layer_bounds"]["nir"] == FRAME
    made(adapted, scene, "jobs", {"direction": "right", "prompt": "forest", "seed": 2, "steps": 2, "layer": "nir"})
    assert adapted.get(f"/api/scenes/{scene}")["layer_bounds"] == {"rgb": FRAME, "nir": [0, 0, 96, 64]}
    index = f"/api/scenes/{scene}/index?z=0&x0=-1&y0=-1&x1=2&y1=2"
    assert len(adapted.get(f"{index}&layer=nir")["tiles"]) == 1
    assert adapted.get(f"{index}&layer=sar")["tiles"] == []
    tile = adapted.http.get(f"/api/scenes/{scene}/tiles/nir/0/0/0.webp")
    colours = np.asarray(Image.open(io.BytesIO(tile.content)).convert("RGB"))
    assert np.array_equal(colours[..., 0], colours[..., 2])
    file = adapted.http.get(f"/api/scenes/{scene}/export?format=tif&layers=rgb,nir").content
    with rasterio.open(io.BytesIO(file)) as opened:
        assert opened.descriptions == ("red", "green", "blue", "nir", "rgb known", "nir known")  # they end elsewhere
        values = opened.read()
    again = adapted.new_scene()
    told = adapted.http.post(f"/api/scenes/{again}/imports", params={"name": "both.tif"}, content=file).json()
    assert told["layers"] == {"rgb": [1, 2, 3], "nir": [4]}
    job = adapted.post(f"/api/scenes/{again}/imports/{told['file']}", {"name": "both.tif"})
    assert adapted.finished(again, job["id"])["result"]["layers"] == ["rgb", "nir"]
    back = adapted.http.get(f"/api/scenes/{again}/export?format=png&layers=nir").content
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(back)).convert("L")), values[3])
    adapted.post(f"/api/scenes/{scene}/erase", {"layer": "nir"})
    assert adapted.get(f"/api/scenes/{scene}")["layers"] == ["rgb"]
    adapted.post(f"/api/scenes/{scene}/undo")
    assert adapted.get(f"/api/scenes/{scene}")["layers"] == ["rgb", "nir"]


def test_a_style_is_added_used_by_weight_and_removed(adapted: Server, scene: str, style_folder: Path) -> None:
    answer = send(adapted, style_folder)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["name"], told["modality"], told["shipped"]) == ("autumn", "rgb", False)
    assert "file" not in told
    wish = {"frame": FRAME, "prompt": "forest", "seed": 1, "steps": 2}
    pictures = []
    for adapters in ([], [["autumn", 1.0]]):
        made(adapted, scene, "jobs", wish | {"adapters": adapters})
        pictures.append(adapted.http.get(f"/api/scenes/{scene}/export").content)
        adapted.post(f"/api/scenes/{scene}/undo")
    assert pictures[0] != pictures[1]
    taken = send(adapted, style_folder)
    assert (taken.status_code, "already" in taken.json()["error"]) == (409, True)
    assert adapted.http.delete("/api/adapters/autumn").status_code == 204
    assert adapted.http.delete("/api/adapters/autumn").status_code == 404
    refused = adapted.http.post(f"/api/scenes/{scene}/jobs", json=wish | {"adapters": [["autumn", 1.0]]})
    assert (refused.status_code, "There is no adapter autumn" in refused.json()["error"]) == (422, True)


def test_what_does_not_fit_is_refused_when_it_is_added_and_nothing_is_kept(
    adapted: Server, adapted_folder: Path, tmp_path: Path
) -> None:
    fine = write_adapter(tmp_path / "fine", adapted_folder, "nir", 5)
    text = (fine / "adapter.json").read_text()
    (fine / "adapter.json").write_text(text.replace('"base": "', '"base": "x'))
    other = send(adapted, fine, manifest=True, name="foreign")
    assert (other.status_code, "made for another model" in other.json()["error"]) == (422, True)
    assert str(tmp_path) not in other.text
    assert "adapters/foreign" not in other.text
    damaged = adapted.http.post("/api/adapters", files={"weights": ("a.safetensors", b"no safetensors")})
    assert (damaged.status_code, "damaged" in damaged.json()["error"]) == (422, True)
    pickle = adapted.http.post("/api/adapters", files={"weights": ("a.pt", b"\x80\x02}q\x00.")})
    assert (pickle.status_code, "pickles may run any program" in pickle.json()["error"]) == (422, True)
    outside = send(adapted, fine, name="../../evil")
    assert (outside.status_code, "name has 1 to 60" in outside.json()["error"]) == (422, True)
    nothing = adapted.http.post("/api/adapters", data={"name": "x"})
    assert (nothing.status_code, "must have a file" in nothing.json()["error"]) == (422, True)
    hub = adapted.http.post("/api/adapters/hub", json={"id": "../etc"})
    assert (hub.status_code, "no name on the hub" in hub.json()["error"]) == (422, True)
    assert {one["name"] for one in adapted.get("/api/adapters")} == {"pan", "nir", "sar"}


def test_added_adapters_are_there_after_a_restart(tmp_path: Path, student_folder: Path, style_folder: Path) -> None:
    with Server(tmp_path / "data", student_folder) as server:
        server.ready()
        assert send(server, style_folder, name="old trees").status_code == 201
        scene = server.new_scene()
        refused = server.http.post(f"/api/scenes/{scene}/jobs", json={"frame": FRAME, "layer": "nir"})
        assert (refused.status_code, "has no adapter for nir" in refused.json()["error"]) == (422, True)
    (tmp_path / "data" / "adapters" / "broken").mkdir()
    with Server(tmp_path / "data", student_folder) as server:
        server.ready()
        assert [one["name"] for one in server.get("/api/model")["adapters"]] == ["old trees"]
