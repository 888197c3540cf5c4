"""The files of jobs: what was sent stays until its import ran or was cancelled, what was made can be downloaded.

The application runs in this process and without its model, which neither imports nor exports need: so a test decides
when the worker starts, and a restart is a second application on the same folder.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from app.api.imports import KEPT
from app.api.server import create_app
from app.api.services import Services
from tests.app.server_process import wait_for
from tests.app.test_maps import picture


class Running:
    """An application whose worker does nothing until `work` is called."""

    def __init__(self, folder: Path) -> None:
        app = create_app(folder)
        self.services: Services = app.state.services
        self.http = TestClient(app, base_url="http://127.0.0.1")
        self.uploads = folder / "incoming"
        self._works = False

    def work(self) -> None:
        self._works = True
        self.services.jobs.start()

    def close(self) -> None:
        if self._works:
            self.services.jobs.stop(30)
        self.services.library.close()
        self.services.jobs._store.close()

    def post(self, path: str, body: dict[str, Any] | None = None, content: bytes | None = None) -> Any:
        answer = self.http.post(f"/api/scenes{path}", json=body, content=content)
        assert answer.is_success, answer.text
        return answer.json()

    def new_scene(self) -> str:
        made: str = self.post("", {"resolution": 1.0})["id"]
        return made

    def send(self, scene: str, data: bytes) -> str:
        file: str = self.post(f"/{scene}/imports?name=roof.png", content=data)["file"]
        return file

    def queue(self, scene: str, file: str) -> str:
        body = {"name": "roof.png", "resolution": 1.0, "at": [0, 0]}
        job: str = self.post(f"/{scene}/imports/{file}", body)["id"]
        return job

    def export(self, scene: str) -> str:
        job: str = self.post(f"/{scene}/exports", {"format": "png", "region": [0, 0, 40, 30]})["id"]
        return job

    def job(self, scene: str, job: str) -> dict[str, Any]:
        found = {item["id"]: item for item in self.http.get(f"/api/scenes/{scene}/jobs").json()}
        return dict(found[job])

    def done(self, scene: str, job: str) -> dict[str, Any]:
        wait_for(lambda: self.job(scene, job)["state"] not in ("queued", "running"))
        found = self.job(scene, job)
        assert found["state"] == "done", found
        return found


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    app = Running(folder)
    try:
        yield app
    finally:
        app.close()


def test_a_waiting_import_keeps_its_file_however_many_are_sent_after_it(tmp_path: Path) -> None:
    with running(tmp_path) as app:
        scene = app.new_scene()
        file, dropped = app.send(scene, picture()), app.send(scene, picture())
        waiting, cancelled = app.queue(scene, file), app.queue(scene, dropped)
        app.http.delete(f"/api/jobs/{cancelled}")
        for old in (file, dropped):
            os.utime(app.uploads / f"{old}.upload", (1, 1))
        for _ in range(KEPT):
            app.send(scene, picture(8, 8))
        kept = {path.name for path in app.uploads.glob("*.upload")}
        assert f"{file}.upload" in kept
        assert f"{dropped}.upload" not in kept, "a cancelled import holds nothing"
        assert len(kept) == KEPT + 1
    with running(tmp_path) as app:  # nobody has asked for the others by now
        app.work()
        assert app.done(scene, waiting)["result"]["rect"] == [0, 0, 40, 30]
        assert list(app.uploads.iterdir()) == []


def test_a_start_keeps_what_jobs_wait_for_or_offer_and_sweeps_the_rest(tmp_path: Path) -> None:
    with running(tmp_path) as app:
        scene = app.new_scene()
        app.queue(scene, app.send(scene, picture()))
        export = app.export(scene)
        app.work()
        app.done(scene, export)
    old, new = (tmp_path / "scenes" / f".{scene}.{name}.import.tif" for name in ("00000000", "11111111"))
    with running(tmp_path) as app:
        file = app.send(scene, picture())
        waiting = app.queue(scene, file)
        app.send(scene, picture())
        for leftover in (old, new, app.uploads / f".{scene}.22222222.import.tif", app.uploads / "abcdef123456.t2e"):
            leftover.write_bytes(b"half of a picture")
        os.utime(old, (time.time() - 86400,) * 2)
    with running(tmp_path) as app:
        assert app.job(scene, export)["download"]
        app.services.library.sweep(app.services.jobs.files())
        assert {path.name for path in app.uploads.iterdir()} == {f"{export}.png", f"{file}.upload"}
        assert not old.exists()
        assert new.exists(), "another program may be importing there right now"
        app.work()
        app.done(scene, waiting)
        exported = app.http.get(f"/api/scenes/{scene}/exports/{export}").content
        shown, sent = (np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) for data in (exported, picture()))
        assert np.array_equal(shown, sent)


def test_an_import_that_a_kill_cut_off_can_be_retried(tmp_path: Path) -> None:
    with running(tmp_path) as app:
        scene = app.new_scene()
        job = app.queue(scene, app.send(scene, picture()))
        app.services.jobs._next()  # as the worker does, which is then gone
    with running(tmp_path) as app:
        app.work()
        assert app.job(scene, job)["state"] == "interrupted"
        assert app.http.post(f"/api/jobs/{job}/retry").is_success
        app.done(scene, job)


def test_an_old_export_can_be_downloaded_while_it_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many jobs have ended since: the page may show its row still."""
    monkeypatch.setattr("app.jobs.queue.SHOWN", 1)
    with running(tmp_path) as app:
        scene, other = app.new_scene(), app.new_scene()
        app.queue(scene, app.send(scene, picture()))
        first, last = app.export(scene), app.export(scene)
        app.work()
        app.done(scene, last)
        assert app.http.get(f"/api/scenes/{scene}/exports/{first}").is_success
        assert app.http.get(f"/api/scenes/{other}/exports/{first}").status_code == 404


def test_only_an_export_that_is_still_kept_is_offered(tmp_path: Path) -> None:
    with running(tmp_path) as app:
        scene = app.new_scene()
        done = app.queue(scene, app.send(scene, picture()))
        export = app.export(scene)
        assert not app.job(scene, export)["download"], "it is not made yet"
        app.work()
        app.done(scene, export)
        assert app.job(scene, export)["download"]
        assert not app.job(scene, done)["download"]
        (app.uploads / f"{export}.png").unlink()
        assert not app.job(scene, export)["download"]
