"""Prompts and regions from their JSON values, as requests and recipes hold them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from canvas.errors import SceneError
from canvas.geometry import LIMIT
from canvas.prompt_map import Points, Prompt, Region
from canvas.request import MAX_PROMPT
from text2earth_core.values import is_number, is_text

MAX_POINTS = 8000  # of a region, all of its polygons together
MAX_FEATHER = 4096  # px between two prompts


def parse_prompt(value: Any, name: str) -> Prompt:
    """A prompt of the map from its JSON value; SceneError where something in it is impossible."""
    if not isinstance(value, dict) or not is_text(value.get("text")):
        raise SceneError(f'{name} has no text: give {{"text": "...", "region": [x0, y0, x1, y1], "feather": px}}.')
    if len(value["text"]) > MAX_PROMPT:
        raise SceneError(f"The text of {name.lower()} is longer than {MAX_PROMPT} characters: shorten it.")
    if "\0" in value["text"]:
        raise SceneError(f"The text of {name.lower()} holds a NUL, which is no character of a text: type it again.")
    unknown = set(value) - {"text", "region", "feather"}
    if unknown:
        raise SceneError(f"{name} has a field {sorted(unknown)[0]!r} that this program does not know: remove it.")
    feather = value.get("feather", 0)
    if not is_number(feather) or not 0 <= feather <= MAX_FEATHER:
        raise SceneError(f"The feather of {name.lower()} must be from 0 to {MAX_FEATHER} px: change it.")
    region = None if value.get("region") is None else parse_region(value["region"], name)
    return Prompt(value["text"], region, float(feather))


def parse_region(value: Any, name: str) -> Region:
    """A region from [x0, y0, x1, y1] or [[x, y], ...] (px), or from a list of such, which then count together.

    SceneError where it is no area of a possible size.
    """
    whose = f"The region of {name.lower()}"
    parts = value if _is_list(value) and value and not _is_polygon(value) and not is_box(value) else [value]
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
    if is_box(value):
        x0, y0, x1, y1 = value
        return ((x0, y0), (x1, y0), (x1, y1), (x0, y1)) if x0 < x1 and y0 < y1 else ((x0, y0),) * 4
    if _is_polygon(value):
        return tuple((x, y) for x, y in value)
    raise SceneError(f"{whose} must be [x0, y0, x1, y1] or at least three points [x, y] in px: change it.")


def is_box(value: Any) -> bool:
    """Whether a JSON value is four numbers."""
    return _is_list(value) and len(value) == 4 and all(map(is_number, value))


def _is_polygon(value: Any) -> bool:
    return _is_list(value) and len(value) >= 3 and all(map(_is_point, value))


def _is_point(value: Any) -> bool:
    return _is_list(value) and len(value) == 2 and all(map(is_number, value))


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def reworded(prompts: Iterable[dict[str, Any]], word: Callable[[str], str]) -> list[dict[str, Any]]:
    """Prompts with each text put into other words; what has none is left for the fill to refuse."""
    return [one | {"text": word(one["text"])} if isinstance(one.get("text"), str) else one for one in prompts]
