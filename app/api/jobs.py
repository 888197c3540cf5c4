"""The HTTP API of work: the model, prompts, jobs, and the stream of events."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator, BaseModel, Field, model_validator

from app.api.scenes import Use
from app.api.services import Services
from app.errors import AppError
from app.work import (
    Settings,
    checked_frame,
    checked_rect,
    make_request,
    prompt_report,
    random_seed,
    row_of_frames,
)
from canvas.geometry import Rect
from canvas.request import MAX_PROMPT, MAX_STEPS, writable

router = APIRouter(prefix="/api")

Prompt = Annotated[str, Field(max_length=MAX_PROMPT), AfterValidator(writable)]
Frame = Annotated[list[int], Field(min_length=4, max_length=4)]
Follow = Annotated[float | None, Field(ge=0, le=1, allow_inf_nan=False)]
"""From 0, continue the ground, to 1, follow the prompt; None: ground that the same prompt made leads, beside other
ground the prompt does."""


class PromptText(BaseModel, extra="forbid"):
    """A prompt to look at."""

    text: Prompt


class NewJob(BaseModel, extra="forbid"):
    """A generation: either `frame` (x, y, w, h in pixels) or a `direction` from `anchor` (default: the content).

    `count` frames in a row are queued for a direction.  What is None is left to the model, the seed to chance.
    """

    frame: Frame | None = None
    direction: str | None = None
    anchor: Frame | None = None
    count: int = 1
    prompt: Prompt = ""
    negative_prompt: Prompt = ""
    seed: Annotated[int | None, Field(ge=0, lt=2**63)] = None
    steps: Annotated[int | None, Field(ge=1, le=MAX_STEPS)] = None
    guidance: Annotated[float | None, Field(ge=0, allow_inf_nan=False)] = None
    sampler: Annotated[str | None, Field(max_length=16)] = None
    follow: Follow = None

    @model_validator(mode="after")
    def _one_place(self) -> NewJob:
        if (self.frame is None) == (self.direction is None):
            raise ValueError("give either a frame or a direction")
        if self.frame is not None and (self.count != 1 or self.anchor is not None):
            raise ValueError("count and anchor go with a direction, not with a frame")
        return self


class Place(BaseModel, extra="forbid"):
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
    seed = random_seed() if body.seed is None else body.seed
    settings = Settings(body.prompt, body.negative_prompt, seed, body.steps, body.guidance, body.sampler, body.follow)
    with use.library.open(scene) as opened:
        if body.frame is not None:
            frames = [checked_frame(body.frame)]
        else:
            anchor = checked_rect(body.anchor) if body.anchor else _future_content(use, scene, opened.bounds)
            frames = row_of_frames(opened, body.direction or "", use.host.model.info.window, anchor, body.count)
        if use.host.state != "loading":
            make_request(opened, use.host.model, frames[0], settings)  # says now what it would say when it runs
    requests = [{"frame": list(frame)} | asdict(settings) for frame in frames]
    return use.jobs.submit(scene, "generate", requests)[0]


def _future_content(use: Services, scene: str, bounds: Rect | None) -> Rect | None:
    """What the scene will hold once the queue is done; None where nothing waits, then what it holds counts."""
    waiting = use.jobs.pending_frames(scene)
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
def move_job(use: Use, job: str, body: Place) -> dict[str, Any]:
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
