"""The queue: requests wait in order, one worker thread does them, every page hears about it.

Jobs belong to the server, not to a page: a reload re-attaches, a kill leaves a record.  What a job makes is on the disk
before it is called done.  What there is to do is the business of its kind (`app/jobs/kinds.py`).
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from app.errors import AppError, Conflict, NotFound, QueueFull
from app.jobs.forecast import Forecast
from app.jobs.kinds import KINDS
from app.jobs.store import ACTIVE, Job, JobStore
from app.jobs.work import JobKind, JobWork, Outcome
from app.serving.events import EventHub
from app.serving.library import Library
from app.serving.model_host import ModelHost
from app.work import request_notes
from canvas.errors import SceneError
from canvas.geometry import Rect
from text2earth_core.errors import Cancelled, Text2EarthError

log = logging.getLogger("text2earth")

MAX_QUEUED = 100
SHOWN = 50  # finished jobs of a scene that the page is told about
NO_JOB = "There is no job with this id."
INTERRUPTED = "The server was stopped while this ran; nothing else was lost. Press Retry to run it again."
UNEXPECTED = "Something unexpected went wrong ({}); nothing was changed. The terminal says more."


class JobQueue:
    """Owns the jobs and their worker thread.  Every public method is safe to call from any thread."""

    def __init__(
        self,
        store: JobStore,
        library: Library,
        host: ModelHost,
        hub: EventHub,
        kinds: Mapping[str, JobKind] = KINDS,
        unshown: Collection[str] = (),
    ) -> None:
        """`unshown`: fields of requests that pages are not told."""
        self._kinds = kinds
        self._unshown = frozenset(unshown)
        self._forecast = Forecast(host, kinds)
        self._store = store
        self._library = library
        self._host = host
        self._hub = hub
        self._wake = threading.Condition(threading.RLock())
        self._jobs = {job.id: job for job in store.load()}
        self._cancelled: set[str] = set()
        self._stopping = False
        self._worker = threading.Thread(target=self._work, name="jobs", daemon=True)

    def start(self) -> None:
        """Name the jobs that a kill cut off, then begin to work."""
        for job in self._jobs.values():
            if job.state == "running":
                outcome = self._outcome(job)
                job.state, job.error = ("interrupted", INTERRUPTED) if outcome is None else ("done", None)
                job.result = outcome.result if outcome else {}
                self._record(job)
        self._library.sweep(self.files())
        self._worker.start()

    def stop(self, seconds: float) -> None:
        """Stop the worker; the running job becomes `interrupted`, queued ones wait for the next start."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        self._worker.join(seconds)

    def _outcome(self, job: Job) -> Outcome | None:
        """What the killed server had already done of a job: the kill may fall between the scene and the record."""
        try:
            with self._library.open(job.scene) as scene:
                return self._kind(job).finished(scene, job)
        except (AppError, SceneError):
            return None

    # ---- what the page asks for

    def submit(self, scene: str, kind: str, requests: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Queue one job of a kind per request, in this order.  QueueFull where the queue is full."""
        with self._wake:
            if len(self._queued()) + len(requests) > MAX_QUEUED:
                raise QueueFull(f"The queue is full ({MAX_QUEUED} jobs); wait until some are done.")
            last = self._last_rank()
            jobs = [
                Job(secrets.token_hex(6), scene, dict(request), time.time(), kind=kind, rank=last + number)
                for number, request in enumerate(requests, start=1)
            ]
            for job in jobs:
                job.notes = self._notes(job)
            self._store.save(*jobs)
            self._jobs |= {job.id: job for job in jobs}
            self._wake.notify_all()
            self._publish(*jobs)
            return [self._as_dict(job) for job in jobs]

    def cancel(self, job_id: str) -> dict[str, Any]:
        """Take a queued job out, or stop the running one at its next step; finished ones stay as they are."""
        with self._wake:
            job = self._job(job_id)
            if job.state == "queued":
                self._finish(job, "cancelled")
            elif job.state == "running":
                self._cancelled.add(job.id)
            return self._as_dict(job)

    def cancel_scene(self, scene: str) -> None:
        """Cancel everything of a scene that is about to be deleted."""
        with self._wake:
            for job in self._of(scene):
                self.cancel(job.id)

    def forget_scene(self, scene: str) -> None:
        """Drop the records of a deleted scene."""
        with self._wake:
            gone = [job.id for job in self._of(scene)]
            self._store.remove(*gone)
            for job in gone:
                del self._jobs[job]

    def retry(self, job_id: str) -> dict[str, Any]:
        """Queue a job that failed, was cancelled or interrupted once more, behind all others."""
        with self._wake:
            job = self._job(job_id)
            if job.state in ACTIVE:
                raise Conflict("This job is still waiting or running; cancel it first.")
            if job.state == "done":
                raise Conflict("This job is done; undo it or queue a new one.")
            self._library.path(job.scene)
            job.state, job.error, job.step, job.steps, job.seconds = "queued", None, 0, 0, 0.0
            job.rank = self._last_rank() + 1
            self._record(job)
            self._wake.notify_all()
            self._publish(job)
            return self._as_dict(job)

    def move(self, job_id: str, position: int) -> dict[str, Any]:
        """Give a queued job another place: 0 is next, anything beyond the end is last."""
        with self._wake:
            job = self._job(job_id)
            if job.state != "queued":
                raise Conflict("Only a waiting job can be moved.")
            queue = [other for other in self._queued() if other is not job]
            queue.insert(max(0, position), job)
            for rank, other in enumerate(queue):
                other.rank = float(rank)
            self._record(*queue)
            self._publish(*queue)
            return self._as_dict(job)

    def of_scene(self, scene: str) -> list[dict[str, Any]]:
        """Jobs of a scene, the active ones and the newest SHOWN finished ones, oldest first."""
        with self._wake:
            jobs = self._of(scene)
            finished = [job for job in jobs if job.state not in ACTIVE]
            hidden = {job.id for job in finished[:-SHOWN]}
            return [self._as_dict(job) for job in jobs if job.id not in hidden]

    def get(self, scene: str, job_id: str) -> dict[str, Any]:
        """A job of a scene, however old; NotFound where there is none."""
        with self._wake:
            job = self._job(job_id)
            if job.scene != scene:
                raise NotFound(NO_JOB)
            return self._as_dict(job)

    def active(self, scene: str) -> list[Job]:
        """The jobs of a scene that wait or run."""
        with self._wake:
            return [job for job in self._of(scene) if job.state in ACTIVE]

    def files(self) -> set[str]:
        """The names of the files that jobs still wait for or offer."""
        with self._wake:
            return {name for job in self._jobs.values() if (name := self._file(job))}

    # ---- inside, with the lock held

    def _file(self, job: Job) -> str | None:
        return self._kinds[job.kind].file(job) if job.kind in self._kinds else None

    def _job(self, job_id: str) -> Job:
        if job_id not in self._jobs:
            raise NotFound(NO_JOB)
        return self._jobs[job_id]

    def _kind(self, job: Job) -> JobKind:
        if job.kind not in self._kinds:
            raise Conflict(f"This program does not know jobs of the kind {job.kind!r}: cancel it.")
        return self._kinds[job.kind]

    def _of(self, scene: str) -> list[Job]:
        return [job for job in self._jobs.values() if job.scene == scene]

    def _queued(self) -> list[Job]:
        return sorted((job for job in self._jobs.values() if job.state == "queued"), key=lambda job: job.rank)

    def _last_rank(self) -> float:
        return max((job.rank for job in self._queued()), default=0.0)

    def _as_dict(self, job: Job) -> dict[str, Any]:
        queue = self._queued() if job.state == "queued" else []
        position = queue.index(job) if queue else None
        return {
            "id": job.id,
            "scene": job.scene,
            "state": job.state,
            "kind": job.kind,
            "request": {name: value for name, value in job.request.items() if name not in self._unshown},
            "step": job.step,
            "steps": self._forecast.steps(job),
            "seconds": round(self._forecast.seconds(job), 2),
            "eta": self._eta(job, queue[:position]),
            "error": job.error,
            "notes": job.notes,
            "result": job.result,
            "download": job.state == "done" and self._library.keeps(self._file(job)),
            "position": position,
            "created": job.created,
        }

    def _eta(self, job: Job, before: Sequence[Job]) -> float | None:
        """Seconds until `job` is done, after those `before` it and what runs; None where nothing is known."""
        if job.state not in ACTIVE:
            return None
        running = [other for other in self._jobs.values() if other.state == "running" and other is not job]
        return self._forecast.seconds_left([*running, *before, job])

    def _notes(self, job: Job) -> list[str]:
        """What the model will not read of a prompt as it was meant; nothing while the model loads."""
        if self._host.state != "ready":
            return []
        return request_notes(self._host.model, job.request, lambda: self._library.summary(job.scene)["resolution"])

    def _publish(self, *jobs: Job) -> None:
        for job in jobs:
            self._hub.publish("job", self._as_dict(job), job.scene)

    def _record(self, *jobs: Job) -> None:
        """Write what happened; the queue goes on where the disk refuses, for the work itself is in the scenes."""
        try:
            self._store.save(*(job for job in jobs if job.id in self._jobs))
        except AppError as error:
            log.warning("%s", error)

    def _finish(self, job: Job, state: str, error: str | None = None) -> None:
        job.seconds, job.state, job.error = self._forecast.seconds(job), state, error
        self._cancelled.discard(job.id)
        self._record(job)
        self._publish(job, *self._queued())

    # ---- the worker thread

    def _work(self) -> None:
        while (job := self._next()) is not None:
            try:
                self._run(job)
            except Cancelled:
                with self._wake:
                    cancelled = job.id in self._cancelled
                    self._finish(job, *(("cancelled", None) if cancelled else ("interrupted", INTERRUPTED)))
            except (AppError, SceneError, Text2EarthError) as error:
                self._fail(job, str(error))
            except Exception as error:
                log.exception("Job %s failed", job.id)
                self._fail(job, UNEXPECTED.format(f"{type(error).__name__}: {error}"))
            self._tidy(job.scene)

    def _tidy(self, scene: str) -> None:
        """Draw zoomed-out tiles while nothing else waits, so that a page that zooms out need not wait for them."""
        with self._wake:
            if self._stopping or self._queued():
                return
        try:
            with self._library.open(scene) as opened:
                opened.redraw()
        except (AppError, SceneError) as error:
            log.info("Scene %s was not tidied: %s", scene, error)
        except Exception:  # whatever it is, the next job shall run
            log.exception("Scene %s was not tidied", scene)

    def _fail(self, job: Job, sentence: str) -> None:
        with self._wake:
            self._finish(job, "failed", sentence)

    def _next(self) -> Job | None:
        """The next job, marked as running; None when the server stops."""
        with self._wake:
            while not self._stopping and not self._queued():
                self._wake.wait()
            if self._stopping:
                return None
            job = self._queued()[0]
            job.state, job.started, job.step = "running", time.time(), 0
            self._record(job)
            self._publish(job, *self._queued())
            return job

    def _run(self, job: Job) -> None:
        work = JobWork(job, self._library, self._host, self._hub, lambda: self._check(job), self._update)
        if self._kind(job).denoises:
            work.model()
            work.note(*self._notes(job))
        outcome = self._kind(job).run(work)
        if outcome.changed:
            try:
                self.tell_scene_changed(job.scene, outcome.changed)
            except (AppError, SceneError) as error:  # deleted meanwhile; the change was accepted all the same
                log.warning("Scene %s could not be shown: %s", job.scene, error)
        if self._kind(job).denoises:  # the pace was measured
            self._hub.publish("model", self._host.as_dict(), keep=False)
        with self._wake:
            job.step, job.result = job.steps, outcome.result
            self._finish(job, "done")

    def _update(self, job: Job, **values: Any) -> None:
        with self._wake:
            for name, value in values.items():
                setattr(job, name, value)
            self._record(job)
            self._publish(job)

    def tell_scene_changed(self, scene: str, changed: list[Rect]) -> dict[str, Any]:
        """Tell every page of `scene` about its new state and the rectangles (px) that changed; returns the state."""
        summary = self._library.summary(scene)
        corners = [[rect.x, rect.y, rect.x1, rect.y1] for rect in changed]
        self._hub.publish("scene", summary | {"changed": corners}, scene)
        return summary

    def _check(self, job: Job) -> None:
        if self._stopping or job.id in self._cancelled:
            raise Cancelled
