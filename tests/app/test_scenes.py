"""Whole scenes over HTTP: nothing is lost, nothing foreign gets in, every mistake is one sentence."""

from __future__ import annotations

import base64
import io
import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.serving.library import EXAMPLE, Library
from tests.app.server_process import Server

_WHITE = io.BytesIO()
Image.new("L", (8, 8), 255).save(_WHITE, "PNG")
PNG = _WHITE.getvalue()


def test_a_new_scene_is_empty_and_listed_first(server: Server) -> None:
    made = server.post("/api/scenes", {"title": "Coastal study", "resolution": 2.0})
    assert made["title"] == "Coastal study"
    assert made["resolution"] == 2.0
    assert made["empty"]
    assert made["bounds"] is None
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{11,}", made["id"])
    assert server.get(f"/api/scenes/{made['id']}") == made
    assert server.get("/api/scenes")[0]["id"] == made["id"]


def test_scenes_are_listed_by_their_last_change_in_whatever_zone_it_was(tmp_path: Path) -> None:
    times = ("2026-03-01T10:00:00+00:00", "2026-03-01T12:30:00+02:00", "2026-03-01T09:00:00-05:00", "yesterday")
    library = Library(tmp_path)
    scenes = [library.create(time, 1.0) for time in times]
    library.close()
    for scene, time in zip(scenes, times, strict=True):
        connection = sqlite3.connect(library.path(scene))
        connection.execute("UPDATE meta SET value = ? WHERE key = 'modified'", [time])
        connection.commit()
        connection.close()
    assert [summary["title"] for summary in Library(tmp_path).summaries()] == [times[n] for n in (2, 1, 0, 3)]


def test_a_scene_without_a_resolution_gets_the_models(server: Server) -> None:
    assert server.post("/api/scenes")["resolution"] == server.get("/api/model")["info"]["resolution"]


def test_the_resolution_can_change_until_there_is_content(server: Server, scene: str) -> None:
    changed = server.http.patch(f"/api/scenes/{scene}", json={"resolution": 4.0, "title": " New name "})
    assert changed.json()["resolution"] == 4.0
    assert changed.json()["title"] == "New name"
    server.painted(scene)
    refused = server.http.patch(f"/api/scenes/{scene}", json={"resolution": 1.0})
    assert refused.status_code == 422
    assert "resolution is fixed" in refused.json()["error"]
    assert server.get(f"/api/scenes/{scene}")["resolution"] == 4.0


def test_a_duplicate_has_the_same_content_and_lives_on_its_own(server: Server, scene: str) -> None:
    server.painted(scene)
    copy = server.post(f"/api/scenes/{scene}/duplicate")
    assert copy["title"].endswith("(copy)")
    tile = "tiles/rgb/0/0/0.webp"
    before = server.http.get(f"/api/scenes/{copy['id']}/{tile}").content
    assert before == server.http.get(f"/api/scenes/{scene}/{tile}").content
    server.post(f"/api/scenes/{scene}/undo")
    assert server.http.get(f"/api/scenes/{copy['id']}/{tile}").content == before


def test_the_copy_of_a_scene_with_a_long_title_is_a_copy_too(server: Server) -> None:
    scene = server.new_scene(title="m" * 120)
    assert server.post(f"/api/scenes/{scene}/duplicate")["title"] == "m" * 113 + " (copy)"


def test_a_downloaded_scene_can_be_uploaded_again(server: Server, scene: str, tmp_path: Path) -> None:
    server.painted(scene)
    server.http.patch(f"/api/scenes/{scene}", json={"title": "Über/Ufer"})
    answer = server.http.get(f"/api/scenes/{scene}/file")
    assert "filename*=UTF-8''%C3%9Cber_Ufer.t2e" in answer.headers["content-disposition"]
    file = tmp_path / "copy.t2e"
    file.write_bytes(answer.content)
    assert sqlite3.connect(file).execute("PRAGMA integrity_check").fetchone() == ("ok",)
    again = server.http.post("/api/scenes/upload", content=answer.content)
    assert again.status_code == 201
    mine = server.get(f"/api/scenes/{scene}")
    assert {key: again.json()[key] for key in ("title", "bounds", "revision")} == {
        key: mine[key] for key in ("title", "bounds", "revision")
    }
    assert len(server.get(f"/api/scenes/{again.json()['id']}/history")) == 1


def newer(file: bytes, tmp_path: Path) -> bytes:
    """The same scene, said to be of a later format."""
    path = tmp_path / "newer.t2e"
    path.write_bytes(file)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 9999")
    db.close()
    return path.read_bytes()


