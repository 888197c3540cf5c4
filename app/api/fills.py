"""The HTTP API of region fills and recipes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from app.api.levels import take_level
from app.api.scenes import Use
from app.api.settings import SamplingBody
from app.jobs.fill_estimate import estimate
from canvas.fill.request import MAX_PROMPTS, checked_box, parse_prompt, parse_region, source_bounds
from canvas.recipes import recipe
from text2earth_core.sampling.settings import Sampling
from text2earth_core.translation.tasks import get_task

if TYPE_CHECKING:
    from canvas.scene import Scene

router = APIRouter(prefix="/api/scenes/{scene}")

UNASKED = 2048  # px a side that may be queued while the model loads, and nothing can be said of the time


class WishedFill(SamplingBody):
    """A fill as in a recipe: `bbox` [x0, y0, x1, y1] and, where it is not all of it, `region`, in px; `prompts` with
    `text`, `region` and `feather`.  With a `task` (see `text2earth_core.translation.tasks`) its target is made there
    from its source, in layers of their own.
    """

    bbox: list[float]
    prompts: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MAX_PROMPTS)]
    region: list[Any] | None = None
    task: Annotated[str, Field(max_length=16)] = ""

    def place(self) -> dict[str, Any]:
        """Where it is and what shall be there, as `fill_request` takes it."""
        return {"bbox": self.bbox, "prompts": self.prompts, "region": self.region, "task": self.task}

    def sampling(self) -> Sampling:
        """The settings; those of a translation hold in its target, and nothing leads there but its source."""
        wished = super().sampling()
        return replace(wished, layer=get_task(self.task).target, follow=0.0) if self.task else wished

    def check_source(self, scene: Scene) -> None:
        """SceneError where there is nothing to translate."""
        if self.task:
            source_bounds(scene, get_task(self.task))


class NewFill(WishedFill):
    """A fill that is to be queued.  `confirmed`: somebody was told that it takes long, and wants it."""

    confirmed: bool = False


@router.post("/fills/cost")
def get_cost(use: Use, scene: str, body: WishedFill) -> dict[str, Any]:
    """What a fill takes (see `app.jobs.fill_estimate.Estimate`); nothing is queued."""
    with use.library.open(scene) as opened:
        body.check_source(opened)
        return estimate(use.host, opened, body.sampling(), body.place()).as_dict()


@router.post("/fills", status_code=202)
def create_fill(use: Use, scene: str, body: NewFill) -> dict[str, Any]:
    """Queue a region fill; returns the job.  409 for a long one that nobody has confirmed."""
    texts = [parse_prompt(prompt, f"Prompt {number}").text for number, prompt in enumerate(body.prompts, 1)]
    if body.region is not None:
        parse_region(body.region, "The fill")
    frame = checked_box(body.bbox)
    sampling = body.sampling()
    with use.library.open(scene) as opened:  # says now what is wrong with it, and with the numbers
        body.check_source(opened)
        if use.host.state != "loading" or max(frame.w, frame.h) > UNASKED:
            estimate(use.host, opened, sampling, body.place()).check(body.confirmed)
    take_level(use, scene, texts)
    request = {"prompts": body.prompts, "region": body.region} | sampling.as_dict()
    request |= {"task": body.task} if body.task else {}
    request |= {"frame": list(frame), "prompt": "; ".join(filter(None, dict.fromkeys(texts)))}
    return use.jobs.submit(scene, "fill", [request])[0]


@router.get("/recipe")
def get_recipe(use: Use, scene: str) -> dict[str, Any]:
    """The recipe that rebuilds the scene from its history."""
    with use.library.open(scene) as opened:
        return recipe.recipe_of(opened)
