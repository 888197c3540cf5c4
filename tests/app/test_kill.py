"""A server killed while it paints: every accepted change is there, and the job that was cut off says so."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.server_process import PATIENCE, ROOT, Server, wait_for


@pytest.mark.timeout(1800)  # four servers, each of which imports torch
def test_three_kills_lose_no_accepted_change(tmp_path: Path, tiny_folder: Path) -> None:
    scene, waiting = "", ""
    accepted: list[bytes] = []
    interrupted: list[str] = []
    for round_ in range(4):
        with Server(tmp_path, tiny_folder) as server:
            if round_:  # what the killed server left; asked before the model is there
                assert server.http.get(f"/api/scenes/{scene}/tiles/rgb/0/0/0.webp").content == accepted[-1]
                for job in interrupted:
                    found = server.job(scene, job)
                    assert found["state"] == "interrupted"
                    assert "Retry" in found["error"]
                assert server.finished(scene, waiting)["state"] == "done"  # what waited goes on
            server.ready()
            scene = scene or server.new_scene()
            assert len(server.get(f"/api/scenes/{scene}/history")) == 2 * round_
            if round_ == 3:
                paint_again(server, scene, interrupted[0])
                return
            server.painted(scene, frame=[0, 64 * round_, 64, 64], seed=round_)
            accepted.append(server.http.get(f"/api/scenes/{scene}/tiles/rgb/0/0/0.webp").content)
            with server.events(scene) as events:
                job = server.post(f"/api/scenes/{scene}/jobs", {"frame": [2048, 0, 1024, 1024], "steps": 100})["id"]
                place = [0, 4096 + 64 * round_, 64, 64]
                waiting = server.post(f"/api/scenes/{scene}/jobs", {"frame": place, "steps": 2})["id"]
                events.until(lambda event: event["event"] == "preview")
                server.kill()
            interrupted.append(job)


def paint_again(server: Server, scene: str, job: str) -> None:
    """An interrupted job starts anew when it is retried."""
    with server.events(scene) as events:
        assert server.post(f"/api/jobs/{job}/retry")["state"] == "queued"
        events.until(lambda event: event["event"] == "preview" and event["data"]["job"] == job)
        server.http.delete(f"/api/jobs/{job}")
        events.until(lambda event: event["event"] == "job" and event["data"]["state"] == "cancelled")


def test_a_stop_in_good_order_interrupts_the_job_and_ends(tmp_path: Path, tiny_folder: Path) -> None:
    with Server(tmp_path, tiny_folder) as server:
        server.ready()
        scene = server.new_scene()
        with server.events(scene) as events:
            job = server.post(f"/api/scenes/{scene}/jobs", {"frame": [0, 0, 1024, 1024], "steps": 100})["id"]
            events.until(lambda event: event["event"] == "preview")
            server.process.terminate()
            assert server.process.wait(PATIENCE) in (0, -15)
    with Server(tmp_path, tiny_folder) as server:
        assert server.job(scene, job)["state"] == "interrupted"


# ---- what a start finds; one server does for all of it


LEFT_OVER = Path("incoming") / "abcdef123456.t2e"


@pytest.fixture(scope="module")
def unlucky(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose model is not there, in a folder with half an upload and a queue that is no database."""
    folder = tmp_path_factory.mktemp("unlucky")
    (folder / LEFT_OVER).parent.mkdir()
    (folder / LEFT_OVER).write_bytes(b"half of a scene")
    (folder / "jobs.sqlite").write_bytes(b"no database" * 1000)
    with Server(folder, folder / "no-model") as server:
        assert server.get("/api/scenes") == []
        yield server


def test_a_model_that_cannot_be_loaded_is_named_and_scenes_stay_usable(unlucky: Server) -> None:
    scene = unlucky.new_scene()
    wait_for(lambda: unlucky.get("/api/model")["state"] != "loading")
    model = unlucky.get("/api/model")
    assert model["state"] == "failed"
    assert "no-model" in model["error"]
    answer = unlucky.http.post(f"/api/scenes/{scene}/jobs", json={"frame": [0, 0, 64, 64]})
    assert answer.status_code == 503
    assert answer.json()["error"] == model["error"]
    assert unlucky.get(f"/api/scenes/{scene}/jobs") == []
    assert unlucky.http.patch(f"/api/scenes/{scene}", json={"title": "Still here"}).is_success


def test_unfinished_uploads_are_cleared_at_start(unlucky: Server) -> None:
    assert not (unlucky.data_dir / LEFT_OVER).exists()


def test_a_second_server_in_the_same_directory_is_refused(unlucky: Server) -> None:
    scene = unlucky.new_scene()
    second = subprocess.run(
        [sys.executable, "launch.py", "--no-browser", "--port", "0", "--data-dir", str(unlucky.data_dir)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert second.returncode == 1
    assert "Another Text2Earth server uses" in second.stderr
    assert unlucky.get(f"/api/scenes/{scene}")["empty"]


def test_a_damaged_queue_is_set_aside_and_scenes_stay(unlucky: Server) -> None:
    scene = unlucky.new_scene()
    assert unlucky.get(f"/api/scenes/{scene}/jobs") == []
    assert (unlucky.data_dir / "jobs.broken").read_bytes().startswith(b"no database")
