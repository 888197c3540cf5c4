"""Behind a reverse proxy that serves this program under a path of its own, such as `https://maps.example.com/earth/`.

Every address in the page is relative to the page's own, so the browser needs to know nothing.  Proxies differ in
whether they take the prefix off what they pass on; here it is taken off where it is still there, and nothing behind
knows of it.
"""

from __future__ import annotations

import re

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import AppError

_PREFIX = re.compile(r"(/[\w.~-]+)+", re.ASCII)


def checked_root_path(text: str) -> str:
    """`earth/` -> `/earth`, `/` -> an empty string; AppError for what is no path of an address."""
    plain = text.strip("/")
    if not plain:
        return ""
    prefix = f"/{plain}"
    if not _PREFIX.fullmatch(prefix) or {".", ".."} & set(plain.split("/")):
        raise AppError(f"{text!r} is no root path; use the path under which the proxy serves the page, such as /earth.")
    return prefix


class RootPath:
    """ASGI middleware that takes `prefix` off the address of a request, where the proxy has not done so."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self.app = app
        self.prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path == self.prefix and scope["type"] == "http":
            # Without the slash at its end the page's relative addresses would mean others.
            query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
            await RedirectResponse(f"{self.prefix}/{query}", status_code=308)(scope, receive, send)
            return
        if path.startswith(f"{self.prefix}/"):
            start = len(self.prefix)
            raw = scope.get("raw_path")
            scope = {**scope, "path": path[start:]} | ({"raw_path": raw[start:]} if raw else {})
        await self.app(scope, receive, send)
