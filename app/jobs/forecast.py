"""How long jobs take: foretold from the measured pace of the model, or from their own pace so far."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from app.jobs.store import Job
from app.jobs.work import JobKind, pace_of
from app.serving.model_host import ModelHost

# Before that a job's own pace tells nothing: its first steps are not like the rest.
LEAST_STEPS = 5
LEAST_S = 1.0


class Forecast:
    """Looks at jobs and changes none; who calls it sees to it that nobody else does meanwhile."""

    def __init__(self, host: ModelHost, kinds: Mapping[str, JobKind]) -> None:
        self._host = host
        self._kinds = kinds

    def seconds(self, job: Job) -> float:
        """How long a job has worked so far."""
        return time.time() - job.started if job.state == "running" and job.started else job.seconds

    def steps(self, job: Job) -> int:
        """Steps of the whole job; before it runs what its kind expects, over all its windows."""
        if job.steps or job.state != "queued" or self._host.state != "ready" or job.kind not in self._kinds:
            return job.steps
        return self._kinds[job.kind].expected_steps(job.request, self._host.model.info)

    def seconds_left(self, jobs: Iterable[Job]) -> float | None:
        """Seconds that jobs will still take, one after the other; None where that is not known of all."""
        left = [self._left(job) for job in jobs]
        known = [seconds for seconds in left if seconds is not None]
        return round(sum(known), 1) if len(known) == len(left) else None

    def _left(self, job: Job) -> float | None:
        steps = self.steps(job)
        if job.kind in self._kinds and self._kinds[job.kind].denoises:
            sampler = job.request.get("sampler")
            pace = self._host.seconds_per_step(pace_of(job.kind, sampler)) or self._host.seconds_per_step(sampler)
        else:
            seconds = self.seconds(job)
            pace = seconds / job.step if job.step >= LEAST_STEPS and seconds >= LEAST_S else None
        return None if pace is None else pace * max(0, steps - job.step)
