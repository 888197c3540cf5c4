"""The kind `generate`: fill what is empty in a frame, and accept it at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.jobs.store import Job
from app.jobs.work import JobWork, Outcome, accepted, decided
from app.work import extend, make_request
from canvas.geometry import Rect
from canvas.paint.plan import window_count
from text2earth_core.sampling.settings import Sampling

if TYPE_CHECKING:
    from canvas.scene import Scene
    from text2earth_core import ModelInfo


class Generate:
    """Request: `frame` (x, y, w, h in px), `prompt`, and the fields of `Sampling`."""

    name = "generate"
    denoises = True

    def expected_steps(self, request: dict[str, Any], info: ModelInfo) -> int:
        """All windows of the frame, as if it were empty: what is there by the time it runs is not known."""
        windows = window_count(Rect(*request["frame"]), info.window)
        return info.steps_of(request.get("steps"), request.get("sampler")) * windows

    def run(self, work: JobWork) -> Outcome:
        """Paint and accept."""
        model = work.model()
        request = work.request
        with work.scene() as scene:
            full = make_request(scene, model, Rect(*request["frame"]), request.get("prompt", ""), Sampling.of(request))
            work.settle(self.expected_steps(request, model.info), decided(full, request))
            entry = extend(scene, model, full, lambda progress: work.show_painting(progress, model), work.check)
        return Outcome([entry.rect])

    def finished(self, scene: Scene, job: Job) -> Outcome | None:
        """A kill may fall between the scene's record and the queue's."""
        return accepted(scene, job)

    def file(self, job: Job) -> None:
        """It has none."""
