"""A hub on this machine: the few addresses of huggingface.co by which its client fetches one model."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from json import dumps
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789" * 4
MODEL = "owner/tiny"


class Hub:
    """Serves a folder as `MODEL`; `held` is a file of it whose bytes wait until `release` is set.

    Args:
        folder: of the model. held: path in it.
    """

    def __init__(self, folder: Path, held: str) -> None:
        self.files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        self.held, self.release = held, threading.Event()
        self.sent: list[str] = []

    def size(self, name: str) -> int:
        """Bytes of a file."""
        return self.files[name].stat().st_size

    @contextmanager
    def serving(self) -> Iterator[str]:
        """The address, while it is served."""
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                self._answer(with_body=False)

            def do_GET(self) -> None:
                self._answer(with_body=True)

            def _answer(self, with_body: bool) -> None:
                path = unquote(urlsplit(self.path).path)
                if path == f"/api/models/{MODEL}/revision/main" or path == f"/api/models/{MODEL}":
                    self._send(dumps({"id": MODEL, "sha": COMMIT, "siblings": []}).encode(), with_body)
                elif path.startswith(f"/api/models/{MODEL}/tree/"):
                    tree = [{"type": "file", "path": name, "size": hub.size(name), "oid": hub.tag(name)}
                            for name in hub.files]  # fmt: skip
                    self._send(dumps(tree).encode(), with_body)
                else:
                    self._file(path.removeprefix(f"/{MODEL}/resolve/{COMMIT}/"), with_body)

            def _file(self, name: str, with_body: bool) -> None:
                if name not in hub.files:
                    self.send_error(404)
                    return
                if with_body:
                    hub.sent.append(name)
                    if name == hub.held:
                        hub.release.wait()
                self._send(hub.files[name].read_bytes(), with_body, hub.tag(name))

            def _send(self, body: bytes, with_body: bool, tag: str = "0") -> None:
                self.send_response(200)
                for header, value in (("Content-Length", str(len(body))), ("ETag", f'"{tag}"'),
                                      ("X-Repo-Commit", COMMIT), ("Content-Type", "application/json")):  # fmt: skip
                    self.send_header(header, value)
                self.end_headers()
                if with_body:
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            self.release.set()
            server.shutdown()
            server.server_close()

    def tag(self, name: str) -> str:
        """What tells one content of a file from another."""
        return hashlib.sha1(self.files[name].read_bytes()).hexdigest()
