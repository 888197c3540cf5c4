"""Who does the jobs: this process, several of them, or a Ray cluster. The same comes of all three.

On a CPU every worker computes with one thread, for sums depend on how many threads share them.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing.synchronize import Event
from typing import Any, Protocol

import cv2
import torch

from app.errors import AppError
from app.runner.work import Job, Outcome, Recipe, Worker
from canvas.fill.cluster import connect
from text2earth_core.device import pick_device
from text2earth_core.errors import Cancelled

AHEAD = 2
"""Jobs per worker that are handed out at a time."""


class Crew(Protocol):
    """Does jobs; they come back as they get done. Closing it stops what is under way and keeps what is done."""

    def do(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Outcome]]: ...

    def close(self) -> None: ...


def crew_of(recipe: Recipe, worker: Worker, workers: int | None, ray: str | None) -> Crew:
    """Workers in number, None for as many as there are cores; on an accelerator one, this process.

    Args:
        recipe: makes workers in other processes. worker: what it made for this one.

    Raises:
        SceneError: there is no Ray, or no cluster at its address.
    """
    if ray is not None:
        return RayCrew(ray, recipe, workers)
    on_cpu = pick_device(recipe.device).type == "cpu"
    count = workers or (torch.get_num_threads() if on_cpu else 1)
    return Alone(recipe, worker) if count == 1 else Processes(recipe, count)


class Alone:
    """This process."""

    def __init__(self, recipe: Recipe, worker: Worker) -> None:
        self._worker, self._threads = worker, torch.get_num_threads()
        _one_thread(recipe)

    def do(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Outcome]]:
        for job in jobs:
            yield job, self._worker.do(job, lambda: None)

    def close(self) -> None:
        torch.set_num_threads(self._threads)


class Processes:
    """Processes of this machine, each with a worker of its own."""

    def __init__(self, recipe: Recipe, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._stop, self._count = context.Event(), count
        self._pool = ProcessPoolExecutor(count, context, _begin, (recipe, self._stop))

    def do(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Outcome]]:
        waiting: dict[Future[Outcome], Job] = {}
        left = iter(jobs)
        try:
            while True:
                for job in islice(left, AHEAD * self._count - len(waiting)):
                    waiting[self._pool.submit(_do, job)] = job
                if not waiting:
                    return
                for done in wait(waiting, return_when=FIRST_COMPLETED).done:
                    yield waiting.pop(done), done.result()
        except BrokenProcessPool:
            raise AppError(
                "A worker has ended, perhaps for want of memory: what is done is kept, go on with fewer --workers."
            ) from None

    def close(self) -> None:
        self._stop.set()
        self._pool.shutdown(cancel_futures=True)


class RayCrew:
    """Actors of a Ray cluster: one for each GPU, or each CPU where none is asked for.

    Every machine must see files and weights under the same names.
    """

    def __init__(self, address: str, recipe: Recipe, count: int | None) -> None:
        self._ray: Any = connect(address)
        kind = "GPU" if (recipe.device or "").startswith("cuda") else "CPU"
        count = count or int(self._ray.cluster_resources().get(kind, 0))
        if count < 1:
            raise AppError(f"The cluster at {address} has no {kind}: add a machine with one, or leave --ray out.")
        actor = self._ray.remote(**{f"num_{kind.lower()}s": 1})(_Remote)
        self._actors = [actor.remote(recipe) for _ in range(count)]

    def do(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Outcome]]:
        left, waiting = iter(jobs), {}
        for actor in self._actors * AHEAD:
            for job in islice(left, 1):
                waiting[actor.do.remote(job)] = actor, job
        try:
            while waiting:
                (done,), _ = self._ray.wait(list(waiting), num_returns=1)
                actor, job = waiting.pop(done)
                yield job, self._ray.get(done)
                for following in islice(left, 1):
                    waiting[actor.do.remote(following)] = actor, following
        except self._ray.exceptions.RayError as error:
            cause = getattr(error, "cause", None) or error
            raise AppError(
                f"The cluster could not go on ({str(cause).splitlines()[-1]}): what is done is kept, start the same "
                "command again."
            ) from None

    def close(self) -> None:
        for one in self._actors:
            self._ray.kill(one)


class _Remote:
    """The worker inside an actor."""

    def __init__(self, recipe: Recipe) -> None:
        _one_thread(recipe)
        self._worker = recipe.load()

    def do(self, job: Job) -> Outcome:
        return self._worker.do(job, lambda: None)


_given: tuple[Worker, Event]
"""Of a worker process, from its beginning on."""


def _begin(recipe: Recipe, stop: Event) -> None:
    global _given
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that gives out the jobs says when to stop
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _one_thread(recipe)
    _given = recipe.load(), stop


def _do(job: Job) -> Outcome:
    worker, stop = _given

    def check() -> None:
        if stop.is_set():
            raise Cancelled

    return worker.do(job, check)


def _end_with_parent() -> None:
    """A worker whose giver of jobs was killed would wait for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _one_thread(recipe: Recipe) -> None:
    if pick_device(recipe.device).type == "cpu":
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
