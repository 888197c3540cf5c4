"""Which ground was made with the prompt that is asked for now: that ground leads, beside other the prompt does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from canvas.geometry import CELL, Rect
from canvas.masks import decode_mask, dilate
from canvas.prompt_json import parse_prompt
from canvas.scene_file.tiles import cells_touched
from text2earth_core.sampling.leading import FAR


def foreign_ground(
    requests: Iterable[tuple[Rect, dict[str, Any]]], area: Rect, layer: str, prompts: Sequence[str], known: np.ndarray
) -> np.ndarray:
    """Known cells of an area (px, on the cell grid) that the prompts disagree with: bool (h/8, w/8).

    That is what none of `prompts` made, and what lies within `FAR` cells of it, where the one passes into the other.
    `requests` are the changes that touch the area, newest first, as `Snapshot.requests` tells them; `known` (h/8, w/8)
    says which cells have content.

    An empty prompt asks for nothing but to go on, so it agrees with all ground. Ground that was imported or made with
    an empty prompt disagrees with every other one. What a change made is told by the rectangle that it changed and, of
    an edit, by its mask.
    """
    cells = area.cells()
    wanted = {_plain(prompt) for prompt in prompts} - {""}
    unknown = np.ones((cells.h, cells.w), bool)
    if not wanted:
        return ~unknown
    foreign = unknown.copy()
    for rect, request in requests:
        if request.get("layer", "rgb") != layer:
            continue
        part = rect.intersect(area).snap_out()
        here = part.cells().slices(cells)
        made = _made(request, part) & unknown[here]
        foreign[here][made & _agrees(request, part, wanted)] = False
        unknown[here][made] = False
        if not unknown.any():
            break
    return dilate(foreign & known, round(FAR)) & known


def _made(request: dict[str, Any], part: Rect) -> np.ndarray:
    """Which cells of a part of what a request changed it made: bool (h/8, w/8)."""
    cells = part.cells()
    if not request.get("mask"):
        return np.ones((cells.h, cells.w), bool)
    frame = Rect(*request["frame"])
    painted = np.zeros((part.h, part.w), bool)
    shared = frame.intersect(part)
    painted[shared.slices(part)] = decode_mask(request["mask"], frame)[shared.slices(frame)] > 0
    return cells_touched(painted)


def _agrees(request: dict[str, Any], part: Rect, wanted: set[str]) -> np.ndarray:
    """In which cells of a part a request asked for one of the wanted prompts: bool (h/8, w/8)."""
    cells = part.cells()
    if "prompts" not in request:
        return np.full((cells.h, cells.w), _plain(request.get("prompt", "")) in wanted)
    x = (np.arange(cells.x, cells.x1) + 0.5) * CELL
    y = (np.arange(cells.y, cells.y1) + 0.5) * CELL
    prompts = [parse_prompt(value, f"Prompt {number}") for number, value in enumerate(request["prompts"], 1)]
    holding = [p.weight(x[None], y[:, None]) >= 0.5 for p in prompts if _plain(p.text) in wanted]
    return np.any(holding, 0) if holding else np.zeros((cells.h, cells.w), bool)


def _plain(prompt: str) -> str:
    """A prompt as far as it tells ground from ground: without case and spare space."""
    return " ".join(prompt.casefold().split())
