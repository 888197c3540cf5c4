"""The kind `fill`: a whole region at once, from coarse to fine, resumed where a former try of the same fill stopped."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from app.job_store import Job
from app.job_work import PREVIEW_S, JobWork, Outcome
from canvas import fill_grid
from canvas.geometry import CELL, Rect

if TYPE_CHECKING:
    from canvas.painter import Progress
    from canvas.scene import Scene
    from text2earth_core import ModelInfo, Text2Earth

MAX_PREVIEW = 768  # px along a side of the picture of the whole region


class Fill:
    """Request: `frame` (x, y, w, h in px), `prompts` and `region` as in a recipe, `negative_prompt`, `seed`, `steps`,
    `guidance`, and `prompt`, all texts together, for people.
    """

    name = "fill"
    denoises = True

    def expected_steps(self, request: dict[str, Any], info: ModelInfo) -> int:
        """Windows over all steps, as if nothing lay around the frame."""
        side, cells = info.window // CELL, Rect(*request["frame"]).cells()
        bounds = Rect(cells.x, cells.y, max(side, cells.w), max(side, cells.h))
        return sum(phase.count for phase in fill_grid.phases(bounds, side, request.get("steps") or info.steps))

    def run(self, work: JobWork) -> Outcome:
        """Fill, or go on with it; a cancelled fill keeps what is done for a retry."""
        from canvas.region_fill import RegionFill, fill_request

        model, asked = work.model(), work.request
        x, y, w, h = asked["frame"]
        names = ("region", "negative_prompt", "seed", "steps", "guidance")
        with work.scene() as scene:
            full = fill_request(
                model, scene, [x, y, x + w, y + h], asked["prompts"], **{name: asked[name] for name in names}
            )
            fill = RegionFill(scene, model, full)
            work.settle(fill.cost.windows, {"steps": full.steps, "guidance": full.guidance})
            if fill.resumed:
                work.note("This fill had begun before: it goes on where it was.")
            step = fill.run(_Preview(work, model, full.frame))
        return Outcome([step.rect])

    def finished(self, scene: Scene, job: Job) -> Outcome | None:
        """A kill may fall between the scene's record and the queue's."""
        started = datetime.fromtimestamp(job.started, UTC).isoformat(timespec="milliseconds")
        for step in scene.history(newest=20):
            if step.created >= started and step.request | job.request == step.request:
                return Outcome([step.rect])
        return None

    def file(self, job: Job) -> None:
        """It has none."""


class _Preview:
    """The fill's callback: counts, and shows the whole region as far as it is known, at most every PREVIEW_S."""

    def __init__(self, work: JobWork, model: Text2Earth, frame: Rect) -> None:
        self._work, self._model, self._frame = work, model, frame
        self._cells = frame.cells()
        self._every = -(-max(self._cells.w, self._cells.h) // MAX_PREVIEW)  # cells per pixel of the picture
        self._picture = np.full((self._cells.h, self._cells.w, 3), 128, np.uint8)
        self._sent = 0.0

    def __call__(self, progress: Progress) -> None:
        self._work.step(progress.step, progress.total)
        seen = progress.rect.cells()
        part = seen.intersect(self._cells)
        if not part.empty:
            self._picture[part.slices(self._cells)] = self._model.preview(progress.latents)[part.slices(seen)]
        now = time.monotonic()
        if now - self._sent >= PREVIEW_S:
            self._sent = now
            self._work.preview(self._frame, np.ascontiguousarray(self._picture[:: self._every, :: self._every]))
