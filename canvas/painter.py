"""Makes what is missing in a frame so that it continues what is there. Pure: reads a scene, returns a change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Protocol

import numpy as np
import torch

from canvas import plan
from canvas.errors import SceneError
from canvas.geometry import CELL, Rect, bounding_rect
from canvas.masks import dilate, feather_weights, spread
from canvas.request import Request
from canvas.scene import Change
from canvas.snapshot import Patch
from canvas.tiles import cells_filled, cells_touched
from text2earth_core import Text2Earth
from text2earth_core.noise import world_noise

INFLATE = 1  # cells of known ground next to new ground that are made anew with it; what the model was trained with
FEATHER = 16  # px of known ground into which new pixels are blended
MAX_FEATHER = 64
MAX_FRAME = 2048  # px along a side: a frame is held in memory, a scene is not
DECODE = 512  # px along a side decoded at once, plus the halo


class Readable(Protocol):
    """A Scene, or a Snapshot of one."""

    @property
    def resolution(self) -> float: ...

    def read(self, rect: Rect, layer: str = "rgb", model: str | None = None) -> Patch: ...


@dataclass(frozen=True, slots=True)
class Progress:
    """Step `step` of `total` over all windows. `latents` (4, h/8, w/8) estimate what `rect` (px) will become."""

    step: int
    total: int
    rect: Rect
    latents: torch.Tensor


class Painter:
    """Answers requests with one model. Holds nothing between two of them."""

    def __init__(self, model: Text2Earth) -> None:
        self.model = model

    def request(
        self,
        scene: Readable,
        frame: Sequence[int],
        prompt: str = "",
        negative_prompt: str = "",
        seed: int = 0,
        steps: int | None = None,
        guidance: float | None = None,
        feather: int = FEATHER,
    ) -> Request:
        """A complete request: the frame snapped to 8 px, what is not given taken from the model, everything checked.

        Raises SceneError for an impossible frame, seed or feather, and Text2EarthError for steps or guidance this model
        cannot take.
        """
        info = self.model.info
        steps, guidance = self.model.check_settings(steps, guidance)
        return Request(
            kind="generate",
            frame=_checked_frame(frame),
            resolution=scene.resolution,
            prompt=str(prompt),
            negative_prompt=str(negative_prompt),
            seed=_whole("seed", seed, 0, 2**63 - 1),
            steps=steps,
            guidance=guidance,
            feather=_whole("feather", feather, 0, MAX_FEATHER),
            model=info.fingerprint,
            dtype=info.dtype,
            device=info.device,
        )

    def paint(
        self, scene: Readable, request: Request, callback: Callable[[Progress], None] | None = None
    ) -> Change:
        """What `request` makes of every empty pixel of its frame.

        Known pixels further than `request.feather` px from those are not written at all. `callback` is called after
        each step and may raise (`text2earth_core.Cancelled`) to stop; nothing is left behind then.
        """
        self._check(scene, request)
        work = _Work(self.model, scene, request)
        for number, window in enumerate(work.windows):
            work.fill(window, None if callback is None else _reporter(callback, request, work, number))
        return work.finish()

    def _check(self, scene: Readable, request: Request) -> None:
        info = self.model.info
        if request.model != info.fingerprint:
            raise SceneError(f"This was asked of another model than {info.name}: ask again with this one.")
        if request.resolution != scene.resolution:
            raise SceneError(
                f"This was asked for {request.resolution:g} m/px, the scene has {scene.resolution:g} m/px: ask again."
            )
        if _checked_frame(request.frame) != request.frame:
            raise SceneError(f"The frame does not lie on the {CELL} px grid: move it there.")


def _reporter(
    callback: Callable[[Progress], None], request: Request, work: _Work, number: int
) -> Callable[[int, int, torch.Tensor], None]:
    """The model's callback for window `number`: counts over all windows and cuts out what is new."""
    window, total = work.windows[number], request.steps * len(work.windows)
    new = work.missing_in(window)
    rows, columns = new.cells().slices(window.cells())

    def report(step: int, _steps: int, latents: torch.Tensor) -> None:
        callback(Progress(number * request.steps + step, total, new, latents[:, rows, columns]))

    return report


