"""The request behind a region fill: a request with a prompt map, where it is not a rectangle a region, and a task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from canvas.errors import SceneError
from canvas.geometry import CELL, LIMIT, Rect
from canvas.prompt_json import is_box, parse_prompt, parse_region
from canvas.prompt_map import Prompt, Region
from canvas.request import Request
from text2earth_core.translation.tasks import Task, get_task

if TYPE_CHECKING:
    from canvas.scene import Scene

KIND = "fill"
MAX_FILL = 2**17  # px: rows of windows are held in memory, and this is as long as one may be
MAX_PROMPTS = 64


@dataclass(frozen=True, slots=True)
class FillRequest(Request):
    """`frame` is the bounding box (px, on the cell grid); only cells in `region` are made where that is not None.

    `prompts` and `region` are JSON values (see `Recipe`), so that a request reads the same in memory and in a file;
    `prompt` lists the texts for people. With a `task` (`text2earth_core.translation.tasks`) its target is made from its
    source, where that is known, by the translator of this fingerprint.
    """

    prompts: tuple[dict[str, Any], ...] = ()
    region: list[Any] | None = None
    task: str = ""
    translator: str = ""

    def as_dict(self) -> dict[str, Any]:
        data = Request.as_dict(self)
        return data if self.task else {name: data[name] for name in data if name not in ("task", "translator")}

    @property
    def translation(self) -> Task | None:
        """What is translated; None where nothing is."""
        return get_task(self.task) if self.task else None

    @property
    def prompt_map(self) -> list[Prompt]:
        return [parse_prompt(value, f"Prompt {number}") for number, value in enumerate(self.prompts, 1)]

    @property
    def shape(self) -> Region:
        """What is to be filled."""
        return Region.of_rect(self.frame) if self.region is None else parse_region(self.region, "The fill")


def source_bounds(scene: Scene, task: Task) -> Rect:
    """Where there is anything to translate (px); SceneError where there is nothing."""
    content = scene.layer_bounds.get(task.source)
    if content is None:
        raise SceneError(f"The layer {task.source} of the scene is empty: import or make something there first.")
    return content


def checked_box(corners: Sequence[Any]) -> Rect:
    """The frame of a fill from its corners x0, y0, x1, y1 (px), grown to the cell grid; SceneError for a bad size."""
    if not is_box(corners):
        raise SceneError("The bbox must be four numbers [x0, y0, x1, y1] in px: change it.")
    x0, y0, x1, y1 = corners
    if x1 <= x0 or y1 <= y0:
        raise SceneError(f"The bbox {list(corners)} has no area: give corners with x0 < x1 and y0 < y1.")
    if max(abs(v) for v in corners) > LIMIT:
        raise SceneError(f"The bbox lies more than {LIMIT} px from the origin: move it closer.")
    box = Rect.from_corners(math.floor(x0), math.floor(y0), math.ceil(x1), math.ceil(y1)).snap_out(CELL)
    if max(box.w, box.h) > MAX_FILL:
        raise SceneError(f"A fill of {box.w} x {box.h} px is too large: use at most {MAX_FILL} px a side.")
    return box
