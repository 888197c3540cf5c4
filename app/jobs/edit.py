"""The kind `edit`: make variations of what lies under a mask, and stage them as candidates."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.jobs.store import Job
from app.jobs.work import JobWork, Outcome, decided
from app.serving.model_host import ModelHost
from app.work import make_edit
from canvas.geometry import Rect
from canvas.masks import decode_mask
from canvas.paint.plan import window_count
from text2earth_core.sampling.settings import Sampling

if TYPE_CHECKING:
    from canvas.paint.painter import Progress
    from canvas.scene import Scene
    from text2earth_core import ModelInfo, Text2Earth

MAX_VARIATIONS = 8


class Edit:
    """Request: `frame` (x, y, w, h in px), `mask` over it (`canvas.masks.encode_mask`), `strength`, `feather` (px),
    `variations`, `prompt`, and the fields of `Sampling`; variations count the seed up.  The batch of candidates is the
    job's id.
    """

    name = "edit"
    denoises = True

    def expected_steps(self, request: dict[str, Any], info: ModelInfo) -> int:
        """All windows of the frame, for each variation."""
        windows = window_count(Rect(*request["frame"]), info.window)
        return info.steps_of(request.get("steps"), request.get("sampler")) * windows * int(request["variations"])

    def run(self, work: JobWork) -> Outcome:
        """Paint and stage one variation after the other; a retried job makes those that are not there yet."""
        from canvas.paint.painter import Painter

        model, request, batch = work.model(), work.request, work.job.id
        frame, prompt, sampling = Rect(*request["frame"]), request.get("prompt", ""), Sampling.of(request)
        mask, strength, feather = decode_mask(request["mask"], frame), request["strength"], request["feather"]
        with work.scene() as scene:
            first = make_edit(scene, model, frame, mask, prompt, sampling, strength, feather)
            settled = decided(first, request)
            work.settle(self.expected_steps(request | settled, model.info), settled)
            there = {candidate.number for candidate in scene.candidates(batch)}
            for number in range(request["variations"]):
                if number in there:
                    continue
                full = replace(first, seed=first.seed + number)
                change = Painter(model).paint(scene, full, _report(work, model, number, request["variations"]))
                work.check()
                scene.stage(change, batch, number)
                work.publish("candidates", {"candidates": [one.as_dict() for one in scene.candidates()]})
        return Outcome(result={"batch": batch})

    def finished(self, scene: Scene, job: Job) -> Outcome | None:
        """All variations were staged before the kill."""
        done = len(scene.candidates(job.id)) == job.request["variations"]
        return Outcome(result={"batch": job.id}) if done else None

    def file(self, job: Job) -> None:
        """It has none."""


def seconds_of(
    host: ModelHost, frame: Rect, sampler: str | None, steps: int | None, strength: float, variations: int
) -> float | None:
    """About how long an edit of a frame (px, on the cell grid) takes; None before the sampler's pace was measured."""
    pace = host.seconds_per_step(sampler)
    if pace is None:
        return None
    info = host.model.info
    # Below full strength the first steps of the schedule are skipped.
    taken = math.ceil(info.steps_of(steps, sampler) * strength)
    return pace * taken * window_count(frame, info.window) * variations


def _report(work: JobWork, model: Text2Earth, number: int, variations: int) -> Any:
    """The painter's callback for one of several variations: counts over all of them."""

    def report(progress: Progress) -> None:
        step, total = number * progress.total + progress.step, variations * progress.total
        work.show_painting(replace(progress, step=step, total=total), model)

    return report
