"""Maps through the HTTP API: exports as jobs with a download at the end, images received, described and imported."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image

from tests.app.server_process import Server, wait_for


def picture(width: int = 40, height: int = 30, **options: object) -> bytes:
    out = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(out, "PNG", **options)
    return out.getvalue()


def imported(server: Server, scene: str, data: bytes, **wish: object) -> dict:
    told = server.http.post(f"/api/scenes/{scene}/imports", params={"name": "roof.png"}, content=data)
    assert told.status_code == 201, told.text
    job = server.post(f"/api/scenes/{scene}/imports/{told.json()['file']}", {"name": "roof.png"} | wish)
    return server.finished(scene, job["id"])


def test_a_picture_is_received_described_and_imported_as_one_step(
    server: Server, scene: str, server_data: Path
) -> None:
    told = server.http.post(f"/api/scenes/{scene}/imports", params={"name": "roof.png"}, content=picture())
    assert told.json() | {"file": ""} == {
        "file": "", "name": "roof.png", "width": 40, "height": 30, "bands": 3, "dtype": "uint8", "alpha": False,
        "names": ["", "", ""], "layers": {"rgb": [1, 2, 3]}, "crs": None, "resolution": None, "rect": None,
        "placed": False, "why": None,
    }  # fmt: skip
    wish = {"name": "roof.png", "resolution": 1.0, "at": [8, -5]}
    job = server.post(f"/api/scenes/{scene}/imports/{told.json()['file']}", wish)
    assert job["kind"] == "import"
    done = server.finished(scene, job["id"])
    assert done["state"] == "done", done
    assert done["result"]["rect"] == [8, -5, 40, 30]
    assert server.get(f"/api/scenes/{scene}")["bounds"] == [8, -5, 40, 30]
    assert server.get(f"/api/scenes/{scene}/history")[-1]["request"]["source"]["file"] == "roof.png"
    shown = server.http.get(f"/api/scenes/{scene}/export").content
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(shown))), np.asarray(Image.open(io.BytesIO(picture()))))
    assert not (server_data / "incoming" / f"{told.json()['file']}.upload").exists()
    server.post(f"/api/scenes/{scene}/undo")
    assert server.get(f"/api/scenes/{scene}")["empty"]


def test_a_size_that_nobody_knows_fails_with_the_sentence_and_can_be_tried_again(server: Server, scene: str) -> None:
    failed = imported(server, scene, picture())
    assert failed["state"] == "failed"
    assert "roof.png does not say how large its pixels are" in failed["error"]
    assert server.get(f"/api/scenes/{scene}")["revision"] == 0


@pytest.mark.parametrize("data", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_refused_when_it_arrives(
    server: Server, scene: str, server_data: Path, data: bytes
) -> None:
    before = list((server_data / "incoming").iterdir())
    answer = server.http.post(f"/api/scenes/{scene}/imports", params={"name": "x.png"}, content=data)
    assert answer.status_code == 422
    assert "x.png is damaged" in answer.json()["error"]
    assert list((server_data / "incoming").iterdir()) == before


def test_a_file_can_be_forgotten_and_is_then_not_imported(server: Server, scene: str) -> None:
    told = server.http.post(f"/api/scenes/{scene}/imports", content=picture()).json()
    assert server.http.delete(f"/api/scenes/{scene}/imports/{told['file']}").status_code == 204
    for file in (told["file"], "../../jobs", "0" * 12):
        answer = server.http.post(f"/api/scenes/{scene}/imports/{file}", json={"resolution": 1.0})
        assert answer.status_code in (404, 405)
    assert server.get(f"/api/scenes/{scene}/jobs") == []


def test_an_export_is_a_job_whose_file_is_downloaded(server: Server, scene: str, tmp_path: Path) -> None:
    imported(server, scene, picture(), resolution=1.0, at=[0, 0])
    place = {"crs": "EPSG:32632", "origin": "500000,5400000"}
    job = server.post(f"/api/scenes/{scene}/exports", {"format": "tif", "region": [4, 2, 20, 10], "place": place})
    with server.events(scene) as events:
        hello = events.next()
        assert hello["event"] == "hello"
    done = server.finished(scene, job["id"])
    assert done["state"] == "done", done
    answer = server.http.get(f"/api/scenes/{scene}/exports/{job['id']}")
    assert answer.status_code == 200
    assert "Untitled%20scene.tif" in answer.headers["content-disposition"]
    (tmp_path / "a.tif").write_bytes(answer.content)
    with rasterio.open(tmp_path / "a.tif") as file:
        assert (file.width, file.height) == (20, 10)
        assert file.transform.to_gdal() == (500_004.0, 1.0, 0.0, 5_399_998.0, 0.0, -1.0)
    again = server.http.get(f"/api/scenes/{scene}/exports/{job['id']}")  # a download that broke off is taken up again
    assert again.content == answer.content
    assert done["result"] == {"file": "tif", "bytes": len(answer.content)}


def test_progress_of_a_job_without_a_picture_is_told(server: Server, scene: str) -> None:
    imported(server, scene, picture(600, 500), resolution=1.0, at=[0, 0])
    with server.events(scene) as events:
        events.next()
        job = server.post(f"/api/scenes/{scene}/exports", {"format": "zip"})["id"]
        seen = events.until(lambda e: e["event"] == "job" and e["data"]["id"] == job and e["data"]["state"] == "done")
    steps = [(e["data"]["step"], e["data"]["steps"]) for e in seen if e["event"] == "preview"]
    assert steps
    assert steps[-1][0] == steps[-1][1]


def test_the_place_on_earth_is_kept_and_used(server: Server, scene: str) -> None:
    imported(server, scene, picture(), resolution=1.0, at=[0, 0])
    refused = server.http.post(f"/api/scenes/{scene}/exports", json={"format": "mbtiles"})
    assert refused.status_code == 422
    assert "plain tile pyramid" in refused.json()["error"]
    place = {"crs": "EPSG:32632", "origin": "500000,5400000"}
    told = server.http.put(f"/api/scenes/{scene}/anchor", json=place).json()
    assert told["anchor"] == {"epsg": 32632, "east": 500_000.0, "north": 5_400_000.0}
    job = server.post(f"/api/scenes/{scene}/exports", {"format": "mbtiles"})["id"]
    assert server.finished(scene, job)["state"] == "done"
    assert server.http.delete(f"/api/scenes/{scene}/anchor").json()["anchor"] is None


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"format": "docx"}, "not known"),
        ({"format": "tif"}, "empty"),
        ({"format": "tif", "region": [0, 0, 0, 5]}, "at least 1 px"),
        ({"format": "tif", "region": [0, 0, 9, 9], "place": {"crs": "EPSG:4326", "origin": "8,48"}}, "degrees"),
        ({"format": "tif", "region": [0, 0, 9, 9], "place": {"crs": "file:///etc/passwd", "origin": "8,48"}}, "EPSG"),
        ({"format": "tif", "region": [0, 0, 9, 9], "place": {"crs": "EPSG:32632"}}, "origin"),
    ],
)
def test_an_export_that_cannot_be_is_refused_before_it_waits(
    server: Server, scene: str, body: dict, words: str
) -> None:
    answer = server.http.post(f"/api/scenes/{scene}/exports", json=body)
    assert answer.status_code == 422
    assert words in answer.json()["error"]
    assert server.get(f"/api/scenes/{scene}/jobs") == []


def test_scripts_get_every_format_at_once(server: Server, scene: str) -> None:
    imported(server, scene, picture(), resolution=1.0, at=[0, 0])
    for name, start in (("png", b"\x89PNG"), ("tif", b"II"), ("zip", b"PK")):
        answer = server.http.get(f"/api/scenes/{scene}/export", params={"format": name, "bbox": "0,0,16,16"})
        assert answer.status_code == 200, answer.text
        assert answer.content.startswith(start)
    anchored = {"format": "mbtiles", "crs": "EPSG:32632", "origin": "500000,5400000"}
    assert server.http.get(f"/api/scenes/{scene}/export", params=anchored).content.startswith(b"SQLite format 3")


def test_a_cancelled_export_leaves_no_file(server: Server, scene: str, server_data: Path) -> None:
    imported(server, scene, picture(900, 900), resolution=1.0, at=[0, 0])
    before = {file.name for file in (server_data / "incoming").iterdir()}
    job = server.post(f"/api/scenes/{scene}/exports", {"format": "tif"})["id"]
    server.http.delete(f"/api/jobs/{job}")
    wait_for(lambda: server.job(scene, job)["state"] in ("cancelled", "done"))
    if server.job(scene, job)["state"] == "cancelled":  # it may have been faster than we are
        assert server.http.get(f"/api/scenes/{scene}/exports/{job}").status_code == 404
        assert {file.name for file in (server_data / "incoming").iterdir()} == before
