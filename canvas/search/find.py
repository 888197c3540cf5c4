"""Places that fit a text: every tile is looked at once by an image tower, and a search compares vectors alone."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Protocol

import numpy as np

from canvas.errors import SceneError
from canvas.geometry import Rect
from canvas.scene import Scene
from canvas.scene_file import vectors
from canvas.scene_file.snapshot import Snapshot

LAYER = "rgb"  # what towers were trained on
BATCH = 16  # tiles looked at between two writes
MAX_TOP = 1000
MAX_UNKEPT = 2000  # tiles of a read-only scene, which are looked at anew each time


class Tower(Protocol):
    """The image side of an image-text model."""

    fingerprint: str

    def embed_images(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Unit vectors float32 (N, D) of uint8 (H, W, 3) images."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A place (px), and the cosine between it and the text."""

    rect: Rect
    score: float

    def as_dict(self) -> dict[str, Any]:
        box = self.rect
        return {"bbox": [box.x, box.y, box.x1, box.y1], "score": round(self.score, 4)}


def look(
    scene: Scene, tower: Tower, seconds: float | None = None, progress: Callable[[int, int], None] = lambda *_: None
) -> tuple[int, int]:
    """Look at tiles that the tower has not seen yet, and remember them in the scene file.

    Args:
        seconds: stop after about so long (at least some tiles are looked at); None goes on to the last.
        progress: called with the tiles seen and all there are; what it raises stops the work, and what was seen stays.

    Returns:
        (tiles that can be searched or looked at, those of them that are not seen yet).
    """
    until = None if seconds is None else time.monotonic() + seconds
    while True:
        with scene.snapshot() as at:
            total, pending = at.tiles_to_see(tower.fingerprint, LAYER)
            todo = at.unseen_tiles(tower.fingerprint, LAYER, BATCH) if pending and scene.writable else []
            pictures = [_picture(at, box) for _, _, _, box in todo]
        progress(total - pending, total)
        if not todo:
            return total, pending
        seen = tower.embed_images(pictures)
        with scene.database.write() as connection:
            vectors.keep(connection, tower.fingerprint, LAYER, todo, seen)
        if until is not None and time.monotonic() > until:
            return total, max(0, pending - len(todo))


def find(scene: Scene, tower: Tower, text: np.ndarray, top: int = 10) -> list[Hit]:
    """The places among the tiles seen so far that fit a text best, best first.

    Args:
        text: the text's unit vector (D,), of the same model. top: how many at most.

    Raises:
        SceneError: nothing can be searched: the scene has no colours, or is read-only and too large for that.
    """
    if not 1 <= top <= MAX_TOP:
        raise SceneError(f"{top} places cannot be listed: ask for 1 to {MAX_TOP}.")
    order = count()  # earlier ones first among equals, and rectangles are never compared
    best: list[tuple[float, int, Rect]] = []
    with scene.snapshot() as at:
        if LAYER not in at.layers:
            raise SceneError("There is nothing to search: the scene has no colours (the layer rgb is empty).")
        for boxes, seen in at.seen_tiles(tower.fingerprint, LAYER, len(text)):
            scores = seen @ text
            chosen = np.argpartition(-scores, top - 1)[:top] if len(scores) > top else np.arange(len(scores))
            found = [(float(scores[i]), -next(order), boxes[i]) for i in sorted(chosen)]
            best = heapq.nlargest(top, [*best, *found])
        if not scene.writable:
            best = heapq.nlargest(top, [*best, *_looked_at_now(at, tower, text, order)])
    return [Hit(rect, score) for score, _, rect in best]


def _looked_at_now(at: Snapshot, tower: Tower, text: np.ndarray, order: Any) -> list[tuple[float, int, Rect]]:
    """Of a scene that can remember nothing."""
    todo = at.unseen_tiles(tower.fingerprint, LAYER, MAX_UNKEPT + 1)
    if len(todo) > MAX_UNKEPT:
        raise SceneError(
            f"A read-only scene of more than {MAX_UNKEPT} tiles cannot be searched: copy it to a place where you may "
            "write."
        )
    found = []
    for start in range(0, len(todo), BATCH):
        boxes = [box for _, _, _, box in todo[start : start + BATCH]]
        scores = tower.embed_images([_picture(at, box) for box in boxes]) @ text
        found += [(float(score), -next(order), box) for score, box in zip(scores, boxes, strict=True)]
    return found


def _picture(at: Snapshot, box: Rect) -> np.ndarray:
    """What is known in a box; what is not takes its mean colour, which says nothing."""
    pixels, valid = at.pixels(box, LAYER)
    if not valid.all():
        pixels[~valid] = pixels[valid].mean(0) if valid.any() else 0
    return pixels
