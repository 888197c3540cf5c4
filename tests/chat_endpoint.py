"""An OpenAI-compatible endpoint on this machine that fails in every way that endpoints do, by the row."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet", "jetty")
FAULTS = ("fine", "500", "429", "late", "broken", "refusal", "same", "torn", "cut", "short")
"""What happens to a row's first request, by the last digit of its number; afterwards all goes well."""


def name_of(row: int) -> str:
    """A row's number in words, for a caption may not hold numbers that nobody told."""
    return " ".join(WORDS[int(digit)] for digit in f"{row:03d}")


def caption_of(row: int) -> str:
    """What a row's image shows."""
    return f"Green fields and a narrow road lie around the place of {name_of(row)}, beside a small wood."


@dataclass
class Endpoint:
    """url: its address. asked: requests by row. good: answers sent in full, by row. bodies: all requests."""

    url: str = ""
    behave: Callable[[int, int, dict[str, Any]], str] = lambda row, time, body: "fine"
    asked: Counter[int] = field(default_factory=Counter)
    good: Counter[int] = field(default_factory=Counter)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    under_way: int = 0
    most: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


def by_digit(row: int, times: int, body: dict[str, Any]) -> str:
    """The first request of a row fails as `FAULTS` says."""
    return FAULTS[row % 10] if times == 1 else "fine"


@contextmanager
def running(behave: Callable[[int, int, dict[str, Any]], str] = by_digit) -> Iterator[Endpoint]:
    """Serve until the block ends; `behave(row, how often it was asked, body)` names what happens."""
    state = Endpoint(behave=behave)
    handler = type("Handler", (_Handler,), {"state": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    state: Endpoint
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        data = self.rfile.read(length)
        if len(data) < length:  # the asker was killed
            self.close_connection = True
            return
        body = json.loads(data)
        text = told(body)
        found = re.search(rf"plot ((?:(?:{'|'.join(WORDS)}) ?){{3}})", text)
        row = int("".join(str(WORDS.index(word)) for word in found[1].split())) if found else -1
        with self.state.lock:
            self.state.asked[row] += 1
            times = self.state.asked[row]
            self.state.bodies.append(body)
            self.state.at.append(time.monotonic())
            self.state.keys.add(self.headers.get("Authorization", ""))
            self.state.under_way += 1
            self.state.most = max(self.state.most, self.state.under_way)
        try:
            self.answer(self.state.behave(row, times, body), row, body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with self.state.lock:
                self.state.under_way -= 1

    def answer(self, what: str, row: int, body: dict[str, Any]) -> None:
        if what == "late":
            time.sleep(1.5)
        if what.isdigit():
            self.send(int(what), {"error": {"message": f"status {what} for {self.headers['Authorization']}"}})
        elif what == "quota":
            self.send(429, {"error": {"message": "no credit", "code": "insufficient_quota"}})
        elif what == "tokens" and "max_tokens" in body:
            error = {"message": "another name", "code": "unsupported_parameter", "param": "max_tokens"}
            self.send(400, {"error": error})
        elif what == "broken":
            self.raw(200, b'{"choices": [{"message": {"content": "half')
        elif what == "wrong":
            self.send(200, {"object": "something else"})
        elif what == "huge":
            self.raw(200, b" " * 20_000_000 + b"{}")
        elif what == "torn":
            self.raw(200, b'{"choices": [', length=5000)
        else:
            said = {
                "refusal": "I'm sorry, but I can't help with that.", "same": "The same words stand for each of them, "
                "again and again without an end.", "short": "Fields.", "empty": "",
            }.get(what, what if " " in what else caption_of(row))  # fmt: skip
            self.say(said, row, body, "length" if what == "cut" else "stop", what == "cut")

    def say(self, said: str, row: int, body: dict[str, Any], finish: str, cut: bool) -> None:
        usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
        if body.get("stream"):
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            half = len(said) // 2
            for part in (said[:half],) if cut else (said[:half], said[half:]):
                self.piece({"choices": [{"index": 0, "delta": {"content": part}, "finish_reason": None}]})
            self.close_connection = True
            if cut:
                return
            self.piece({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
            self.piece({"choices": [], "usage": usage})
            self.wfile.write(b"data: [DONE]\n\n")
        else:
            text = said[: len(said) // 2] if cut else said
            message = {"role": "assistant", "content": text}
            choices = [{"index": 0, "message": message, "finish_reason": finish}]
            self.send(200, {"id": "1", "object": "chat.completion", "created": 1, "model": body["model"],
                            "usage": usage, "choices": choices})  # fmt: skip
        if said == caption_of(row):
            with self.state.lock:
                self.state.good[row] += 1

    def piece(self, data: dict[str, Any]) -> None:
        data |= {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        self.wfile.write(f"data: {json.dumps(data)}\n\n".encode())
        self.wfile.flush()

    def send(self, status: int, value: dict[str, Any]) -> None:
        self.raw(status, json.dumps(value).encode())

    def raw(self, status: int, data: bytes, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data) if length is None else length))
        if status == 429:
            self.send_header("Retry-After", "0.1")
        self.end_headers()
        self.wfile.write(data)
        self.close_connection = length is not None

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: tests look at what was asked."""


def told(body: dict[str, Any]) -> str:
    """All words of a request."""
    parts: dict[str, list[str]] = defaultdict(list)
    for message in body["messages"]:
        content = message["content"]
        for part in [{"text": content}] if isinstance(content, str) else content:
            parts[message["role"]].append(part.get("text", ""))
    return "\n".join(parts["system"] + parts["user"])
