"""The same fill gives the same pixels: whatever the order of its windows, however often it is stopped or killed."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from canvas import Rect, Scene
from canvas.fill.region_fill import RegionFill
from canvas.fill.workers import Batch, FillWorker, LocalWorkers
from canvas.paint.painter import Progress
from canvas.scene_file.snapshot import Patch
from tests.canvas import filler
from tests.canvas.conftest import same
from tests.canvas.filler_process import Filler
from text2earth_core import Cancelled, Text2Earth

VIEW = Rect(-256, -256, 768, 768)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, model: Text2Earth, sampler: str) -> Patch:
    """What the standard fill makes of an empty scene when nothing disturbs it."""
    with Scene.create(tmp_path_factory.mktemp("expected") / "s.t2e", 1.0) as scene:
        RegionFill(scene, model, filler.standard_request(model, scene, sampler)).run()
        return scene.read(VIEW, model=model.info.fingerprint)


class AnyOrder:
    """Workers that do the jobs in an order of their own, and the windows of a batch in another."""

    def __init__(self, worker: FillWorker, seed: int) -> None:
        self._worker, self._random = worker, random.Random(seed)

    def map(self, method: str, jobs: Iterable[Any]) -> Iterator[Any]:
        waiting = list(jobs)
        results: dict[int, Any] = {}
        for number in self._random.sample(range(len(waiting)), len(waiting)):
            job = waiting[number]
            results[number] = self._shuffled(job) if method == "step" else getattr(self._worker, method)(job)
        for number in range(len(waiting)):
            yield results[number]

    def _shuffled(self, batch: Batch) -> tuple[np.ndarray, ...]:
        order = self._random.sample(range(len(batch.latents)), len(batch.latents))
        arrays = (batch.latents, batch.known, batch.mask, batch.foreign, batch.lead, batch.weights)
        back = np.argsort(order)
        return tuple(part[back] for part in self._worker.step(Batch(batch.step, *(part[order] for part in arrays))))

    def close(self) -> None: ...


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_windows_leaves_no_trace(
    scene: Scene, model: Text2Earth, sampler: str, expected: Patch, seed: int
) -> None:
    request = filler.standard_request(model, scene, sampler)
    RegionFill(scene, model, request, AnyOrder(FillWorker(model, request), seed)).run()
    assert same(scene.read(VIEW, model=request.model), expected)


def test_the_number_of_threads_leaves_no_trace(scene: Scene, model: Text2Earth, sampler: str, expected: Patch) -> None:
    request = filler.standard_request(model, scene, sampler)
    workers = LocalWorkers(FillWorker(model, request), "cpu", 3)
    RegionFill(scene, model, request, workers).run()
    workers.close()
    assert same(scene.read(VIEW, model=request.model), expected)


def test_a_killed_fill_goes_on_to_the_same_pixels(
    scene: Scene, model: Text2Earth, student_folder: Path, sampler: str, expected: Patch
) -> None:
    process = Filler(filler.__file__, scene.path, student_folder, sampler)
    kills = random.Random(3)
    for attempt in range(10):
        child = process.start()
        assert process.line() == ("resumed" if attempt else "new")
        for _ in range(kills.randrange(1, 5)):
            process.line()
        os.kill(child, signal.SIGKILL)
        while process.line() != "ended":
            pass
        assert scene.bounds is None, "half a fill must not show"
    process.start()
    lines = list(iter(process.line, "ended"))
    process.end()
    assert lines[-1] == "done"
    assert same(scene.read(VIEW, model=model.info.fingerprint), expected)
    assert [step.request["kind"] for step in scene.history()] == ["fill"]


def test_cancelling_keeps_what_is_done_and_shows_nothing(
    scene: Scene, model: Text2Earth, sampler: str, expected: Patch
) -> None:
    request, seen = filler.standard_request(model, scene, sampler), []

    def stop(progress: Progress) -> None:
        seen.append(progress.step)
        if len(seen) == 12:
            raise Cancelled

    with pytest.raises(Cancelled):
        RegionFill(scene, model, request).run(stop)
    assert scene.bounds is None
    again = RegionFill(scene, model, request)
    assert again.resumed
    again.run(lambda progress: seen.append(progress.step))
    assert seen[-1] == again.cost.windows
    assert seen[12] > next(filter(None, seen)), "it does not begin again"
    assert same(scene.read(VIEW, model=request.model), expected)
