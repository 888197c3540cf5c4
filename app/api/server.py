"""The application: services, routes, error sentences, and last the page.

`create_app` imports nothing heavy: neither torch nor Gradio.  Both are imported in background threads once the server
listens.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import Response

from app.api import adapters as adapter_routes
from app.api import content, edits, exports, fills, find, imports, models, places, scenes
from app.api import jobs as job_routes
from app.api.root_path import RootPath, checked_root_path
from app.api.security import Guard
from app.api.sentences import add_error_sentences
from app.api.services import Services
from app.api.static_files import STATIC, Revalidated
from app.errors import NotFound
from app.jobs.scene_jobs import SceneJobs
from app.jobs.store import JobStore
from app.jobs.watch import SceneWatch
from app.page.slot import PageSlot
from app.serving.added_adapters import AddedAdapters
from app.serving.events import EventHub
from app.serving.library import Library
from app.serving.model_host import ModelHost
from app.serving.model_names import ModelNames
from app.serving.model_shelf import ModelShelf
from app.serving.paces import Paces
from app.serving.towers_host import TowersHost

STOP_S = 5.0
SCHEMA = "/api/openapi.json"  # what scripts may ask, in OpenAPI's words


def create_app(
    data_dir: str | Path,
    model: str | Path | None = None,
    device: str | None = None,
    bind: str = "127.0.0.1",
    names: Iterable[str] = (),
    root_path: str = "",
) -> FastAPI:
    """The ASGI application.

    data_dir: folder of scenes and job records, made where missing (AppError where it cannot be written).
    model: folder or hub id, None for the shipped model.  device: "cpu", "cuda", None for the best there is.
    bind: the address it will listen on; decides which Host names are accepted, and `names` which others are.
    root_path: under which a reverse proxy serves it (AppError for what is none).
    """
    prefix = checked_root_path(root_path)
    folder = Path(data_dir)
    store = JobStore(folder)  # first: it holds the lock of the directory
    library = Library(folder)
    hub = EventHub()
    adapters = AddedAdapters(folder / "adapters")
    paces = Paces(folder / "paces.json")
    called = ModelNames(folder / "model-names.json")
    host = ModelHost(
        model, device, lambda: hub.publish("model", host.as_dict()), paces, adapters, called,
        on_fetched=lambda: hub.publish("model", host.as_dict(), keep=False),
    )  # fmt: skip
    shelf = ModelShelf(folder, device, paces, called)
    jobs = SceneJobs(store, library, host, hub)
    watch = SceneWatch(library, jobs, hub)
    page = PageSlot(prefix)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(jobs.start)
        watch.start()
        host.start()
        serving = asyncio.create_task(page.serve())
        yield
        hub.close()
        page.stop()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await asyncio.to_thread(watch.stop)
        await asyncio.to_thread(jobs.stop, STOP_S)
        library.close()
        store.close()

    app = FastAPI(title="Text2Earth Canvas", docs_url=None, redoc_url=None, openapi_url=SCHEMA, lifespan=lifespan)
    app.state.services = Services(library, jobs, host, hub, page, adapters, shelf, TowersHost(lambda: host.source))
    app.add_middleware(Guard, bind=bind, names=tuple(names))
    if prefix:
        app.add_middleware(RootPath, prefix=prefix)  # added later, so asked before the guard, which reads addresses
    add_error_sentences(app)
    for api in (scenes, content, job_routes, edits, fills, exports, imports, places, find, adapter_routes, models):
        app.include_router(api.router)

    @app.api_route(
        "/api/{rest:path}", methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False
    )
    async def unknown(rest: str) -> Response:
        raise NotFound("There is nothing at this address.")

    app.mount("/assets/ui", Revalidated(directory=STATIC, check_dir=False))
    app.mount("/", page)  # last: it answers everything else
    return app
