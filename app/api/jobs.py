"""The HTTP API of work: the model, prompts, jobs, and the stream of events."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, model_validator

from app.api.levels import take_level
from app.api.scenes import Use
from app.api.services import Services
from app.api.settings import Prompt, SamplingBody
from app.errors import AppError
from app.work import (
    checked_frame,
    checked_rect,
    make_request,
    prompt_report,
    row_of_frames,
)
from canvas.geometry import Rect

router = APIRouter(prefix="/api")

Frame = Annotated[list[int], Field(min_length=4, max_length=4)]


class PromptText(BaseModel, extra="forbid"):
    """A prompt to look at."""

    text: Prompt


class NewJob(SamplingBody):
    """A generation in a layer: a `frame` (x, y, w, h in pixels), or a `direction` from `anchor` (default: the content).

    `count` frames in a row are queued for a direction.
    """

    frame: Frame | None = None
    direction: str | None = None
    anchor: Frame | None = None
    count: int = 1
    prompt: Prompt = ""

    @model_validator(mode="after")
    def _one_place(self) -> NewJob:
        if (self.frame is None) == (self.direction is None):
            raise ValueError("give either a frame or a direction")
        if self.frame is not None and (self.count != 1 or self.anchor is not None):
            raise ValueError("count and anchor go with a direction, not with a frame")
        return self


class QueuePlace(BaseModel, extra="forbid"):
    """A place in the queue, 0 is next."""

    position: Annotated[int, Field(ge=0)]


@router.get("/ready")
async def ready(request: Request) -> dict[str, Any]:
    """Whether the page is there or never will be, and where the model is; answers before anything heavy is imported."""
    use: Services = request.app.state.services
    return {"page": use.page.ready, "page_failed": use.page.failed, "model": use.host.state}


@router.get("/model")
def get_model(use: Use) -> dict[str, Any]:
    """The model: state, properties, measured speed."""
    return use.host.as_dict()


@router.post("/prompt/check")
def check_prompt(use: Use, body: PromptText) -> dict[str, Any]:
    """How the model reads a prompt."""
    return prompt_report(use.host.model, body.text)


@router.post("/scenes/{scene}/jobs", status_code=202)
def create_job(use: Use, scene: str, body: NewJob) -> dict[str, Any]:
    """Queue a generation; returns the job, for a row of several the first."""
    sampling = body.sampling()
    with use.library.open(scene) as opened:
        if body.frame is not None:
            frames = [checked_frame(body.frame)]
        else:
            bounds = opened.layer_bounds.get(body.layer)
            anchor = checked_rect(body.anchor) if body.anchor else _future_content(use, scene, body.layer, bounds)
            window = use.host.model.info.window
            frames = row_of_frames(opened, body.direction or "", window, anchor, body.count, body.layer)
        if use.host.state != "loading":
            # Says now what it would say when it runs.
            make_request(opened, use.host.model, frames[0], body.prompt, sampling)
    take_level(use, scene, [body.prompt])
    requests = [{"frame": list(frame), "prompt": body.prompt} | sampling.as_dict() for frame in frames]
    return use.jobs.submit(scene, "generate", requests)[0]


def _future_content(use: Services, scene: str, layer: str, bounds: Rect | None) -> Rect | None:
    """What a layer will hold once the queue is done; None where nothing waits, then what it holds counts."""
    waiting = use.jobs.pending_frames(scene, layer)
    return functools.reduce(Rect.union, waiting, bounds or Rect(0, 0, 0, 0)) if waiting else None


@router.get("/scenes/{scene}/jobs")
def list_jobs(use: Use, scene: str) -> list[dict[str, Any]]:
    """Waiting, running and recent jobs of a scene, oldest first."""
    use.library.path(scene)
    return use.jobs.of_scene(scene)


@router.delete("/jobs/{job}")
def cancel_job(use: Use, job: str) -> dict[str, Any]:
    """Cancel a job; a running one stops at its next step."""
    return use.jobs.cancel(job)


@router.post("/jobs/{job}/retry")
def retry_job(use: Use, job: str) -> dict[str, Any]:
    """Queue a job that did not finish once more."""
    return use.jobs.retry(job)


@router.post("/jobs/{job}/move")
def move_job(use: Use, job: str, body: QueuePlace) -> dict[str, Any]:
    """Change the order of the queue."""
    return use.jobs.move(job, body.position)


@router.get("/scenes/{scene}/events")
def events(
    use: Use, scene: str, last_event_id: Annotated[str | None, Header(max_length=64)] = None
) -> StreamingResponse:
    """The stream of everything that happens to a scene, its jobs and the model (server-sent events)."""
    with use.library.open(scene):  # says now what is wrong with it
        pass

    def snapshot() -> dict[str, Any]:
        try:
            state = use.library.summary(scene)
            with use.library.open(scene) as opened:
                candidates = [candidate.as_dict() for candidate in opened.candidates()]
        except AppError:  # deleted since the line above
            return {"scene": None, "jobs": [], "candidates": [], "model": use.host.as_dict()}
        jobs = use.jobs.of_scene(scene)
        return {"scene": state, "jobs": jobs, "candidates": candidates, "model": use.host.as_dict()}

    stream: AsyncIterator[bytes] = use.hub.stream(scene, last_event_id, snapshot)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)
