"""How far a model is that comes from the hub, and stopping it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from app.errors import Conflict
from text2earth_core.errors import Cancelled

SECONDS = 0.5  # from one word to the pages to the next


class Fetching:
    """Owns the count of bytes, which the loading thread writes, and the wish to stop, which any other may have.

    Args:
        on_change: called in the threads that fetch, twice a second at most.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._lock = threading.Lock()
        self._bytes: tuple[int, int] | None = None
        self._stopping = False
        self._said = 0.0

    def told(self, got: int, of: int) -> None:
        """Take the bytes fetched, and bytes in all; Cancelled where somebody asked for that."""
        with self._lock:
            if self._stopping:
                raise Cancelled
            self._bytes = (got, of) if got < of else None  # all there: from here on it is loaded
            now = time.monotonic()
            if now - self._said < SECONDS and self._bytes is not None:
                return
            self._said = now
        self._on_change()

    def stop(self) -> None:
        """Let it end with the next piece that comes; Conflict where nothing is fetched."""
        with self._lock:
            if self._bytes is None:
                raise Conflict("No model is being fetched: there is nothing to stop.")
            self._stopping = True
        self._on_change()

    def end(self) -> None:
        """Nothing is fetched any more."""
        with self._lock:
            self._bytes, self._stopping = None, False

    def as_dict(self) -> dict[str, Any] | None:
        """JSON-ready {"bytes", "of", "stopping"}; None while nothing is fetched."""
        with self._lock:
            if self._bytes is None:
                return None
            return {"bytes": self._bytes[0], "of": self._bytes[1], "stopping": self._stopping}
