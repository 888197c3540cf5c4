"""Fills a region of any size in one go: the whole of it is denoised step by step, window by window, on disk.

All windows of a step read what the step before left, so their order does not matter. What a step makes is kept in the
scene file, band by band (a row of windows), so that memory does not grow with the region and a killed fill goes on
where it was. It shows in the scene all at once, as one entry of its history.

Steps run one after the other over the whole region, not as a wavefront down its rows: the preview then goes from
coarse to fine everywhere, a cluster gets all windows of a step at once, and the state costs half a byte per pixel on
disk (a byte where steps look back) for as long as the fill runs, less than the pixels will.

Where windows overlap, what they make of a step is mixed. All of them start from the same noisy latents, and a step is
linear in the clean estimates, its own and the shared one of the step before: so it is the estimates that are mixed, and
every place keeps the noise it has from the world. That is as right for the student's four steps as for the teacher's
many: it was trained to leap along that path.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from time import perf_counter
from typing import Any

import numpy as np
import torch

from canvas.errors import SceneError
from canvas.fill import grid as fill_grid
from canvas.fill.bands import Band, Window
from canvas.fill.cost import Cost
from canvas.fill.merge import Merger
from canvas.fill.request import KIND, FillRequest, checked_box
from canvas.fill.survey import ACTIVE, BOUNDARY, FOREIGN, bounds_of, survey
from canvas.fill.workers import Batch, FillWorker, LocalWorkers, Workers
from canvas.geometry import CELL, Rect
from canvas.paint.painter import Progress, Readable
from canvas.prompt_json import parse_prompt, parse_region
from canvas.prompt_map import PromptMap
from canvas.request import checked_feather
from canvas.scene import Scene
from canvas.scene_file.codec import LATENT_CHANNELS
from canvas.scene_file.fill_state import SURVEY, FillState
from canvas.scene_file.history import Entry
from text2earth_core import Text2Earth
from text2earth_core.modalities import RGB
from text2earth_core.sampling.feather import FEATHER
from text2earth_core.sampling.leading import lead_in
from text2earth_core.sampling.noise import world_noise
from text2earth_core.sampling.settings import DEFAULTS, FAST, Sampling
from text2earth_core.translation.tasks import get_task

ON_CPU, ON_GPU = 4, 16  # windows in a batch; what a result depends on, so it must not follow the machine's load


class RegionFill:
    """Answers one fill request on one scene with one model."""

    def __init__(self, scene: Scene, model: Text2Earth, request: FillRequest, workers: Workers | None = None) -> None:
        """`workers` compute; None means threads of this process."""
        if request.model != model.info.fingerprint:
            raise SceneError(f"This was asked of another model than {model.info.name}: ask again with this one.")
        if request.resolution != scene.resolution:
            raise SceneError(
                f"This was asked for {request.resolution:g} m/px, the scene has {scene.resolution:g} m/px: ask again."
            )
        self._scene, self._model, self._request, self._workers = scene, model, request, workers
        self._worker, self._task = FillWorker(model, request), request.translation
        self._prompts = PromptMap(request.prompt_map, None if request.region is None else request.shape)
        self._side = model.info.window // CELL
        self._batch = ON_CPU if model.info.device == "cpu" else ON_GPU
        self._found = FillState.find(scene.database, request)
        self._bounds = self._found.bounds if self._found else bounds_of(scene, request, model.info.window)
        self._phases = fill_grid.phases(self._bounds, self._side, request.steps)

    @property
    def resumed(self) -> bool:
        """Whether a part of it is done already."""
        return self._found is not None

    @property
    def cost(self) -> Cost:
        """How much work the whole fill is, and how much of it is left."""
        done = max(0, self._found.phase) if self._found else 0
        return Cost.of(self._bounds, self._request.frame, self._phases, self._side, self._worker.channels, done)

    def pace(self) -> float:
        """Seconds that a window takes for a step in this process, measured on one batch of nothing."""
        side, count = self._side, self._batch
        latents = np.zeros((count, self._worker.channels, side, side), np.float32)
        known = np.zeros((count, LATENT_CHANNELS, side, side), np.float32)
        weights = np.zeros((count, len(self._prompts.texts)), np.float32)
        mask = np.ones((count, 1, side, side), np.float32)
        source: tuple[np.ndarray, ...] = ()
        if self._task is not None:
            shape = (count, side * CELL, side * CELL)
            source = np.zeros((*shape, self._task.sees.channels), np.uint8), np.ones(shape, bool)
        batch = Batch(0, latents, known, mask, np.zeros_like(mask), np.zeros_like(mask), weights, *source)
        workers = LocalWorkers(self._worker, self._model.info.device)
        try:
            list(workers.map("step", [batch] * workers.count))  # the first ones also pay for what is set up once
            start = perf_counter()
            list(workers.map("step", [batch] * workers.count))
            spent = perf_counter() - start
        finally:
            workers.close()
        return spent / (count * workers.count)

    def discard(self) -> None:
        """Give up what is done so far."""
        if self._found:
            self._found.discard()
            self._found = None

    def run(self, callback: Callable[[Progress], None] | None = None) -> Entry:
        """Do what is left to do, and return the entry of the history that shows it.

        `callback` is called while the ground is looked at (with an empty rectangle), after each batch of windows with
        what it estimates that they become, then for each part that is decoded. It may raise
        (`text2earth_core.Cancelled`) to stop; what is done is kept, and the next run of the same request goes on.
        """
        workers = self._workers or LocalWorkers(self._worker, self._model.info.device)
        report = _Reporter(callback, self.cost.windows)
        try:
            state = self._found or FillState.begin(self._scene.database, self._request, self._bounds)
            self._found = state
            if state.phase == SURVEY:
                self._survey(state, report)
            for number in range(state.phase, len(self._phases)):
                report.count = sum(phase.count for phase in self._phases[:number])
                self._step(state, number, workers, report)
                state.advance(number + 1)
            return self._show(state, workers, report)
        finally:
            if self._workers is None:
                workers.close()

    def _survey(self, state: FillState, report: _Reporter) -> None:
        try:
            survey(self._scene, self._request, state, self._model, report.show_survey)
        except SceneError:
            self.discard()
            raise
        state.advance(0)

    def _show(self, state: FillState, workers: Workers, report: _Reporter) -> Entry:
        merger = Merger(self._scene, self._request, state, self._model.info.halo)
        entry = None
        while entry is None:  # again only for rows of tiles that somebody changed meanwhile
            for band in merger.bands:
                merger.stage(band, workers, report.show_part)
            entry = state.finish(self._request)
        return entry

    # one step of the whole region

    def _step(self, state: FillState, number: int, workers: Workers, report: _Reporter) -> None:
        """Take one step in every window, in batches of neighbours, and keep each band as soon as it is complete.

        A batch holds the same windows in every run, also where some of them are done already: see `workers`.
        """
        waiting: deque[list[Window]] = deque()

        def jobs() -> Iterator[Batch]:
            for group in _groups(self._windows(state, number), self._batch):
                if any(not window.band.done for window in group):
                    waiting.append(group)
                    yield self._load(state, number, group)

        for stepped, estimate in workers.map("step", jobs()):
            group = waiting.popleft()
            for place, window in enumerate(group):
                if window.band.done:
                    continue
                window.band.add(window, stepped[place])
                if window.band.missing == 0:
                    state.add(number, window.band.number, *window.band.take(self._bounds))
            report.show_steps(group, estimate)

    def _windows(self, state: FillState, number: int) -> Iterator[Window]:
        """The windows of a step that make something, row by row."""
        phase, bounds, side, done = self._phases[number], self._bounds, self._side, state.done(number)
        for row, y in enumerate(phase.ys):
            roles, _ = state.survey(y.start, y.start + side)
            low, high = y.owned
            active: np.ndarray = np.any(np.isin(roles[low - y.start : high - y.start], ACTIVE), axis=0)
            columns = [x for x in phase.xs if active[slice(*(v - bounds.x for v in x.owned))].any()]
            band = Band(row, y, bounds, len(columns), done=row in done)
            yield from (Window(x, band) for x in columns)

    def _load(self, state: FillState, number: int, group: Sequence[Window]) -> Batch:
        """What the windows of a batch see, read from what came out of the step before."""
        seen = [self._see(state, number, window) for window in group]
        padded = [*seen, *[seen[-1]] * (self._batch - len(seen))]
        return Batch(number, *(np.stack(part) for part in zip(*padded, strict=True)))

    def _see(self, state: FillState, number: int, window: Window) -> tuple[np.ndarray, ...]:
        """The fields of a `Batch` for one window."""
        band, side = window.band, self._side
        place = Rect(window.x.start, band.y.start, side, side)
        _, columns = place.slices(self._bounds)
        roles, known = (part[..., columns] for part in band.ground(state))
        signal, noise = self._worker.amplitudes(number)
        generate, foreign = ~np.isin(roles, BOUNDARY), roles == FOREIGN
        latents = band.latents(state, number, self._worker.channels)[..., columns]
        from_noise = ~np.isin(roles, ACTIVE) if number else np.ones_like(generate)
        if from_noise.any():
            fresh = signal * known + noise * world_noise(self._request.seed, *place).numpy()
            start = np.concatenate([fresh, known])[: len(latents)]  # what is known is its own estimate
            latents = np.where(from_noise, start, latents)
        weights = self._prompts.weights(place.pixels())
        lead = self._lead(generate, foreign, place, weights)
        layers = [part[None].astype(np.float32) for part in (generate, foreign, lead)]
        seen = np.ascontiguousarray(latents, np.float32), np.ascontiguousarray(known), *layers, weights
        if self._task is None:
            return seen
        of = slice(columns.start * CELL, columns.stop * CELL)
        return *seen, *(part[:, of] for part in band.source(state, self._task.sees.channels))

    def _lead(self, generate: np.ndarray, foreign: np.ndarray, place: Rect, weights: np.ndarray) -> np.ndarray:
        """How far the prompts decide in a window of cells: left to the ground, as far as they say anything there."""
        follow = self._request.follow
        if follow is None:
            follow = float(weights @ [bool(text.strip()) for text in self._prompts.texts])
        lead = lead_in(generate, foreign, follow, self._request.seed, place.x, place.y)
        return np.zeros(generate.shape, np.float32) if lead is None else lead.weight[0, 0].numpy()


@dataclass(slots=True)
class _Reporter:
    """Tells the caller how far a fill is, with a picture of what was just done."""

    callback: Callable[[Progress], None] | None
    total: int
    count: int = 0

    def show_survey(self) -> None:
        """Some of the ground was looked at: there is nothing to show yet."""
        self._tell(Rect(0, 0, 0, 0), np.zeros((4, 0, 0), np.float32))

    def show_steps(self, group: Sequence[Window], estimate: np.ndarray) -> None:
        """A batch of windows took a step: shows the last of them as far as it counts."""
        self.count += len(group)
        last = group[-1]
        (left, right), (top, bottom) = last.x.owned, last.band.y.owned
        rows = slice(top - last.band.y.start, bottom - last.band.y.start)
        own = estimate[len(group) - 1, :, rows, left - last.x.start : right - last.x.start]
        self._tell(Rect.from_corners(left, top, right, bottom).pixels(), own)

    def show_part(self, rect: Rect, latents: np.ndarray) -> None:
        """A part was decoded, which is little beside the steps and not counted."""
        self.count = self.total
        self._tell(rect, latents)

    def _tell(self, rect: Rect, latents: np.ndarray) -> None:
        if self.callback is not None:
            self.callback(Progress(self.count, self.total, rect, torch.from_numpy(np.ascontiguousarray(latents))))


def fill_request(
    model: Text2Earth,
    scene: Readable,
    bbox: Sequence[Any],
    prompts: Sequence[dict[str, Any]],
    sampling: Sampling = DEFAULTS,
    *,
    region: list[Any] | None = None,
    feather: int = FEATHER,
    task: str = "",
    **settings: Any,
) -> FillRequest:
    """A complete, checked request: `bbox` [x0, y0, x1, y1] grown to the cell grid, the rest filled in by the model.

    `prompts` and `region` are JSON values as in a recipe; `settings` are fields of `Sampling`, in place of those in
    `sampling`; the resolution is the scene's. With a `task` its target is made from its source, the layer is its own,
    and guidance is none unless it is given, for it is about the text. Raises SceneError or Text2EarthError with one
    sentence.
    """
    asked = replace(sampling, **settings | {"resolution": scene.resolution})
    if task:
        model.translators.get(get_task(task))
        quality = asked.sampler != FAST and asked.guidance is None
        asked = replace(asked, layer=RGB, follow=0.0, guidance=1.0 if quality else asked.guidance)
    settled = model.settled(asked)
    if not prompts:
        raise SceneError('A fill needs at least one prompt: give [{"text": "..."}].')
    texts = [parse_prompt(value, f"Prompt {number}").text for number, value in enumerate(prompts, 1)]
    if region is not None:
        parse_region(region, "The fill")
    info, together = model.info, "; ".join(filter(None, dict.fromkeys(texts)))
    made = {"layer": get_task(task).target, "task": task, "translator": model.translators.fingerprint} if task else {}
    return FillRequest(
        kind=KIND, frame=checked_box(bbox), prompt=together, feather=checked_feather(feather), model=info.fingerprint,
        dtype=info.dtype, device=info.device, prompts=tuple(prompts), region=region, **asdict(settled) | made,
    )  # fmt: skip


def _groups(items: Iterator[Window], size: int) -> Iterator[list[Window]]:
    while group := list(islice(items, size)):
        yield group
