"""The HTTP API of region fills and recipes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.api.jobs import MAX_STEPS, Follow, Prompt
from app.api.scenes import Use
from app.jobs.fill_estimate import estimate
from app.work import random_seed
from canvas.fill.request import MAX_PROMPTS, checked_box, parse_prompt, parse_region
from canvas.recipes import recipe

router = APIRouter(prefix="/api/scenes/{scene}")

UNASKED = 2048  # px a side that may be queued while the model loads, and nothing can be said of the time


class WishedFill(BaseModel, extra="forbid"):
    """A fill as in a recipe: `bbox` [x0, y0, x1, y1] and, where it is not all of it, `region`, in px; `prompts` with
    `text`, `region` and `feather`.  What is None is left to the model, the seed to chance.
    """

    bbox: list[float]
    prompts: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MAX_PROMPTS)]
    region: list[Any] | None = None
    negative_prompt: Prompt = ""
    seed: Annotated[int | None, Field(ge=0, lt=2**63)] = None
    steps: Annotated[int | None, Field(ge=1, le=MAX_STEPS)] = None
    guidance: Annotated[float | None, Field(ge=0, allow_inf_nan=False)] = None
    sampler: Annotated[str | None, Field(max_length=16)] = None
    follow: Follow = None


class NewFill(WishedFill):
    """A fill that is to be queued.  `confirmed`: somebody was told that it takes long, and wants it."""

    confirmed: bool = False


@router.post("/fills/cost")
def get_cost(use: Use, scene: str, body: WishedFill) -> dict[str, Any]:
    """What a fill takes (see `app.jobs.fill_estimate.Estimate`); nothing is queued."""
    with use.library.open(scene) as opened:
        return estimate(use.host, opened, body.model_dump()).as_dict()


@router.post("/fills", status_code=202)
def create_fill(use: Use, scene: str, body: NewFill) -> dict[str, Any]:
    """Queue a region fill; returns the job.  409 for a long one that nobody has confirmed."""
    texts = [parse_prompt(prompt, f"Prompt {number}").text for number, prompt in enumerate(body.prompts, 1)]
    if body.region is not None:
        parse_region(body.region, "The fill")
    frame = checked_box(body.bbox)
    wish = body.model_dump(exclude={"confirmed"})
    with use.library.open(scene) as opened:  # says now what is wrong with it, and with the numbers
        if use.host.state != "loading" or max(frame.w, frame.h) > UNASKED:
            estimate(use.host, opened, wish).check(body.confirmed)
    request = {name: value for name, value in wish.items() if name != "bbox"} | {
        "frame": list(frame),
        "prompt": "; ".join(filter(None, dict.fromkeys(texts))),
        "seed": random_seed() if body.seed is None else body.seed,
    }
    return use.jobs.submit(scene, "fill", [request])[0]


@router.get("/recipe")
def get_recipe(use: Use, scene: str) -> dict[str, Any]:
    """The recipe that rebuilds the scene from its history."""
    with use.library.open(scene) as opened:
        return recipe.recipe_of(opened)
