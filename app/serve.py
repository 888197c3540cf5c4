"""Start the server on a free port, say where the page is, and stop it without waiting for pages."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI

from app.api.server import create_app
from app.errors import AppError
from app.listening import listen, open_browser
from canvas.errors import SceneError

SHUTDOWN_S = 8


def default_data_dir() -> Path:
    """Where scenes live unless told otherwise: this platform's data folder; AppError where the user has none."""
    try:
        return _users_folder() / "text2earth"
    except RuntimeError:  # neither HOME nor an entry among the system's users, as in many containers
        raise AppError("This user has no home folder: say where scenes are kept with --data-dir DIR.") from None


def _users_folder() -> Path:
    if sys.platform == "win32":
        named = os.environ.get("LOCALAPPDATA")
        return Path(named) if named else Path.home() / "AppData" / "Local"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    named = os.environ.get("XDG_DATA_HOME")
    return Path(named) if named else Path.home() / ".local" / "share"


def serve(
    *,
    scene: str | None = None,
    model: str | None = None,
    device: str | None = None,
    host: str = "127.0.0.1",
    port: int | None = None,
    data_dir: Path | None = None,
    browser: bool = True,
    names: Sequence[str] = (),
    root_path: str = "",
) -> int:
    """Serve until Ctrl-C; returns the exit status.

    scene: id or file to open at once.  port: None takes the first free one from 7860, 0 any.  names: under which it may
    be reached too, such as that of a proxy before it.  root_path: the path under which that proxy serves it.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        app = create_app(data_dir or default_data_dir(), model, device, bind=host, names=names, root_path=root_path)
        query = f"?scene={_scene_id(app, scene)}" if scene else ""
        listener = listen(host, port)
    except (AppError, SceneError) as error:
        print(error, file=sys.stderr)
        return 1
    bound = listener.getsockname()[1]
    local = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host
    url = f"http://{f'[{local}]' if ':' in local else local}:{bound}/{query}"
    print(f"Text2Earth is at {url}  (Ctrl-C stops it)", flush=True)
    if browser:
        threading.Thread(target=open_browser, args=(url,), daemon=True).start()
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=SHUTDOWN_S, server_header=False
    )
    server = _Server(config, app)
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listener])
    return 0


class _Server(uvicorn.Server):
    """Uvicorn that ends the event streams first: a shutdown waits for open responses, and streams never finish."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._hub = app.state.services.hub

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._hub.close()
        super().handle_exit(sig, frame)


def _scene_id(app: FastAPI, scene: str) -> str:
    library = app.state.services.library
    if scene in library.ids():
        return scene
    found: str = library.add_path(Path(scene))
    return found