class _Work:
    """One request being answered: pixels and latents of the area its windows see."""

    def __init__(self, model: Text2Earth, scene: Readable, request: Request) -> None:
        self._model, self._request = model, request
        window, frame = model.info.window, request.frame
        margin = -(-request.feather // CELL) * CELL + model.info.halo * CELL
        area = plan.reach(frame, window).union(frame.expand(margin)).snap_out()
        self._patch = scene.read(area, request.layer, request.model)
        self._area, self._cells = area, area.cells()
        valid = self._patch.valid
        self._missing = np.zeros_like(valid)  # px
        self._missing[frame.slices(area)] = ~valid[frame.slices(area)]
        if not self._missing.any():
            raise SceneError("Everything in this frame exists already: move it over empty ground, or erase first.")
        self._todo = cells_touched(self._missing)
        self._ground = cells_filled(valid) & ~self._todo
        self._known = self._ground.copy()  # what has latents by now: the ground, and then what each window makes
        self.windows = plan.windows(frame, self._todo, self._ground, area, window)
        self._latents = self._patch.latents.copy()
        self._encode_missing_latents()

    def missing_in(self, window: Rect) -> Rect:
        """The smallest rectangle (px) around what a window will make."""
        cells = window.cells()
        at = cells.slices(self._cells)
        box = bounding_rect((self._todo & ~self._known)[at], cells.x, cells.y)
        return Rect(*(v * CELL for v in box))

    def fill(self, window: Rect, report: Callable[[int, int, torch.Tensor], None] | None) -> None:
        """Denoise one window and take from it what was missing and the cells it was inflated by."""
        cells = window.cells()
        at = cells.slices(self._cells)
        missing = (self._todo & ~self._known)[at]
        remake = missing | (dilate(missing, INFLATE) & self._known[at])
        mask = remake | ~self._known[at]
        request = self._request
        made = self._model.denoise(
            request.prompt,
            negative_prompt=request.negative_prompt,
            resolution=request.resolution,
            steps=request.steps,
            guidance=request.guidance,
            known=torch.from_numpy(self._latents[:, at[0], at[1]].copy()),
            mask=torch.from_numpy(mask.astype(np.float32)),
            noise=world_noise(request.seed, cells.x, cells.y, cells.w, cells.h),
            callback=report,
        ).numpy()
        self._latents[:, at[0], at[1]][:, remake] = made[:, remake]
        self._known[at] |= missing

    def finish(self) -> Change:
        """Decode what changed, blend it over what was there, and cut out the change."""
        feather = self._request.feather
        near = bounding_rect(self._missing, self._area.x, self._area.y).expand(feather).snap_out()
        weights = feather_weights(self._missing[near.slices(self._area)], feather)
        # Only where there are latents to decode: not in cells at an edge that are partly empty and outside the frame.
        weights[~self._known[near.cells().slices(self._cells)].repeat(CELL, 0).repeat(CELL, 1)] = 0
        rect = bounding_rect(weights > 0, near.x, near.y).snap_out()
        weights = weights[rect.slices(near)]
        written = weights > 0
        new, old = self._decode(rect).astype(np.float32), self._patch.pixels[rect.slices(self._area)]
        pixels = np.where(written[..., None], np.rint(old + weights[..., None] * (new - old)), 0).astype(np.uint8)
        rows, columns = rect.cells().slices(self._cells)
        return Change(
            self._request, self._request.layer, rect, pixels, written,
            self._latents[:, rows, columns].copy(), cells_touched(written),
        )  # fmt: skip

    def _encode_missing_latents(self) -> None:
        """Latents for ground that was imported or made by another model; each cell depends on its own pixels only."""
        lacking = self._ground & ~self._patch.latent_valid
        if not lacking.any():
            return
        box = bounding_rect(lacking)
        pixels = self._patch.pixels[box.y * CELL : box.y1 * CELL, box.x * CELL : box.x1 * CELL]
        encoded = self._model.encode(np.ascontiguousarray(pixels)).numpy()
        part = lacking[box.y : box.y1, box.x : box.x1]
        self._latents[:, box.y : box.y1, box.x : box.x1][:, part] = encoded[:, part]

    def _decode(self, rect: Rect) -> np.ndarray:
        """uint8 (h, w, 3) of a rectangle, in pieces with a halo: memory is bounded, the pieces fit to a rounding."""
        halo = self._model.info.halo
        # The area ends where content ends, as far as a rectangle can: there the decoder continues the edge by itself.
        content = bounding_rect(self._known, self._cells.x, self._cells.y)
        latents = spread(self._latents, self._known, halo)
        pixels = np.empty((rect.h, rect.w, 3), np.uint8)
        for x, y in product(range(rect.x, rect.x1, DECODE), range(rect.y, rect.y1, DECODE)):
            piece = Rect(x, y, DECODE, DECODE).intersect(rect)
            context = piece.cells().expand(halo).intersect(content)
            rows, columns = context.slices(self._cells)
            decoded = self._model.decode(torch.from_numpy(latents[:, rows, columns].copy()))
            pixels[piece.slices(rect)] = decoded[piece.slices(Rect(*(v * CELL for v in context)))]
        return pixels


def _checked_frame(frame: Sequence[int]) -> Rect:
    try:
        rect = Rect(*(int(v) for v in frame)).snap()
    except (TypeError, ValueError, OverflowError):
        raise SceneError("A frame is four whole numbers x, y, width and height in px: give these.") from None
    if min(frame[2], frame[3]) <= 0 or max(rect.w, rect.h) > MAX_FRAME:
        raise SceneError(f"A frame of {frame[2]} x {frame[3]} px cannot be made: use {CELL} to {MAX_FRAME} px a side.")
    return rect


def _whole(name: str, value: Any, low: int, high: int) -> int:
    try:
        number = int(value)
        if number != value or isinstance(value, bool):
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise SceneError(f"The {name} must be a whole number from {low} to {high}, not {value!r}: change it.") from None
    if not low <= number <= high:
        raise SceneError(f"The {name} must be from {low} to {high}, not {number}: change it.")
    return number
