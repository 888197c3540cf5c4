"""Makes what is missing in a frame, or what a mask covers, so that it continues what is there.

Pure: reads a scene, returns a change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch

from canvas.errors import SceneError
from canvas.geometry import CELL, Rect
from canvas.masks import MAX_FRAME, encode_mask
from canvas.paint.painting import Painting, Readable
from canvas.request import Request, checked_feather
from canvas.scene_file.change import Change
from text2earth_core import Text2Earth
from text2earth_core.sampling.feather import FEATHER
from text2earth_core.sampling.settings import DEFAULTS, Sampling
from text2earth_core.sampling.stepper import StepCallback


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
        sampling: Sampling = DEFAULTS,
        feather: int = FEATHER,
        **settings: Any,
    ) -> Request:
        """A complete request: the frame snapped to 8 px, what is not given taken from the model, everything checked.

        `settings` are fields of `Sampling`, in place of those in `sampling`; the resolution is the scene's. Raises
        SceneError for an impossible frame or feather, and Text2EarthError for settings this model cannot take.
        """
        info = self.model.info
        settled = self.model.settled(replace(sampling, **settings | {"resolution": scene.resolution}))
        return Request(
            kind="generate",
            frame=_checked_frame(frame),
            prompt=str(prompt),
            feather=checked_feather(feather),
            model=info.fingerprint,
            dtype=info.dtype,
            device=info.device,
            **asdict(settled),
        )

    def edit(
        self,
        scene: Readable,
        frame: Rect,
        mask: np.ndarray,
        prompt: str = "",
        strength: float = 1.0,
        sampling: Sampling = DEFAULTS,
        feather: int = FEATHER,
        **settings: Any,
    ) -> Request:
        """A complete request to change what is under a mask; the rest is as in `request`.

        `mask` is uint8 (frame.h, frame.w) over a frame on the 8 px grid, as `canvas.masks.placed` cuts it; empty ground
        under it is made anew. `strength`: how far known ground may go, up to 1 for anew.
        """
        if not (isinstance(strength, int | float) and 0 < strength <= 1):
            raise SceneError(f"A strength of {strength} is not possible: use more than 0 up to 1 (anew).")
        if not mask.any():
            raise SceneError("The mask is empty: paint where the scene should change.")
        request = self.request(scene, frame, prompt, sampling, feather, **settings)
        return replace(request, kind="edit", mask=encode_mask(mask), strength=float(strength))

    def paint(self, scene: Readable, request: Request, callback: Callable[[Progress], None] | None = None) -> Change:
        """What `request` makes of every empty pixel of its frame, or of every pixel under its mask.

        Known pixels further than `request.feather` px from those are not written at all. `callback` is called after
        each step and may raise (`text2earth_core.Cancelled`) to stop; nothing is left behind then.
        """
        self._check(scene, request)
        work = Painting(self.model, scene, request)
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


def _reporter(callback: Callable[[Progress], None], request: Request, work: Painting, number: int) -> StepCallback:
    """The model's callback for window `number`: counts over all windows and cuts out what is new."""
    window, total = work.windows[number], request.steps * len(work.windows)
    new = work.missing_in(window)
    rows, columns = new.cells().slices(window.cells())

    def report(step: int, taken: int, latents: torch.Tensor) -> None:
        # Below full strength the first steps of the schedule are skipped: they count as done.
        done = number * request.steps + request.steps - taken + step
        callback(Progress(done, total, new, latents[:, rows, columns]))

    return report


def _checked_frame(frame: Sequence[int]) -> Rect:
    try:
        rect = Rect(*(int(v) for v in frame)).snap()
    except (TypeError, ValueError, OverflowError):
        raise SceneError("A frame is four whole numbers x, y, width and height in px: give these.") from None
    if min(frame[2], frame[3]) <= 0 or max(rect.w, rect.h) > MAX_FRAME:
        raise SceneError(f"A frame of {frame[2]} x {frame[3]} px cannot be made: use {CELL} to {MAX_FRAME} px a side.")
    return rect
