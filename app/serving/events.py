"""Events to the pages: one stream per page, numbered, with a memory for pages that come back.

Any thread publishes; each page has a bounded queue on the event loop.  A page that was away sends the last id it saw
and gets what it missed; previews are not kept, because only the newest one is worth showing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

REMEMBERED = 500
QUEUE = 256
HEARTBEAT_S = 15.0


@dataclass(frozen=True)
class Event:
    """One server-sent event.  `scene` is the scene it belongs to; None goes to every page."""

    id: str
    scene: str | None
    kind: str
    data: str

    def encode(self) -> bytes:
        """The event as it goes over the wire."""
        return f"id: {self.id}\nevent: {self.kind}\ndata: {self.data}\n\n".encode()


class EventHub:
    """Owns the numbering, the memory and the connected pages.

    An id is `{boot}-{n}`: numbers start anew with each server, and `boot` tells an id of a former server from ours.
    """

    def __init__(self) -> None:
        self.boot = secrets.token_hex(4)
        self._lock = threading.Lock()
        self._count = 0
        self._memory: deque[Event] = deque(maxlen=REMEMBERED)
        self._pages: dict[_Page, asyncio.AbstractEventLoop] = {}
        self._closed = False

    def publish(self, kind: str, data: dict[str, Any], scene: str | None = None, keep: bool = True) -> None:
        """Send an event to the pages of `scene` (None: to all); safe to call from any thread."""
        text = json.dumps(data, separators=(",", ":"))
        with self._lock:
            self._count += 1
            event = Event(f"{self.boot}-{self._count}", scene, kind, text)
            if keep:
                self._memory.append(event)
            for page, loop in self._pages.items():
                if scene is None or page.scene == scene:
                    _on_loop(loop, page.put, event)

    def scenes(self) -> set[str]:
        """The scenes that pages show now; safe to call from any thread."""
        with self._lock:
            return {page.scene for page in self._pages}

    def close(self) -> None:
        """End every stream, so that a shutdown does not wait for pages; safe to call from any thread."""
        with self._lock:
            self._closed = True
            for page, loop in self._pages.items():
                _on_loop(loop, page.end)

    async def stream(
        self, scene: str, last_id: str | None, snapshot: Callable[[], dict[str, Any]]
    ) -> AsyncIterator[bytes]:
        """Yield the events of one page: `hello` with `snapshot()`, then what it missed, then what happens.

        `snapshot` is called in a thread after the page was registered, so that nothing falls between the two: an event
        may come twice (in the state and as an event), never not at all.
        """
        page = _Page(scene)
        with self._lock:
            here = f"{self.boot}-{self._count}"
            missed = self._missed(scene, last_id)
            self._pages[page] = asyncio.get_running_loop()
            if self._closed:
                page.end()
        try:
            hello = await asyncio.to_thread(snapshot)
            text = json.dumps(hello, separators=(",", ":"))
            # Not yet `here` where events follow: a stream that breaks between them must be able to ask again.
            yield Event(last_id if missed and last_id else here, scene, "hello", text).encode()
            for event in missed:
                yield event.encode()
            while (message := await page.get()) is not None:
                yield message.encode() if isinstance(message, Event) else message
                if isinstance(message, Event) and message.kind == "deleted":
                    return
        finally:
            with self._lock:
                del self._pages[page]

    def _missed(self, scene: str, last_id: str | None) -> list[Event]:
        boot, _, number = (last_id or "").partition("-")
        if boot != self.boot or not number.isdigit():
            return []
        seen = int(number)
        return [e for e in self._memory if int(e.id.partition("-")[2]) > seen and e.scene in (None, scene)]


class _Page:
    """The queue of one connected page; used on the event loop only.

    A page too slow to read is cut off after what it has waiting: it comes back with the id of that and gets the rest.
    """

    def __init__(self, scene: str) -> None:
        self.scene = scene
        self._waiting: deque[Event] = deque()
        self._news = asyncio.Event()
        self._ended = False

    def put(self, event: Event) -> None:
        if len(self._waiting) >= QUEUE:
            self._ended = True
        if not self._ended:
            self._waiting.append(event)
        self._news.set()

    def end(self) -> None:
        self._ended = True
        self._news.set()

    async def get(self) -> Event | bytes | None:
        """The next event, a comment where nothing happened for a while, None at the end."""
        if not self._waiting and not self._ended:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), HEARTBEAT_S)
            except TimeoutError:
                return b": alive\n\n"
        return self._waiting.popleft() if self._waiting else None


def _on_loop(loop: asyncio.AbstractEventLoop, call: Callable[..., None], *args: Any) -> None:
    # A loop that is already closed has no page left to tell.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(call, *args)
