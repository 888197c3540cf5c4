"""The HTTP API of models: those that are here, switching to one of them, and not waiting for one."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.api.scenes import Use

router = APIRouter(prefix="/api/models")


class Choice(BaseModel, extra="forbid"):
    """A model of the list, by its name."""

    name: Annotated[str, Field(max_length=200)]


@router.get("")
def list_models(use: Use) -> list[dict[str, Any]]:
    """Those that are here: name, where, whether and how each runs, and what is known of its speed."""
    return use.shelf.here()


@router.post("/current")
def switch_model(use: Use, body: Choice) -> dict[str, Any]:
    """Load another model; the present one answers until it is there, and stays where it cannot be loaded.

    Scenes stay as they are: ground of another model is encoded anew where it is continued.
    """
    use.host.switch(use.shelf.source_of(body.name), body.name)
    return use.host.as_dict()


@router.delete("/fetching")
def stop_fetching(use: Use) -> dict[str, Any]:
    """Stop the model that is being fetched from the hub; what has come is kept. Conflict where none is fetched."""
    use.host.stop_fetching()
    return use.host.as_dict()
