"""The application: services, routes, error sentences, and last the page.

`create_app` imports nothing heavy: neither torch nor Gradio.  Both are imported in background threads once the server
listens.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from app.api import adapters as adapter_routes
from app.api import content, edits, exports, fills, find, imports, places, scenes
from app.api import jobs as job_routes
from app.api.root_path import RootPath, checked_root_path
from app.api.security import Guard
from app.api.services import Services
from app.errors import AppError, Conflict, Gone, NoRoom, NotFound, NotReady, QueueFull
from app.jobs.scene_jobs import SceneJobs
from app.jobs.store import JobStore
from app.jobs.watch import SceneWatch
from app.page.slot import PageSlot
from app.serving.added_adapters import AddedAdapters
from app.serving.events import EventHub
from app.serving.library import Library
from app.serving.model_host import ModelHost
from app.serving.paces import Paces
from app.serving.towers_host import TowersHost
from canvas.errors import SceneConflict, SceneError
from text2earth_core.errors import Text2EarthError

log = logging.getLogger("text2earth")

STATIC = Path(__file__).parent.parent / "static"
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
    host = ModelHost(model, device, lambda: hub.publish("model", host.as_dict()), paces, adapters)
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
    app.state.services = Services(library, jobs, host, hub, page, adapters, TowersHost(model))
    app.add_middleware(Guard, bind=bind, names=tuple(names))
    if prefix:
        app.add_middleware(RootPath, prefix=prefix)  # added later, so asked before the guard, which reads addresses
    _add_error_sentences(app)
    for api in (scenes, content, job_routes, edits, fills, exports, imports, places, find, adapter_routes):
        app.include_router(api.router)

    @app.api_route(
        "/api/{rest:path}", methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False
    )
    async def unknown(rest: str) -> Response:
        raise NotFound("There is nothing at this address.")

    app.mount("/assets/ui", _Revalidated(directory=STATIC, check_dir=False))
    app.mount("/", page)  # last: it answers everything else
    return app


class _Revalidated(StaticFiles):
    """Static files that a browser asks about each time: an upgraded program never runs with old modules."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


STATUS: dict[type[Exception], int] = {
    AppError: 422,
    NotFound: 404,
    Gone: 410,
    Conflict: 409,
    QueueFull: 429,
    NotReady: 503,
    NoRoom: 507,
    SceneError: 422,
    SceneConflict: 409,
    Text2EarthError: 422,
}
"""What the rooms' errors are in HTTP; a class without a line is what its base is."""


def _add_error_sentences(app: FastAPI) -> None:
    def answer(status: int, sentence: str) -> JSONResponse:
        return JSONResponse({"error": sentence}, status_code=status)

    @app.exception_handler(AppError)
    @app.exception_handler(SceneError)
    @app.exception_handler(Text2EarthError)
    async def refused(_: Request, error: Exception) -> JSONResponse:
        return answer(next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), str(error))

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        return answer(422, _sentence(error))

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        return answer(error.status_code, f"{str(error.detail).rstrip('.')}.")

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return answer(500, f"Something unexpected went wrong ({type(error).__name__}); the terminal says more.")


def _sentence(error: RequestValidationError) -> str:
    """The first complaint of a validation as one sentence that names the field."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path", "header"))
    message = str(first["msg"]).removeprefix("Value error, ").rstrip(".")
    message = message[:1].lower() + message[1:]
    return f"The value of {where} is not usable: {message}." if where else f"The request is not usable: {message}."
