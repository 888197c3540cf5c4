"""Who computes the independent parts of a fill: threads of this process, or a Ray cluster. Same result either way.

Equality rests on three things: a batch always holds the same windows and is padded to one shape, every worker computes
it with one thread on a CPU (sums depend on how many threads share them), and results are used in the order of jobs.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from canvas.errors import SceneError
from canvas.fill.cluster import connect
from canvas.fill.request import FillRequest
from canvas.prompt_map import PromptMap
from canvas.scene_file.codec import LATENT_CHANNELS
from text2earth_core import Text2Earth
from text2earth_core.sampling.leading import Lead
from text2earth_core.sampling.stepper import Stepper
from text2earth_core.translation.condition import condition_of
from text2earth_core.translation.holding import hold

AHEAD = 2  # jobs per worker that wait while another is computed: the bound on memory


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows of one step. Padded to one size by repeating the last; `step` counts from 0."""

    step: int
    latents: np.ndarray  # float32 (B, `FillWorker.channels`, h, w)
    known: np.ndarray  # float32 (B, 4, h, w)
    mask: np.ndarray  # float32 (B, 1, h, w)
    foreign: np.ndarray  # float32 (B, 1, h, w), see `text2earth_core.sampling.leading.Lead`
    lead: np.ndarray  # float32 (B, 1, h, w), its weight
    weights: np.ndarray  # float32 (B, prompts)
    source: np.ndarray | None = None  # uint8 (B, 8h, 8w, bands), of what a translation is made
    seen: np.ndarray | None = None  # bool (B, 8h, 8w), where that is known


@dataclass(frozen=True, slots=True)
class Drawing:
    """Latents float32 (4, h, w) to be decoded at a place (px), and of a translation what they were made of."""

    latents: np.ndarray
    at: tuple[int, int]
    source: np.ndarray | None = None  # uint8 (8h, 8w, bands)
    seen: np.ndarray | None = None  # bool (8h, 8w)


