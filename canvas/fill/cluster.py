"""A Ray cluster, reached or missed in one sentence."""

from __future__ import annotations

import importlib
import socket
from typing import Any

from canvas.errors import SceneError


def connect(address: str) -> Any:
    """The module `ray`, connected to a cluster; address: "auto" for the one on this machine, "local" to start one.

    Raises:
        SceneError: Ray is not installed, or the cluster cannot be reached.
    """
    try:
        ray: Any = importlib.import_module("ray")
    except ImportError:
        raise SceneError("Ray is not installed: run pip install 'text2earth-canvas[cluster]' first.") from None
    try:
        _knock(address)
        ray.init(address=address, log_to_driver=False, ignore_reinit_error=True)
    except Exception as error:
        raise SceneError(f"No Ray cluster answers at {address} ({error}): start one, or leave --ray out.") from None
    return ray


def _knock(address: str) -> None:
    """Fail within seconds where nobody listens at host:port; Ray itself tries for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