def test_an_upload_that_is_no_scene_is_refused_and_leaves_nothing(
    server: Server, scene: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    good = server.http.get(f"/api/scenes/{scene}/file").content
    listed = len(server.get("/api/scenes"))
    table = {
        b"": "not a Text2Earth scene",
        b"\x89PNG\r\n\x1a\n" + b"0" * 5000: "not a Text2Earth scene",
        good[: len(good) // 2]: "damaged",
        good[:20000] + b"\xff" * 20000 + good[40000:]: "damaged",
        newer(good, tmp_path): "newer version",
    }
    for content, words in table.items():
        answer = server.http.post("/api/scenes/upload", content=content)
        assert answer.status_code == 422
        assert words in answer.json()["error"]
        assert len(answer.json()["error"].splitlines()) == 1
    assert len(server.get("/api/scenes")) == listed


def test_a_deleted_scene_goes_to_the_trash(server: Server, scene: str, server_data: Path) -> None:
    server.painted(scene)
    assert server.http.delete(f"/api/scenes/{scene}").status_code == 204
    assert server.http.get(f"/api/scenes/{scene}").status_code == 404
    assert scene not in [item["id"] for item in server.get("/api/scenes")]
    assert list((server_data / "trash").glob(f"{scene}-*.t2e"))


def test_a_scene_can_be_deleted_while_it_is_painted(server: Server, scene: str) -> None:
    with server.events(scene) as events:
        server.post(f"/api/scenes/{scene}/jobs", {"frame": [0, 0, 512, 512], "steps": 100})
        events.until(lambda event: event["event"] == "preview")
        assert server.http.delete(f"/api/scenes/{scene}").status_code == 204
        kinds = [event["event"] for event in events.until(lambda event: event["event"] == "deleted")]
        assert "deleted" in kinds
        with pytest.raises(StopIteration):  # the stream ends with its scene
            events.next()


def test_the_example_is_a_copy(server: Server) -> None:
    answer = server.http.post("/api/scenes/example")
    if not EXAMPLE.is_file():
        assert answer.status_code == 404
        assert "no example scene" in answer.json()["error"]
    else:
        assert answer.json()["id"] != server.post("/api/scenes/example")["id"]
        assert answer.json()["tiles"] > 0


def test_more_scenes_than_are_kept_open_stay_usable(server: Server) -> None:
    scenes = [server.new_scene(title=f"Scene {number}") for number in range(20)]
    for number, scene in enumerate(scenes):
        assert server.get(f"/api/scenes/{scene}")["title"] == f"Scene {number}"


@pytest.mark.parametrize(
    ("method", "path", "body", "words"),
    [
        ("POST", "", {"resolution": 0}, "resolution"),
        ("POST", "", {"resolution": -1}, "resolution"),
        ("POST", "", {"resolution": 0.1}, "0.25 to 128"),
        ("POST", "", {"resolution": 500}, "0.25 to 128"),
        ("POST", "", {"resolution": "sharp"}, "resolution"),
        ("POST", "", {"title": ""}, "title"),
        ("POST", "", {"title": "x" * 121}, "title"),
        ("POST", "", {"tittle": "x"}, "tittle"),
        ("POST", "", [], "request"),
        ("PATCH", "/{scene}", {"title": "   "}, "title"),
        ("PATCH", "/{scene}", {"resolution": "x"}, "resolution"),
        ("POST", "/{scene}/erase", {"rect": [0, 0, 0, 5]}, "at least 1 px"),
        ("POST", "/{scene}/erase", {"rect": [0, 0, 5]}, "rect"),
        ("POST", "/{scene}/erase", {"rect": [0, 0, 1.5, 2]}, "rect"),
        ("POST", "/{scene}/erase", {"rect": [2**40, 0, 8, 8]}, "within"),
        ("POST", "/{scene}/erase", {"rect": [0, 0, 8, 8]}, "nothing to erase"),
        ("POST", "/{scene}/undo", None, "nothing to undo"),
        ("POST", "/{scene}/redo", None, "nothing to redo"),
        ("GET", "/{scene}/export", None, "empty"),
        ("GET", "/{scene}/export?format=bmp", None, "format"),
        ("GET", "/{scene}/export?bbox=1,2,3", None, "four whole numbers"),
        ("GET", "/{scene}/export?bbox=5,0,1,1", None, "four whole numbers"),
        ("GET", "/{scene}/export?bbox=0,0,99999999999,1", None, "four whole numbers"),
        ("GET", "/{scene}/index", None, "z"),
        ("GET", "/{scene}/index?z=99&x0=0&y0=0&x1=1&y1=1", None, "z"),
        ("GET", "/{scene}/index?z=0&x0=0&y0=0&x1=99999&y1=1", None, "tiles along a side"),
        ("GET", "/{scene}/tiles/thermal/0/0/0.webp", None, "no such tile"),
        ("GET", "/{scene}/tiles/rgb/-1/0/0.webp", None, "no such tile"),
        ("GET", "/{scene}/tiles/rgb/0/zero/0.webp", None, "x"),
        ("GET", "/nosuchscene0", None, "no scene"),
    ],
)
def test_bad_input_gets_one_sentence_and_changes_nothing(
    server: Server, scene: str, method: str, path: str, body: Any, words: str
) -> None:
    before, listed = server.get(f"/api/scenes/{scene}"), len(server.get("/api/scenes"))
    answer = server.http.request(method, f"/api/scenes{path.format(scene=scene)}", json=body)
    assert answer.status_code in (404, 409, 422)
    assert words in answer.json()["error"]
    assert answer.json()["error"].endswith(".")
    assert server.get(f"/api/scenes/{scene}") == before
    assert len(server.get("/api/scenes")) == listed


def test_a_body_that_is_not_json_is_refused(server: Server) -> None:
    answer = server.http.post("/api/scenes", content=b"{", headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert "error" in answer.json()


@pytest.mark.parametrize("prompt", ["a\0forest", "half a character \ud83c"])
def test_a_prompt_that_cannot_be_written_is_refused_at_every_door(server: Server, scene: str, prompt: str) -> None:
    mask = base64.b64encode(PNG).decode()
    for path, body in (
        ("jobs", {"direction": "right", "prompt": prompt}),
        ("jobs", {"direction": "right", "negative_prompt": prompt}),
        ("edits", {"mask": mask, "at": [0, 0], "prompt": prompt}),
        ("fills", {"bbox": [0, 0, 64, 64], "prompts": [{"text": prompt}]}),
    ):
        answer = server.http.post(
            f"/api/scenes/{scene}/{path}", content=json.dumps(body), headers={"content-type": "application/json"}
        )
        assert answer.status_code == 422, answer.text
        assert answer.json()["error"].endswith(".")
    assert server.http.post("/api/prompt/check", content=json.dumps({"text": prompt})).status_code == 422
