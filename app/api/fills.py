"""The HTTP API of region fills and recipes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from app.api.levels import take_level
from app.api.scenes import Use
from app.api.settings import SamplingBody
from app.jobs.fill_estimate import estimate
from canvas.fill.request import MAX_PROMPTS, checked_box, parse_prompt, parse_region
from canvas.recipes import recipe

router = APIRouter(prefix="/api/scenes/{scene}")

UNASKED = 2048  # px a side that may be queued while the model loads, and nothing can be said of the time


class WishedFill(SamplingBody):
    """A fill as in a recipe: `bbox` [x0, y0, x1, y1] and, where it is not all of it, `region`, in px; `prompts` with
    `text`, `region` and `feather`.
    """

    bbox: list[float]
    prompts: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MAX_PROMPTS)]
    region: list[Any] | None = None

    def place(self) -> dict[str, Any]:
        """Where it is and what shall be there, as `fill_request` takes it."""
        return {"bbox": self.bbox, "prompts": self.prompts, "region": self.region}


class NewFill(WishedFill):
    """A fill that is to be queued.  `confirmed`: somebody was told that it takes long, and wants it."""

    confirmed: bool = False


@router.post("/fills/cost")
def get_cost(use: Use, scene: str, body: WishedFill) -> dict[str, Any]:
    """What a fill takes (see `app.jobs.fill_estimate.Estimate`); nothing is queued."""
    with use.library.open(scene) as opened:
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
        if use.host.state != "loading" or max(frame.w, frame.h) > UNASKED:
            estimate(use.host, opened, sampling, body.place()).check(body.confirmed)
    take_level(use, scene, texts)
    request = {"prompts": body.prompts, "region": body.region} | sampling.as_dict()
    request |= {"frame": list(frame), "prompt": "; ".join(filter(None, dict.fromkeys(texts)))}
    return use.jobs.submit(scene, "fill", [request])[0]


@router.get("/recipe")
def get_recipe(use: Use, scene: str) -> dict[str, Any]:
    """The recipe that rebuilds the scene from its history."""
    with use.library.open(scene) as opened:
        return recipe.recipe_of(opened)
