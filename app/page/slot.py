"""The place of the page: a light answer at once, Gradio's application as soon as it is imported and built.

Importing Gradio takes seconds.  The server listens first; until the page is built, `/` answers with its empty frame,
which reloads itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
import os
import threading

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.network import set_unusable_aside
from app.page.frame import Framed, starting_page

log = logging.getLogger("text2earth")

FAILED = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Text2Earth</title></head>
<body><p role="alert">The page could not be built; the reason is in the terminal that started the server.</p></body>
</html>"""


class PageSlot:
    """ASGI application mounted at `/`: the starting page, then whatever `app.page.page.mount_page` builds.

    `root_path` is the path under which browsers see it, where a proxy gives it one.
    """

    def __init__(self, root_path: str = "") -> None:
        self._root_path = root_path
        self._page: ASGIApp | None = None
        self._failed = False
        self._stop = asyncio.Event()

    @property
    def ready(self) -> bool:
        """Whether `/` shows the page."""
        return self._page is not None

    @property
    def failed(self) -> bool:
        """Whether it never will; the terminal says why."""
        return self._failed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._page is not None:
            await self._page(scope, receive, send)
        elif scope["type"] == "http":
            await self._placeholder(scope)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1013})

    def _placeholder(self, scope: Scope) -> Response:
        if scope["path"] != "/":
            return JSONResponse({"error": "There is nothing at this address."}, status_code=404)
        headers = {"Cache-Control": "no-store"}
        if self._failed:
            return HTMLResponse(FAILED, status_code=500, headers=headers)
        return HTMLResponse(starting_page(self._root_path), headers=headers)

    async def serve(self) -> None:
        """Build the page in a thread, then hold Gradio's lifespan open until `stop`; run as a task of the server."""
        if importlib.util.find_spec("app.page.page") is None:
            return
        loop = asyncio.get_running_loop()
        built: asyncio.Future[ASGIApp] = loop.create_future()

        def build() -> None:
            try:
                page: ASGIApp | Exception = _build()
            except Exception as error:
                page = error
            # The loop is closed where the server was stopped during the import: then nobody waits for the page.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_settle, built, page)

        # A daemon thread, not the loop's pool: Ctrl-C during the import must not wait for the import.
        threading.Thread(target=build, name="page", daemon=True).start()
        try:
            page = await built
        except Exception:
            log.exception("The page could not be built")
            self._failed = True
            return
        async with page.router.lifespan_context(page):  # type: ignore[attr-defined]
            self._page = Framed(page, self._root_path)
            await self._stop.wait()

    def stop(self) -> None:
        """Let `serve` end."""
        self._stop.set()


def _settle(future: asyncio.Future[ASGIApp], page: ASGIApp | Exception) -> None:
    if future.cancelled():
        return
    if isinstance(page, Exception):
        future.set_exception(page)
    else:
        future.set_result(page)


def _build() -> ASGIApp:
    # Gradio reads these when it is imported.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    set_unusable_aside()
    from fastapi import FastAPI

    from app.page.page import mount_page

    return mount_page(FastAPI(docs_url=None, redoc_url=None, openapi_url=None))
