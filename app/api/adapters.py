"""The HTTP API of adapters: those the model knows, and adding and removing one's own."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.datastructures import FormData, UploadFile

from app.api.scenes import Use
from app.api.services import Services
from app.errors import AppError
from text2earth_core.adapters.manifest import MANIFEST_FILE
from text2earth_core.facts import WEIGHTS_FILE

if TYPE_CHECKING:
    from text2earth_core.adapters.library import AdapterInfo

router = APIRouter(prefix="/api/adapters")


class HubAdapter(BaseModel, extra="forbid"):
    """An adapter on the hub, owner/name."""

    id: Annotated[str, Field(max_length=200)]


@router.get("")
def list_adapters(use: Use) -> list[dict[str, Any]]:
    """Those that the model knows, in the order in which they came."""
    return use.host.adapters


@router.post("", status_code=201)
async def add_adapter(use: Use, request: Request) -> dict[str, Any]:
    """Add an adapter from a form: `weights`, a .safetensors file; `manifest`, its adapter.json, and `name` as wished.

    It is checked now: one that does not fit the model is refused with the reason.
    """
    async with request.form(max_files=2, max_fields=4) as form:
        return await asyncio.to_thread(_add, use, form)


def _add(use: Services, form: FormData) -> dict[str, Any]:
    weights, manifest, name = form.get("weights"), form.get("manifest"), form.get("name")
    if not isinstance(weights, UploadFile) or isinstance(manifest, str) or isinstance(name, UploadFile):
        raise AppError("The form must have a file `weights`, and may have a file `manifest` and a text `name`.")
    called = str(name or "").strip() or Path(weights.filename or "").stem
    if Path(weights.filename or "").suffix != ".safetensors":
        raise AppError("The weights must be a .safetensors file: pickles may run any program, save it again as that.")
    with tempfile.TemporaryDirectory(dir=use.library.incoming) as folder:
        files = {}
        for kind, sent in ((WEIGHTS_FILE, weights), (MANIFEST_FILE, manifest)):
            if isinstance(sent, UploadFile):
                files[kind] = Path(folder) / kind
                with files[kind].open("wb") as file:
                    shutil.copyfileobj(sent.file, file)
        return _added(use, use.adapters.add(use.host.model, called, files))


@router.post("/hub", status_code=201)
def add_from_hub(use: Use, body: HubAdapter) -> dict[str, Any]:
    """Fetch an adapter from the hub and add it."""
    return _added(use, use.adapters.fetch(use.host.model, body.id))


@router.delete("/{name}", status_code=204)
def remove_adapter(use: Use, name: str) -> None:
    """Forget an adapter that somebody added; what is being made with it is finished."""
    use.adapters.remove(use.host.model, name)
    use.hub.publish("model", use.host.as_dict())


def _added(use: Services, info: AdapterInfo) -> dict[str, Any]:
    use.hub.publish("model", use.host.as_dict())
    return use.host.told(info)
