"""The first thing seen: the empty frame of the page with a thin line of progress, until the canvas takes its place.

It is shown twice, on the page that waits for Gradio and on Gradio's own until its controls are drawn, and looks the
same, so that nothing jumps between the two.
"""

from __future__ import annotations

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Gradio writes the address by which it was asked into its page.  A proxy may have asked by one that no browser can
# reach, so it is asked by this name, and only the path is left of it.
_ASKED = "text2earth.invalid"
_FORWARDED = (b"host", b"x-forwarded-host", b"x-forwarded-proto", b"x-gradio-server")

_HEAD = """<link rel="icon" href="assets/ui/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="assets/ui/colours.css">
<link rel="stylesheet" href="assets/ui/starting.css">"""
_BODY = """<script src="assets/ui/page/theme-first.js"></script>
<div id="t2e-starting" role="status"><header><b>Text2Earth</b><span class="line"></span></header>
<p>{saying}</p><aside></aside><footer></footer></div>"""
_PLAIN = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Text2Earth</title><base href="{base}">
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
{head}</head><body>{body}</body></html>"""
_AGAIN = """<script type="module" src="assets/ui/page/starting.mjs"></script>
<noscript><meta http-equiv="refresh" content="2"></noscript>"""


def starting_page(root_path: str) -> str:
    """The page that waits for the real one and then gives way to it."""
    body = _BODY.format(saying="Preparing the page, loading the model &hellip;") + _AGAIN
    return _PLAIN.format(base=_base(root_path), head=_HEAD, body=body)


def _base(root_path: str) -> str:
    return f"{root_path}/" if root_path else "./"


class Framed:
    """ASGI application: Gradio's, with the frame in its page and without the address by which it was asked."""

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self.app = app
        self.root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in ("/", "/config"):
            await self.app(scope, receive, send)
            return
        headers = [(name, value) for name, value in scope["headers"] if name not in _FORWARDED]
        # Nothing is compressed on the way to us.
        headers = [*((n, v) for n, v in headers if n != b"accept-encoding"), (b"host", _ASKED.encode())]
        await self.app({**scope, "scheme": "http", "headers": headers}, receive, _Rewriting(send, self._rewrite))

    def _rewrite(self, body: bytes, headers: Headers) -> bytes:
        text = re.sub(rf"http://{re.escape(_ASKED)}[\w.~/-]*", self.root_path or "/", body.decode())
        if headers.get("content-type", "").startswith("text/html"):
            text = text.replace('<base href="./" />', f'<base href="{_base(self.root_path)}">', 1)
            text = text.replace('href="/manifest.json"', 'href="manifest.json"', 1)
            text = text.replace("</head>", f"{_HEAD}</head>", 1)
            text = text.replace("<gradio-app", f"{_BODY.format(saying='')}<gradio-app", 1)
        return text.encode()


class _Rewriting:
    """A `send` that holds a response back until it is whole, and sends another body in its place."""

    def __init__(self, send: Send, rewrite) -> None:
        self._send = send
        self._rewrite = rewrite
        self._start: Message = {}
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if message.get("more_body"):
            return
        headers = MutableHeaders(raw=list(self._start["headers"]))
        body = self._rewrite(self._body, headers) if self._start["status"] == 200 else self._body
        if self._body:  # the answer to HEAD has none
            headers["content-length"] = str(len(body))
        await self._send({**self._start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": body})