class FillWorker:
    """A model at work on one request."""

    def __init__(self, model: Text2Earth, request: FillRequest) -> None:
        self._model, self._layer, self._task = model, request.layer, request.translation
        self._seed = request.seed
        control = None
        if self._task is not None:
            control = model.translators.get(self._task)
            if request.translator != model.translators.fingerprint:
                raise SceneError("This was asked of another translator: ask again with this one.")
        self._stepper = Stepper(model, PromptMap(request.prompt_map).texts, request.sampling, control)

    @property
    def channels(self) -> int:
        """How many numbers a cell has between steps: its noisy latents, and their estimate where a step looks back."""
        return LATENT_CHANNELS * (2 if self._stepper.looks_back else 1)

    def amplitudes(self, step: int) -> tuple[float, float]:
        return self._stepper.amplitudes(step)

    def step(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        """(what the next step starts from, as `Batch.latents`; estimate of the clean latents float32 (B, 4, h, w))."""
        looks_back = self._stepper.looks_back
        latents, before = torch.from_numpy(batch.latents).tensor_split([LATENT_CHANNELS], 1)
        known, mask, weights = (torch.from_numpy(part) for part in (batch.known, batch.mask, batch.weights))
        lead = Lead(torch.from_numpy(batch.lead), torch.from_numpy(batch.foreign))
        stepped, estimate = self._stepper.step(
            batch.step, latents, known, mask, weights, before=before if looks_back else None, lead=lead,
            condition=self._condition(batch),
        )  # fmt: skip
        kept = torch.cat([stepped, estimate], 1) if looks_back else stepped
        return kept.numpy(), estimate.numpy()

    def _condition(self, batch: Batch) -> torch.Tensor | None:
        if self._task is None or batch.source is None or batch.seen is None:
            return None
        encode, grey = self._model.encode, self._model.codec.grey
        windows = zip(batch.source, batch.seen, strict=True)
        return torch.stack([condition_of(self._task, source, seen, encode, grey) for source, seen in windows])

    def decode(self, drawing: Drawing) -> np.ndarray:
        """uint8 (8h, 8w, bands of the layer)."""
        made = self._model.decode(torch.from_numpy(drawing.latents), self._layer, self._seed, drawing.at)
        if self._task is None or drawing.source is None or drawing.seen is None:
            return made
        return hold(self._task, made, drawing.source, drawing.seen)


class Workers(Protocol):
    """Applies a method of `FillWorker` to jobs; results come in the order of jobs."""

    def map(self, method: str, jobs: Iterable[Any]) -> Iterator[Any]: ...

    def close(self) -> None: ...


class _Threads:
    """How many threads torch was given before the first pool set its own to 1, which holds for later threads too."""

    def __init__(self) -> None:
        self._lock, self._pools, self._given = threading.Lock(), 0, 1

    def take(self) -> int:
        """A pool opens; returns the number that was given."""
        with self._lock:
            if self._pools == 0:
                self._given = torch.get_num_threads()
            self._pools += 1
            return self._given

    def give_back(self) -> None:
        """A pool is closed; threads that start after the last one have the given number again."""
        with self._lock:
            self._pools -= 1
            torch.set_num_threads(self._given)


_threads = _Threads()


class LocalWorkers:
    """Threads of this process around one model: as many as torch was given on a CPU, one for an accelerator."""

    def __init__(self, worker: FillWorker, device: str, count: int | None = None) -> None:
        self._worker = worker
        self._on_cpu = device == "cpu"
        given = _threads.take() if self._on_cpu else 1
        self.count = count or given
        self._pool = ThreadPoolExecutor(self.count, "fill", self._start)

    def _start(self) -> None:
        if self._on_cpu:
            torch.set_num_threads(1)

    def map(self, method: str, jobs: Iterable[Any]) -> Iterator[Any]:
        function: Callable[[Any], Any] = getattr(self._worker, method)
        yield from _ahead((self._pool.submit(function, job).result for job in jobs), AHEAD * self.count)

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        if self._on_cpu:
            _threads.give_back()


class RayWorkers:
    """Actors of a Ray cluster, each with a model of its own: one for each GPU, or each CPU where no GPU is asked for.

    Args:
        address: of the cluster, "auto" for the one on this machine, "local" to start one.
        source: the model's folder or hub id, readable by every machine of the cluster.
        count: how many actors; None for as many as the cluster has room for.

    Raises:
        SceneError: Ray is not installed, the cluster cannot be reached, or its model is another one.
    """

    def __init__(self, address: str, source: str, request: FillRequest, count: int | None = None) -> None:
        ray = self._ray = connect(address)
        kind = "GPU" if request.device.startswith("cuda") else "CPU"
        count = count or int(ray.cluster_resources().get(kind, 0))
        if count < 1:
            raise SceneError(f"The cluster at {address} has no {kind}: add a machine with one, or leave --ray out.")
        actor = ray.remote(**{f"num_{kind.lower()}s": 1})(_RemoteWorker)
        self._actors = [actor.remote(source, request) for _ in range(count)]
        try:
            ray.get([one.ready.remote() for one in self._actors])
        except ray.exceptions.RayError as error:
            self.close()
            cause = getattr(error, "cause", None) or error
            raise SceneError(f"The cluster cannot do this fill: {str(cause).splitlines()[-1]}") from None

    def map(self, method: str, jobs: Iterable[Any]) -> Iterator[Any]:
        actors = itertools.cycle(self._actors)
        pending = (_fetch(self._ray, getattr(next(actors), method).remote(job)) for job in jobs)
        try:
            yield from _ahead(pending, AHEAD * len(self._actors))
        except self._ray.exceptions.RayError as error:
            raise SceneError(
                "A machine of the cluster was lost: what is done is kept, start the same fill again to go on."
            ) from error

    def close(self) -> None:
        for one in self._actors:
            self._ray.kill(one)


class _RemoteWorker:
    """The worker inside an actor: loads its own model, and makes sure that it is the right one."""

    def __init__(self, source: str, request: FillRequest) -> None:
        if request.device == "cpu":
            torch.set_num_threads(1)
        model = Text2Earth.from_pretrained(source, request.device, request.dtype)
        if model.info.fingerprint != request.model:
            raise SceneError(f"The model at {source} is another one there: put the same model on every machine.")
        self._worker = FillWorker(model, request)

    def ready(self) -> bool:
        return True

    def step(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        return self._worker.step(batch)

    def decode(self, drawing: Drawing) -> np.ndarray:
        return self._worker.decode(drawing)


def _fetch(ray: Any, reference: Any) -> Callable[[], Any]:
    return lambda: ray.get(reference)


def _ahead(started: Iterator[Callable[[], Any]], limit: int) -> Iterator[Any]:
    """The results of jobs that begin when `started` yields them, in this order, with at most `limit` unfinished."""
    waiting: deque[Callable[[], Any]] = deque()
    for result in started:
        waiting.append(result)
        if len(waiting) >= limit:
            yield waiting.popleft()()
    while waiting:
        yield waiting.popleft()()
