"""The HTTP API of searching a scene: places that fit a text."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, Field

from app.api.scenes import Use
from canvas.request import MAX_PROMPT, writable
from canvas.search.find import MAX_TOP, find, look

router = APIRouter(prefix="/api/scenes/{scene}")

LOOK_S = 1.0  # of looking at tiles in one request: the page asks again, and sees how far it is


class Search(BaseModel, extra="forbid"):
    """What is looked for, and how many places at most."""

    text: Annotated[str, Field(min_length=1, max_length=MAX_PROMPT), AfterValidator(writable)]
    top: Annotated[int, Field(ge=1, le=MAX_TOP)] = 10


@router.post("/find")
def find_places(use: Use, scene: str, body: Search) -> dict[str, Any]:
    """Places that fit a text, best first, of `tiles` places in all.

    The first search looks at every tile of the scene and remembers it. That may take several requests: `pending` says
    how many tiles are still to be looked at; ask again until it is 0.
    """
    with use.library.open(scene) as opened:
        towers = use.towers.get()
        text = towers.embed_text(body.text)
        tiles, pending = look(opened, towers, LOOK_S)
        hits = find(opened, towers, text, body.top)
        if not opened.writable:
            pending = 0  # it was looked at by the search itself
    return {"hits": [hit.as_dict() for hit in hits], "tiles": tiles, "pending": pending}
