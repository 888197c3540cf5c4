"""What the queue makes of the records of a server that was killed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import AppError, Conflict, NotFound
from app.jobs.queue import JobQueue
from app.jobs.store import FINISHED_KEPT, Job, JobStore
from app.serving.events import EventHub
from app.serving.library import Library
from app.serving.model_host import ModelHost
from canvas.errors import SceneError
from canvas.geometry import Rect
from tests.canvas.conftest import random_change

FRAME = Rect(0, 0, 64, 64)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path)
    yield library
    library.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    store = JobStore(tmp_path)
    yield store
    store.close()


def restarted(store: JobStore, library: Library) -> JobQueue:
    """A queue over the records in `store`, as a new server makes it; its model is never loaded."""
    hub = EventHub()
    queue = JobQueue(store, library, ModelHost(None, None, lambda: None), hub)
    queue.start()
    queue.stop(10)
    return queue


def running(scene: str, prompt: str, seed: int, started: float) -> Job:
    request = {"frame": list(FRAME), "prompt": prompt, "negative_prompt": "", "seed": seed}
    return Job(f"job{seed}", scene, request, started, state="running", started=started)


def test_a_job_killed_after_its_change_was_accepted_is_done(store: JobStore, library: Library) -> None:
    scene = library.create("Scene", 1.0)
    before = time.time()
    with library.open(scene) as opened:
        opened.accept(random_change(FRAME, seed=1))
    store.save(running(scene, "prompt 1", 1, before), running(scene, "prompt 2", 2, before))
    states = {job["id"]: job["state"] for job in restarted(store, library).of_scene(scene)}
    assert states == {"job1": "done", "job2": "interrupted"}


def test_an_older_change_like_it_does_not_count(store: JobStore, library: Library) -> None:
    scene = library.create("Scene", 1.0)
    with library.open(scene) as opened:
        opened.accept(random_change(FRAME, seed=1))
    store.save(running(scene, "prompt 1", 1, time.time() + 1))
    [job] = restarted(store, library).of_scene(scene)
    assert job["state"] == "interrupted"


def test_the_record_of_an_interruption_is_kept(store: JobStore, library: Library) -> None:
    scene = library.create("Scene", 1.0)
    store.save(running(scene, "prompt", 1, time.time()))
    restarted(store, library)
    assert [job.state for job in store.load()] == ["interrupted"]
    [job] = restarted(store, library).of_scene(scene)
    assert job["state"] == "interrupted"


def test_records_do_not_grow_without_bound_and_waiting_jobs_are_never_dropped(store: JobStore) -> None:
    waiting = Job("waiting", "scene", {}, 0.0)
    store.save(waiting, *(Job(f"job{n}", "scene", {}, n + 1.0, state="done") for n in range(FINISHED_KEPT + 30)))
    for _ in range(2):
        kept = store.load()
        assert len(kept) == FINISHED_KEPT + 1
        assert kept[0] == waiting
        assert kept[-1].id == f"job{FINISHED_KEPT + 29}"


def test_one_directory_serves_one_server(tmp_path: Path, store: JobStore) -> None:
    with pytest.raises(AppError, match="Another Text2Earth server"):
        JobStore(tmp_path)
    store.close()
    JobStore(tmp_path).close()


def test_a_file_elsewhere_is_served_in_its_place(tmp_path: Path, library: Library) -> None:
    from canvas.scene import Scene

    file = tmp_path / "My coast.t2e"
    Scene.create(file, 2.0, title="My coast").close()
    scene = library.add_path(file)
    assert library.add_path(file) == scene
    with library.open(scene) as opened:
        opened.set_title("Renamed")
    with Scene.open(file) as opened:
        assert opened.title == "Renamed"
    with pytest.raises(AppError, match="outside the library"):
        library.delete(scene)
    assert file.is_file()


def test_a_scene_that_is_being_deleted_is_not_opened_again(tmp_path: Path, library: Library) -> None:
    told = set()

    def use(scene: str, deleted: threading.Event) -> None:
        while not deleted.is_set():
            try:
                with library.open(scene) as opened:
                    opened.redraw()
            except (AppError, SceneError) as error:
                told.add(type(error))

    for _ in range(50):
        scene, deleted = library.create("Scene", 1.0), threading.Event()
        users = [threading.Thread(target=use, args=(scene, deleted)) for _ in range(2)]
        for user in users:
            user.start()
        library.delete(scene)
        deleted.set()
        for user in users:
            user.join()
        assert not list((tmp_path / "scenes").glob(f"{scene}*"))
    assert told
    assert told <= {Conflict, NotFound}, "it is being deleted, then it is gone: no error of files or databases"
