"""Jobs that an earlier version queued are done by this one, with the pixels that they would have had then."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from app.jobs.queue import JobQueue
from app.jobs.store import JobStore
from app.serving.events import EventHub
from app.serving.library import Library
from app.serving.model_host import ModelHost
from canvas.geometry import Rect
from tests.app.server_process import wait_for
from tests.canvas.old_scene import arithmetic, fingerprint, near, read_means, unpack_scene

DATA = Path(__file__).with_name("data")
SCENE = "before000000"
VIEW = Rect(-128, -64, 384, 256)


def test_queued_jobs_of_an_earlier_version_are_done(tmp_path: Path, tiny_folder: Path) -> None:
    made = json.loads((DATA / "before.json").read_text()).get(arithmetic())
    shutil.copy(DATA / "before.jobs.sqlite", tmp_path / "jobs.sqlite")
    store, library, hub = JobStore(tmp_path), Library(tmp_path), EventHub()
    unpack_scene(library.folder / f"{SCENE}.t2e")
    host = ModelHost(tiny_folder, "cpu", lambda: None)
    queue = JobQueue(store, library, host, hub)
    assert [(job["kind"], job["state"]) for job in queue.of_scene(SCENE)] == [
        (kind, "queued") for kind in ("generate", "edit", "fill")
    ]
    host.start()
    queue.start()
    try:
        wait_for(lambda: not queue.active(SCENE))
        assert [(job["state"], job["error"]) for job in queue.of_scene(SCENE)] == [("done", None)] * 3
        with library.open(SCENE) as scene:
            images = [scene.candidate_image(candidate.id) or b"" for candidate in scene.candidates()]
            scene.accept_candidate(scene.candidates()[1].id)
            patch = scene.read(VIEW)
        if made is not None:
            assert [_sha256(image) for image in images] == made["candidates"]
            assert fingerprint(patch) == made["all"]
        else:
            assert near(patch, read_means(DATA / "before.png"))
    finally:
        queue.stop(10)
        library.close()
        store.close()


def _sha256(image: bytes) -> str:
    return hashlib.sha256(np.asarray(Image.open(io.BytesIO(image)).convert("RGBA")).tobytes()).hexdigest()
