"""An address of this machine to listen on, and a browser that comes to it."""

from __future__ import annotations

import errno
import socket
import time
import urllib.error
import urllib.request
import webbrowser

from app.errors import AppError

DEFAULT_PORT = 7860
TRIED_PORTS = 20


def listen(host: str, port: int | None) -> socket.socket:
    """A listening socket; without a wish for the port, the first free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in range(DEFAULT_PORT, DEFAULT_PORT + TRIED_PORTS) if port is None else [port]:
        try:
            listener = socket.create_server((host, number), family=family)
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                continue
            raise AppError(f"The host {host} is no address of this machine; use 127.0.0.1 or 0.0.0.0.") from error
        # Connections inherit it. asyncio sets it on sockets of its own making alone, and without it the body of an
        # answer waits 40 ms until its head is acknowledged.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    if port is None:
        raise AppError(f"No port from {DEFAULT_PORT} on is free; choose one with --port.")
    raise AppError(f"Port {port} is in use or not allowed; choose another one with --port.")


def open_browser(url: str) -> None:
    """Open the page as soon as the server answers; a proxy of the environment is not asked about this machine."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(50):
        try:
            direct.open(url, timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            webbrowser.open(url)
            return
