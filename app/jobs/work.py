"""What a kind of job is, and what it may do while it runs.

The queue owns order, records and cancelling and knows nothing of what is made; a kind knows nothing of the queue.
"""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from app.jobs.store import Job
from app.serving.events import EventHub
from app.serving.library import Library
from app.serving.model_host import ModelHost
from canvas.geometry import Rect
from text2earth_core.modalities import RGB, get_modality
from text2earth_core.sampling.settings import QUALITY

if TYPE_CHECKING:
    import numpy as np

    from canvas.paint.painter import Progress
    from canvas.request import Request
    from canvas.scene import Scene
    from text2earth_core import ModelInfo, Text2Earth

PREVIEW_S = 0.2
RECENT = 20  # entries of the history that are looked at for the one a killed server had just made


def pace_of(kind: str, sampler: str | None) -> str:
    """The name under which the host keeps the pace of work that takes many windows at once."""
    return f"{kind} {sampler or QUALITY}"


@dataclass(frozen=True)
class Outcome:
    """What a job has done: the rectangles (px) of the scene that changed, and JSON-ready facts for the page."""

    changed: list[Rect] = field(default_factory=list)
    result: dict[str, Any] = field(default_factory=dict)


def decided(request: Request, asked: dict[str, Any]) -> dict[str, Any]:
    """What of a complete request its job had left to the model, JSON-ready; its texts as the model was asked."""
    found: dict[str, Any] = {"steps": request.steps, "guidance": request.guidance, "sampler": request.sampler}
    made = request.as_dict()
    found |= {name: made[name] for name in ("prompt", "negative_prompt", "prompts") if asked.get(name)}
    return found | ({"adapters": [list(one) for one in request.adapters]} if request.adapters else {})


def accepted(scene: Scene, job: Job) -> Outcome | None:
    """The change that a job had accepted when a kill kept it from saying so; None where there is none."""
    started = datetime.fromtimestamp(job.started, UTC).isoformat(timespec="milliseconds")
    for entry in scene.history(newest=RECENT):
        made = {"follow": 0.0} | entry.request  # the scene's records leave out a 0
        if entry.created >= started and made | job.request == made:
            return Outcome([entry.rect])
    return None


class JobKind(Protocol):
    """One kind of work.  `denoises`: its steps are the model's, so that the measured seconds per step foretell it."""

    name: str
    denoises: bool

    def expected_steps(self, request: dict[str, Any], info: ModelInfo) -> int:
        """How many steps a waiting job will take; 0 where that cannot be known."""
        ...

    def run(self, work: JobWork) -> Outcome:
        """Do the job; what it changed is on the disk when this returns.

        Raises AppError, SceneError or Text2EarthError with a sentence, and Cancelled where `work.check` does.
        """
        ...

    def finished(self, scene: Scene, job: Job) -> Outcome | None:
        """What a job did that was cut off by a kill after its work was on the disk; None where it has to run again."""
        ...

    def file(self, job: Job) -> str | None:
        """The name of the file that a job still waits for or offers, which must outlive the server; None for none."""
        ...


class JobWork:
    """One running job, as its kind sees it."""

    def __init__(
        self,
        job: Job,
        library: Library,
        host: ModelHost,
        hub: EventHub,
        check: Callable[[], None],
        update: Callable[..., None],
    ) -> None:
        """`check` raises Cancelled once the job shall stop; `update` sets fields of the job, records and tells them."""
        self.job = job
        self.check = check
        self._update = update
        self._library = library
        self._host = host
        self._hub = hub
        self._before = time.monotonic()
        self._sent = 0.0

    @property
    def request(self) -> dict[str, Any]:
        """What was asked for, JSON-ready."""
        return self.job.request

    def scene(self) -> AbstractContextManager[Scene]:
        """The open scene of the job."""
        return self._library.open(self.job.scene)

    def model(self) -> Text2Earth:
        """The model; waits for it while it loads.  AppError where it could not be loaded."""
        while not self._host.wait(0.1):
            self.check()
        return self._host.model

    def settle(self, steps: int, decided: dict[str, Any]) -> None:
        """Say how many steps it will take, and what was decided for what the request had left open."""
        self._update(self.job, steps=steps, request=self.job.request | decided)
        self._before = time.monotonic()

    def file(self, suffix: str) -> Path:
        """Where the job may leave a file."""
        return self._library.job_file(self.job.id, suffix)

    @property
    def scratch(self) -> Path:
        """The folder for temporary files: what a kill leaves there is swept at the next start."""
        return self._library.incoming

    def received(self, file: str, suffix: str) -> Path:
        """Where a file lies that was sent for the job; it may be gone."""
        return self._library.job_file(file, suffix)

    def forget_old_files(self, keep: int, *suffixes: str) -> None:
        """Remove all but the newest `keep` files with these suffixes that jobs have left."""
        self._library.forget_old_files(keep, *suffixes)

    def show_progress(self, done: int, total: int) -> None:
        """A callback for work that shows no picture: counts the step and tells the page, at most every PREVIEW_S."""
        self.step(done, total)
        now = time.monotonic()
        if now - self._sent >= PREVIEW_S or done == total:
            self._sent = now
            message = {"job": self.job.id, "step": done, "steps": total, "image": None}
            self._hub.publish("preview", message, self.job.scene, keep=False)

    def note(self, *sentences: str) -> None:
        """Tell the person something that is no error; a sentence is told once."""
        new = [sentence for sentence in sentences if sentence not in self.job.notes]
        if new:
            self._update(self.job, notes=[*self.job.notes, *new])

    def step(self, step: int, total: int) -> None:
        """Step `step` of `total` is done; raises Cancelled where the job shall stop."""
        self.check()
        self.job.step, self.job.steps = step, total

    def record_pace(self, seconds: float) -> None:
        """A window of this kind of work took so long for a step, on average."""
        self._host.record_pace(seconds, pace_of(self.job.kind, self.request.get("sampler")))

    def publish(self, name: str, data: dict[str, Any]) -> None:
        """Send an event of the job's own to the pages of its scene."""
        self._hub.publish(name, data, self.job.scene)

    def show_painting(self, progress: Progress, model: Text2Earth) -> None:
        """A painter's callback: counts the step, measures the pace, and shows a preview at most every PREVIEW_S."""
        now = time.monotonic()
        self.step(progress.step, progress.total)
        self._host.record_pace(now - self._before, self.request.get("sampler"))
        self._before = now
        if now - self._sent >= PREVIEW_S or progress.step == progress.total:
            self._sent = now
            self.preview(progress.rect, model.preview(progress.latents))

    def preview(self, rect: Rect, pixels: np.ndarray) -> None:
        """Show a small picture (h, w, 3) uint8 of what `rect` (px) is becoming; only the newest is ever shown.

        Of a layer of one band it is grey, as the layer will be: what is not done yet has colours that mean nothing.
        """
        modality = get_modality(self.request.get("layer") or RGB)
        message = {
            "job": self.job.id,
            "frame": list(rect),
            "step": self.job.step,
            "steps": self.job.steps,
            "image": _data_url(modality.to_rgb(modality.to_bands(pixels))),
        }
        self._hub.publish("preview", message, self.job.scene, keep=False)


def _data_url(pixels: np.ndarray) -> str:
    """An image (h, w, 3) uint8 as a data URL; small, because previews are thumbnails."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", quality=80, method=0)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
