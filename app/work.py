"""From what was asked for to a change of the scene: what the page's jobs and the command line both do.

Importing this imports no model; what needs one imports the painter, and with it torch, when it is called.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from canvas.errors import SceneError
from canvas.geometry import LIMIT, Rect
from canvas.masks import MAX_FRAME
from canvas.paint.extend import extension_frame

if TYPE_CHECKING:
    import numpy as np

    from canvas.paint.clouds import CloudProposal
    from canvas.paint.painter import Progress
    from canvas.request import Request
    from canvas.scene import Entry, Scene
    from text2earth_core import Text2Earth
    from text2earth_core.networks.tokens import PromptReport
    from text2earth_core.sampling.settings import Sampling

SHIPPED_MODEL = Path(__file__).parent.parent / "assets" / "models" / "text2earth-mini"
MAX_ROW = 50  # frames queued at once


def random_seed() -> int:
    """A seed for somebody who did not choose one."""
    return secrets.randbelow(2**31)


def load_model(
    source: str | Path | None, device: str | None, fetched: Callable[[int, int], None] | None = None
) -> Text2Earth:
    """The model in a folder or on the hub, None for the shipped one; Text2EarthError where it cannot be loaded.

    `fetched` is told bytes so far and bytes in all while it comes from the hub, and may raise Cancelled.
    """
    from app.network import set_unusable_aside

    if source is not None and not Path(source).expanduser().is_dir():
        set_unusable_aside()  # it may have to be fetched
    from text2earth_core import Text2Earth
    from text2earth_core.device import pick_device
    from text2earth_core.folder import locate

    pick_device(device)  # one that is not there is refused before anything is fetched
    folder = locate(SHIPPED_MODEL if source is None else source, fetched)
    return Text2Earth.from_pretrained(folder, device=device)


def checked_rect(values: Iterable[int]) -> Rect:
    """A rectangle x, y, w, h (px) that can be a place in a scene; SceneError otherwise."""
    rect = Rect(*values)
    if rect.empty or max(abs(rect.x), abs(rect.y), abs(rect.x1), abs(rect.y1)) > LIMIT:
        raise SceneError(
            f"The rectangle {list(rect)} must be at least 1 px wide and high and within {LIMIT} px of 0, 0."
        )
    return rect


def checked_frame(values: Iterable[int]) -> Rect:
    """A rectangle that can be made at once, on the 8 px grid; SceneError otherwise."""
    frame = checked_rect(values).snap()
    if max(frame.w, frame.h) > MAX_FRAME:
        raise SceneError(
            f"A frame of {frame.w} x {frame.h} px cannot be made at once: use at most {MAX_FRAME} px a side."
        )
    return frame


def row_of_frames(
    scene: Scene, direction: str, window: int, anchor: Rect | None, count: int, layer: str = "rgb"
) -> list[Rect]:
    """`count` frames of `window` px that extend `anchor` (None: the layer) in a direction, one beyond the other."""
    if not 1 <= count <= MAX_ROW:
        raise SceneError(f"The count is {count}: from 1 to {MAX_ROW} frames can be queued at once.")
    frames: list[Rect] = []
    for _ in range(count):
        anchor = extension_frame(scene, direction, window, anchor, layer)
        frames.append(anchor)
    return frames


def make_request(scene: Scene, model: Text2Earth, frame: Rect, prompt: str, sampling: Sampling) -> Request:
    """Everything that determines the generation; SceneError or Text2EarthError where something is out of range."""
    from canvas.paint.painter import Painter

    return Painter(model).request(scene, frame, model.lexicon.worded(prompt), worded(model, sampling))


def make_edit(
    scene: Scene,
    model: Text2Earth,
    frame: Rect,
    mask: np.ndarray,
    prompt: str,
    sampling: Sampling,
    strength: float,
    feather: int,
) -> Request:
    """As `make_request`, for what lies under a mask that covers `frame` (see `canvas.masks.placed`)."""
    from canvas.paint.painter import Painter

    text = model.lexicon.worded(prompt)
    return Painter(model).edit(scene, frame, mask, text, strength, worded(model, sampling), feather)


def worded(model: Text2Earth, sampling: Sampling) -> Sampling:
    """Settings whose negative prompt is in words that the model knows, as `make_request` takes the prompt.

    The scene records what the model was asked, which no later lexicon changes: a step that is repeated is the same.
    """
    return replace(sampling, negative_prompt=model.lexicon.worded(sampling.negative_prompt))


def find_clouds(scene: Scene, rect: Rect) -> CloudProposal:
    """A proposal of a mask over clouds and shadows in a rectangle (px), see `canvas.paint.clouds`.

    Raises SceneError where the rectangle is larger than a mask may be.
    """
    from canvas.paint.clouds import propose_clouds

    if max(rect.w, rect.h) > MAX_FRAME:
        raise SceneError(
            f"Clouds in {rect.w} x {rect.h} px cannot be looked for at once: choose at most {MAX_FRAME} px a side."
        )
    with scene.snapshot() as snapshot:
        return propose_clouds(*snapshot.pixels(rect))


def extend(
    scene: Scene,
    model: Text2Earth,
    request: Request,
    progress: Callable[[Progress], None],
    before_accepting: Callable[[], None] = lambda: None,
) -> Entry:
    """Paint and accept: when this returns, the change is on disk.

    `progress` is called at every step, `before_accepting` once it is painted; both may raise Cancelled.
    Raises SceneError or Text2EarthError with a sentence; then nothing was changed.
    """
    from canvas.paint.painter import Painter

    change = Painter(model).paint(scene, request, progress)
    before_accepting()
    return scene.accept(change)


def prompt_report(model: Text2Earth, text: str) -> dict[str, Any]:
    """How the model reads `text`: tokens, limit, the part that was cut, the words it never saw, and those among them
    that it takes as others ("taken", pairs).
    """
    report = model.check_prompt(text)
    told = {"tokens": report.tokens, "limit": report.limit, "cut": report.cut, "unknown": list(report.unknown)}
    return told | {"taken": [list(pair) for pair in report.taken]}


def prompt_notes(model: Text2Earth, text: str, resolution: float | None) -> list[str]:
    """Sentences about what of the prompt will not work as meant; empty where all is well.

    `resolution` (m/px) is that of the ground, None where the prompt may say it.
    """
    from text2earth_core.prompts import level_note, split_level

    report = model.check_prompt(text)
    notes = list(filter(None, [level_note(text, resolution)]))
    if not model.info.levels and (resolution is not None or split_level(text)[1] is not None):
        notes = ["This model knows no ground resolution: things come out at the scale its training pictures had."]
    if report.cut:
        notes.append(f"The model reads {report.limit} tokens of a prompt; this was cut: “{report.cut}”.")
    return notes + word_notes(report)


def word_notes(report: PromptReport) -> list[str]:
    """What is to be said about words that the model has never seen."""
    taken = "; ".join(f"{word} → {wording}" for word, wording in report.taken)
    unknown = ", ".join(report.unknown)
    return ([f"Taken as: {taken}."] if taken else []) + ([f"The model has never seen: {unknown}."] if unknown else [])


def request_notes(model: Text2Earth, request: dict[str, Any], resolution: Callable[[], float]) -> list[str]:
    """The sentences of `prompt_notes` about all prompts of a job's request, each once.

    `resolution` looks up the scene's, in m/px, where a prompt speaks of one.
    """
    from text2earth_core.prompts import split_level

    texts = [request.get("prompt")]
    if "prompts" in request:  # each is read by itself
        texts = [prompt.get("text") for prompt in request["prompts"]]
    told = list(filter(None, texts))
    metres = resolution() if any(split_level(text)[1] for text in told) else None
    return list(dict.fromkeys(note for text in told for note in prompt_notes(model, text, metres)))
