"""The kind `fill`: a whole region at once, from coarse to fine, resumed where a former try of the same fill stopped."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from app.jobs.store import Job
from app.jobs.work import PREVIEW_S, JobWork, Outcome, accepted, decided
from app.work import worded
from canvas.fill.cost import windows_alone
from canvas.geometry import CELL, Rect
from canvas.prompt_json import reworded
from text2earth_core.sampling.settings import Sampling

if TYPE_CHECKING:
    from canvas.paint.painter import Progress
    from canvas.scene import Scene
    from text2earth_core import ModelInfo, Text2Earth

MAX_PREVIEW = 768  # px along a side of the picture of the whole region


class Fill:
    """Request: `frame` (x, y, w, h in px), `prompts` and `region` as in a recipe, the fields of `Sampling`,
    `prompt`, all texts together, for people, and of a translation its `task`.
    """

    name = "fill"
    denoises = True

    def expected_steps(self, request: dict[str, Any], info: ModelInfo) -> int:
        """Windows over all steps, as if nothing lay around the frame."""
        steps = info.steps_of(request.get("steps"), request.get("sampler"))
        return windows_alone(Rect(*request["frame"]), info.window, steps)

    def run(self, work: JobWork) -> Outcome:
        """Fill, or go on with it; a cancelled fill keeps what is done for a retry."""
        from canvas.fill.region_fill import RegionFill, fill_request

        model, asked = work.model(), work.request
        x, y, w, h = asked["frame"]
        box, sampling = [x, y, x + w, y + h], Sampling.of(asked)
        with work.scene() as scene:
            prompts, settings = reworded(asked["prompts"], model.lexicon.worded), worded(model, sampling)
            full = fill_request(
                model, scene, box, prompts, settings, region=asked["region"], task=asked.get("task", "")
            )
            fill = RegionFill(scene, model, full)
            work.settle(fill.cost.windows, decided(full, asked))
            if fill.resumed:
                work.note("This fill had begun before: it goes on where it was.")
            entry = fill.run(_Preview(work, model, full.frame))
        return Outcome([entry.rect])

    def finished(self, scene: Scene, job: Job) -> Outcome | None:
        """A kill may fall between the scene's record and the queue's."""
        return accepted(scene, job)

    def file(self, job: Job) -> None:
        """It has none."""


class _Preview:
    """The fill's callback: counts, and shows the whole region as far as it is known, at most every PREVIEW_S.

    However large the region is, the picture of it never is: every pixel of it stands for `every` cells each way.
    """

    def __init__(self, work: JobWork, model: Text2Earth, frame: Rect) -> None:
        self._work, self._model = work, model
        self._cells = cells = frame.cells()
        self._every = -(-max(cells.w, cells.h) // MAX_PREVIEW)
        height, width = -(-cells.h // self._every), -(-cells.w // self._every)
        self._picture = np.full((height, width, 3), 128, np.uint8)
        self._shown = Rect(frame.x, frame.y, width * self._every * CELL, height * self._every * CELL)
        self._sent = 0.0
        self._from: tuple[int, float] | None = None

    def __call__(self, progress: Progress) -> None:
        self._work.step(progress.step, progress.total)
        now = time.monotonic()
        self._measure(progress.step, now)
        seen = progress.rect.cells()
        part = seen.intersect(self._cells)
        if part.empty:
            return
        pixels = self._model.preview(progress.latents)[part.slices(seen)]
        top, rows = self._picked(part.y - self._cells.y, part.h)
        left, columns = self._picked(part.x - self._cells.x, part.w)
        self._picture[rows, columns] = pixels[top :: self._every, left :: self._every]
        if now - self._sent >= PREVIEW_S:
            self._sent = now
            self._work.preview(self._shown, self._picture)

    def _picked(self, start: int, length: int) -> tuple[int, slice]:
        """Of a run of cells the first one that has a pixel, counted from `start`, and the slice of all its pixels."""
        first, end = -(-start // self._every), -(-(start + length) // self._every)
        return first * self._every - start, slice(first, end)

    def _measure(self, step: int, now: float) -> None:
        """The pace since the call before, over all windows that were done in between."""
        if self._from is not None and step > self._from[0]:
            self._work.record_pace((now - self._from[1]) / (step - self._from[0]))
        self._from = (step, now)
