"""From settings to a change of the scene: what the page's jobs and the command line both do."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from canvas.errors import SceneError
from canvas.geometry import DIRECTIONS, LIMIT, Rect, side_window
from canvas.request import Request

if TYPE_CHECKING:
    from canvas.scene import Change, Scene, Step
    from text2earth_core import ModelInfo, Text2Earth

MAX_PROMPT = 2000  # characters; the tokenizer's own limit is far below
MAX_SIDE = 4096  # px of one frame
MAX_SEED = 2**32 - 1
MAX_GUIDANCE = 30.0

Progress = Callable[..., None]


@dataclass(frozen=True)
class Settings:
    """What a person sets for a generation; None means the model's own default, for the seed a random one.

    `guidance` is the scale s = 1 + omega, without a unit.  Raises SceneError for values out of range.
    """

    prompt: str = ""
    negative_prompt: str = ""
    seed: int | None = None
    steps: int | None = None
    guidance: float | None = None

    def __post_init__(self) -> None:
        for name, text in (("prompt", self.prompt), ("negative prompt", self.negative_prompt)):
            if len(text) > MAX_PROMPT:
                raise SceneError(f"The {name} has {len(text)} characters; at most {MAX_PROMPT} are possible.")
        if self.seed is not None and not 0 <= self.seed <= MAX_SEED:
            raise SceneError(f"The seed is {self.seed}; it must be a whole number from 0 to {MAX_SEED}.")
        if self.steps is not None and self.steps < 1:
            raise SceneError(f"The number of steps is {self.steps}; it must be at least 1.")
        if self.guidance is not None and not (math.isfinite(self.guidance) and 0 <= self.guidance <= MAX_GUIDANCE):
            raise SceneError(f"The guidance is {self.guidance:g}; it must be from 0 to {MAX_GUIDANCE:g}.")

    def with_defaults(self, info: ModelInfo) -> Settings:
        """The same settings with every None decided; SceneError for more steps than the model can take."""
        if self.steps is not None and self.steps > info.max_steps:
            raise SceneError(f"The number of steps is {self.steps}; this model takes at most {info.max_steps}.")
        return Settings(
            prompt=self.prompt,
            negative_prompt=self.negative_prompt,
            seed=secrets.randbelow(2**31) if self.seed is None else self.seed,
            steps=info.steps if self.steps is None else self.steps,
            guidance=info.guidance if self.guidance is None else self.guidance,
        )


def checked_frame(values: Iterable[int]) -> Rect:
    """A frame in px, snapped to latent cells.  SceneError where it is empty, too large or too far away."""
    frame = Rect(*values)
    if frame.w < 1 or frame.h < 1:
        raise SceneError(f"The frame is {frame.w} x {frame.h} px; both sides must be at least 1 px.")
    if frame.w > MAX_SIDE or frame.h > MAX_SIDE:
        raise SceneError(f"The frame is {frame.w} x {frame.h} px; at most {MAX_SIDE} px a side can be made at once.")
    if max(abs(frame.x), abs(frame.y), abs(frame.x1), abs(frame.y1)) > LIMIT:
        raise SceneError(f"The frame lies more than {LIMIT} px from the origin: move it closer.")
    return frame.snap()


def next_frames(content: Rect | None, direction: str, window: int, count: int = 1) -> list[Rect]:
    """The frames that extend `content` by half a window each, one beyond the other.

    An empty scene (None) first gets the window around the origin.
    """
    if direction not in DIRECTIONS:
        raise SceneError(f"The direction is {direction!r}; it must be one of {', '.join(DIRECTIONS)}.")
    if not 1 <= count <= 50:
        raise SceneError(f"The count is {count}; from 1 to 50 frames can be queued at once.")
    frames: list[Rect] = []
    for _ in range(count):
        if content is None or content.empty:
            frame = Rect(-window // 2, -window // 2, window, window).snap()
        else:
            frame = side_window(content, direction, window)
        frames.append(frame)
        # The next one continues from here: centred on this frame, not on the whole scene.
        content = frame
    return frames


def make_request(scene: Scene, info: ModelInfo, frame: Rect, settings: Settings) -> Request:
    """Everything that determines the generation; `settings` may still hold None."""
    decided = settings.with_defaults(info)
    return Request(
        kind="generate",
        frame=frame,
        resolution=scene.resolution,
        prompt=decided.prompt,
        negative_prompt=decided.negative_prompt,
        seed=decided.seed or 0,
        steps=decided.steps or info.steps,
        guidance=info.guidance if decided.guidance is None else decided.guidance,
        model=info.fingerprint,
        dtype=info.dtype,
        device=info.device,
    )


def paint(scene: Scene, model: Text2Earth, request: Request, progress: Progress) -> Change:
    """Paint `request`; nothing is changed yet.  Raises SceneError, Text2EarthError, or Cancelled out of `progress`."""
    from canvas.painter import Painter

    return Painter(model).paint(scene, request, progress)


def extend(scene: Scene, model: Text2Earth, request: Request, progress: Progress) -> Step:
    """Paint and accept: when this returns, the change is on disk."""
    return scene.accept(paint(scene, model, request, progress))


def prompt_report(model: Text2Earth, text: str) -> dict[str, Any]:
    """How the model reads `text`: tokens, limit, the part that was cut, and the words it never saw."""
    report = model.check_prompt(text)
    return {"tokens": report.tokens, "limit": report.limit, "cut": report.cut, "unknown": list(report.unknown)}


def prompt_notes(model: Text2Earth, text: str) -> list[str]:
    """Sentences about what of the prompt will not work as meant; empty where all is well."""
    report = model.check_prompt(text)
    notes = []
    if report.cut:
        notes.append(f"The model reads {report.limit} tokens of a prompt; this was cut: “{report.cut}”.")
    if report.unknown:
        notes.append(f"The model has never seen: {', '.join(report.unknown)}.")
    return notes
