"""A small reverse proxy, real in what matters: it serves another server under a prefix and knows no other address."""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

NAME = "maps.localhost"  # browsers take every name under localhost for this machine


class ReverseProxy:
    """Passes what is asked under `prefix` on to `upstream`, and answers 404 to all else (`strays`).

    strip: whether it takes the prefix off.  named: whether it passes the browser's Host on, as nginx only does when it
    is told to; otherwise Host is the upstream's address.
    """

    def __init__(self, upstream: str, prefix: str, *, strip: bool, named: bool) -> None:
        self.upstream = urlsplit(upstream).netloc
        self.prefix = prefix.encode()
        self.strip = strip
        self.named = named
        self.strays: list[str] = []
        self.port = 0

    @property
    def url(self) -> str:
        """Where a browser finds the page."""
        return f"http://{NAME}:{self.port}{self.prefix.decode()}"

    @contextlib.contextmanager
    def running(self) -> Iterator[ReverseProxy]:
        """Serve from a thread with a loop of its own."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        server = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, "127.0.0.1", 0), loop).result()
        self.port = server.sockets[0].getsockname()[1]
        yield self
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            method, path, rest = head.split(b" ", 2)
            if not path.startswith(self.prefix + b"/"):
                self.strays.append(path.decode())
                writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                await writer.drain()
            else:
                path = path[len(self.prefix) :] if self.strip else path
                rest = re.sub(rb"(?im)^connection:.*\r\n", b"", rest)
                rest = rest.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
                if not self.named:
                    rest = re.sub(rb"(?im)^host:.*\r$", b"Host: " + self.upstream.encode() + b"\r", rest)
                await self._forward(b" ".join((method, path, rest)), reader, writer)
        writer.close()

    async def _forward(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, port = self.upstream.rpartition(":")
        answers, asks = await asyncio.open_connection(host, int(port))
        asks.write(head)
        sending = asyncio.create_task(_pipe(reader, asks))
        await _pipe(answers, writer)  # until the server closes, or the browser does
        sending.cancel()
        asks.close()


async def _pipe(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while piece := await source.read(65536):
        target.write(piece)
        await target.drain()
