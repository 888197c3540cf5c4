"""The request behind a region fill: a request with a prompt map and, where it is not a rectangle, a region."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from canvas.errors import SceneError
from canvas.geometry import CELL, LIMIT, Rect
from canvas.prompt_map import Points, Prompt, Region
from canvas.request import MAX_PROMPT, Request, is_text

KIND = "fill"
MAX_SIDE = 2**17  # px: rows of windows are held in memory, and this is as long as one may be
MAX_PROMPTS = 64
MAX_POINTS = 8000  # of a region, all of its polygons together
MAX_FEATHER = 4096  # px between two prompts


@dataclass(frozen=True, slots=True)
class FillRequest(Request):
    """`frame` is the bounding box (px, on the cell grid); only cells in `region` are made where that is not None.

    `prompts` and `region` are JSON values (see `Recipe`), so that a request reads the same in memory and in a file;
    `prompt` lists the texts for people.
    """

    prompts: tuple[dict[str, Any], ...] = ()
    region: list[Any] | None = None

    @property
    def prompt_map(self) -> list[Prompt]:
        return [parse_prompt(value, f"Prompt {number}") for number, value in enumerate(self.prompts, 1)]

    @property
    def shape(self) -> Region:
        """What is to be filled."""
        return Region.of_rect(self.frame) if self.region is None else parse_region(self.region, "The fill")


def parse_prompt(value: Any, name: str) -> Prompt:
    """A prompt of the map from its JSON value; SceneError where something in it is impossible."""
    if not isinstance(value, dict) or not is_text(value.get("text")):
        raise SceneError(f'{name} has no text: give {{"text": "...", "region": [x0, y0, x1, y1], "feather": px}}.')
    if len(value["text"]) > MAX_PROMPT:
        raise SceneError(f"The text of {name.lower()} is longer than {MAX_PROMPT} characters: shorten it.")
    unknown = set(value) - {"text", "region", "feather"}
    if unknown:
        raise SceneError(f"{name} has a field {sorted(unknown)[0]!r} that this program does not know: remove it.")
    feather = value.get("feather", 0)
    if not _number(feather) or not 0 <= feather <= MAX_FEATHER:
        raise SceneError(f"The feather of {name.lower()} must be from 0 to {MAX_FEATHER} px: change it.")
    region = None if value.get("region") is None else parse_region(value["region"], name)
    return Prompt(value["text"], region, float(feather))


def parse_region(value: Any, name: str) -> Region:
    """A region from [x0, y0, x1, y1] or [[x, y], ...] (px), or from a list of such, which then count together.

    SceneError where it is no area of a possible size.
    """
    whose = f"The region of {name.lower()}"
    parts = value if _is_list(value) and value and not _is_polygon(value) and not _is_box(value) else [value]
    polygons = tuple(_polygon(part, whose) for part in parts)
    count = sum(map(len, polygons))
    if count > MAX_POINTS:
        raise SceneError(f"{whose} has {count} points: use at most {MAX_POINTS}.")
    if any(abs(v) > LIMIT for points in polygons for point in points for v in point):
        raise SceneError(f"{whose} lies more than {LIMIT} px from the origin: move it closer.")
    region = Region(polygons)
    if region.least_area <= 0:
        raise SceneError(f"{whose} has no area: give corners with x0 < x1 and y0 < y1.")
    return region


def _polygon(value: Any, whose: str) -> Points:
    if _is_box(value):
        x0, y0, x1, y1 = value
        return ((x0, y0), (x1, y0), (x1, y1), (x0, y1)) if x0 < x1 and y0 < y1 else ((x0, y0),) * 4
    if _is_polygon(value):
        return tuple((x, y) for x, y in value)
    raise SceneError(f"{whose} must be [x0, y0, x1, y1] or at least three points [x, y] in px: change it.")


def _is_box(value: Any) -> bool:
    return _is_list(value) and len(value) == 4 and all(map(_number, value))


def _is_polygon(value: Any) -> bool:
    return _is_list(value) and len(value) >= 3 and all(map(_is_point, value))


def _is_point(value: Any) -> bool:
    return _is_list(value) and len(value) == 2 and all(map(_number, value))


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def checked_box(corners: Sequence[Any]) -> Rect:
    """The frame of a fill from its corners x0, y0, x1, y1 (px), grown to the cell grid; SceneError for a bad size."""
    if not _is_box(corners):
        raise SceneError("The bbox must be four numbers [x0, y0, x1, y1] in px: change it.")
    x0, y0, x1, y1 = corners
    if x1 <= x0 or y1 <= y0:
        raise SceneError(f"The bbox {list(corners)} has no area: give corners with x0 < x1 and y0 < y1.")
    if max(abs(v) for v in corners) > LIMIT:
        raise SceneError(f"The bbox lies more than {LIMIT} px from the origin: move it closer.")
    box = Rect.from_corners(math.floor(x0), math.floor(y0), math.ceil(x1), math.ceil(y1)).snap_out(CELL)
    if max(box.w, box.h) > MAX_SIDE:
        raise SceneError(f"A fill of {box.w} x {box.h} px is too large: use at most {MAX_SIDE} px a side.")
    return box


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
