"""What may talk to the server, and how much it may send.

A server on this machine is reachable by every page open in the browser.  Two attacks follow: a foreign page posts
forms to us (CSRF), and a foreign name is pointed at 127.0.0.1 so that a foreign page counts as ours (DNS rebinding).
The first is stopped by comparing Origin with Host, the second by accepting only Host names known to be this machine.
"""

from __future__ import annotations

import ipaddress
import json
import re
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_JSON_BYTES = 1 << 20
MAX_MASK_BYTES = 16 << 20
MAX_SCENE_BYTES = 8 << 30
MAX_ADAPTER_BYTES = 1 << 30
# What takes more than a small JSON object: whole files, and edits, which come with a picture of their mask.
_LARGER = (
    (re.compile(r"/api/scenes/upload|/api/scenes/[^/]+/imports"), MAX_SCENE_BYTES),
    (re.compile(r"/api/scenes/[^/]+/edits"), MAX_MASK_BYTES),
    (re.compile(r"/api/adapters"), MAX_ADAPTER_BYTES),
)
_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# No foreign page may show ours in a frame and lead a click to it; no file is taken for another type than it says.
_HEADERS = [(b"x-frame-options", b"SAMEORIGIN"), (b"x-content-type-options", b"nosniff")]
_FOREIGN = "Requests from other web pages are refused; use the page of this server."
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def host_name(authority: str) -> str:
    """`localhost:7860` -> `localhost`, `[::1]:7860` -> `::1`; an empty string if it cannot be a host."""
    try:
        return (urlsplit(f"//{authority}").hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def allowed_hosts(bind: str) -> frozenset[str]:
    """Host names that mean this machine when the server listens on `bind`."""
    if host_name(bind) in _LOOPBACK:
        return _LOOPBACK
    return _LOOPBACK | {host_name(bind), socket.gethostname().lower()}


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class Guard:
    """ASGI middleware: Host and Origin checks, and a limit on every request body.

    `bind` is the address the server listens on.  Only where it is not a loopback address are other numeric addresses
    accepted as Host: rebinding needs a name, a number cannot be rebound.  `names` are further ones that the person who
    started the server vouches for, such as that of a proxy before it; a proxy may pass them on as Host, or as Origin
    only.
    """

    def __init__(self, app: ASGIApp, bind: str = "127.0.0.1", names: Iterable[str] = ()) -> None:
        self.app = app
        self.names = frozenset(map(host_name, names))
        self.hosts = allowed_hosts(bind) | self.names
        self.any_address = host_name(bind) not in _LOOPBACK

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self.refusal(scope.get("method", "GET"), headers)
        if refusal:
            await _refuse(scope, send, 403, refusal)
            return
        larger = (size for address, size in _LARGER if address.fullmatch(scope["path"]))
        limit = next(larger, MAX_JSON_BYTES)
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > limit:
            await _refuse(scope, send, 413, _too_large(limit))
            return
        seen = 0

        async def counted() -> Message:
            # A chunked body has no length to check beforehand.
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise HTTPException(413, _too_large(limit))
            return message

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *_HEADERS]}
            await send(message)

        await self.app(scope, counted, headed)

    def refusal(self, method: str, headers: dict[str, str]) -> str:
        """One sentence why this request is refused, or an empty string."""
        host = headers.get("host", "")
        name = host_name(host)
        if name not in self.hosts and not (self.any_address and _is_address(name)):
            return (
                "This server answers only to its own address: open it under the address that it printed at start, or "
                f"start it with --allow-host {name or 'NAME'} if it is to be reached under that name."
            )
        origin = headers.get("origin")
        if origin is not None:
            address = _address_of(origin)
            if address != host.lower() and host_name(address) not in self.names:
                return (
                    f"{_FOREIGN} Where that is its page behind a proxy, start it with --allow-host "
                    f"{host_name(address) or 'NAME'}."
                )
        elif method in _UNSAFE and headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return _FOREIGN
        return ""


def _address_of(origin: str) -> str:
    """Host and port of an Origin header; "" where it is none."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _too_large(limit: int) -> str:
    return f"The request is larger than {limit >> 20} MiB; send less at a time."


async def _refuse(scope: Scope, send: Send, status: int, sentence: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": sentence})
        return
    body = json.dumps({"error": sentence}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
