"""A real server in a process of its own, started as a user would start it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
PATIENCE = 600  # seconds; an upper bound for a busy machine, not a measure of anything


class Server:
    """`launch.py` on a free port; `log` collects what it prints, `environment` adds to that of the tests."""

    def __init__(self, data_dir: Path, model: Path, *extra: str, environment: Mapping[str, str] | None = None) -> None:
        # With faulthandler a server that hangs can be asked where (`finished`).
        command = [sys.executable, "-X", "faulthandler", "launch.py", "--no-browser", "--port", "0", "--device", "cpu"]
        self.process = subprocess.Popen(
            [*command, "--data-dir", str(data_dir), "--model", str(model), *extra],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | (environment or {}),
        )
        self.data_dir = data_dir
        self.log: list[str] = []
        self._announced = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        self._announced.wait(PATIENCE)
        match = re.search(r"http://[^/]+", "".join(self.log))
        if match is None:
            self.kill()
            raise AssertionError(f"the server did not start: {self.log}")
        self.url = match[0]
        # On a busy machine a connection kept alive may be closed by the server just as it is used again.
        fresh = httpx.Limits(max_keepalive_connections=0)
        self.http = httpx.Client(base_url=self.url, timeout=PATIENCE, limits=fresh)

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.log.append(line)
            if "Text2Earth is at" in line:
                self._announced.set()
        self._announced.set()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """As the kernel would: nothing of ours runs any more."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def ready(self) -> Server:
        """Wait for the model."""
        wait_for(lambda: self.get("/api/model")["state"] != "loading")
        assert self.get("/api/model")["state"] == "ready", self.log
        return self

    def get(self, path: str) -> Any:
        """The JSON of a GET that must succeed."""
        answer = self.http.get(path)
        assert answer.is_success, answer.text
        return answer.json()

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """The JSON of a POST that must succeed."""
        answer = self.http.post(path, json=body or {})
        assert answer.is_success, answer.text
        return answer.json()

    def new_scene(self, **body: Any) -> str:
        """The id of a new scene at 1 m/px."""
        made: str = self.post("/api/scenes", {"resolution": 1.0} | body)["id"]
        return made

    def job(self, scene: str, job: str) -> dict[str, Any]:
        """One job as the list shows it."""
        found: dict[str, Any] = next(item for item in self.get(f"/api/scenes/{scene}/jobs") if item["id"] == job)
        return found

    def finished(self, scene: str, job: str) -> dict[str, Any]:
        """Wait until a job neither waits nor runs; returns it.  One that never ends tells where every thread stands."""
        try:
            wait_for(lambda: self.job(scene, job)["state"] not in ("queued", "running"))
        except AssertionError:
            left = self.job(scene, job)
            self.process.send_signal(signal.SIGABRT)
            self.process.wait()
            raise AssertionError(f"{left} never ended:\n{''.join(self.log)}") from None
        return self.job(scene, job)

    def painted(self, scene: str, **request: Any) -> dict[str, Any]:
        """Queue a job, wait, and insist that it is done."""
        job = self.post(f"/api/scenes/{scene}/jobs", {"frame": [0, 0, 64, 64], "steps": 2, "seed": 1} | request)
        done = self.finished(scene, job["id"])
        assert done["state"] == "done", done
        return done

    @contextmanager
    def events(self, scene: str, last_id: str | None = None) -> Iterator[Events]:
        """The scene's event stream."""
        headers = {"Last-Event-ID": last_id} if last_id else {}
        with self.http.stream("GET", f"/api/scenes/{scene}/events", headers=headers) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            yield Events(response)


class Events:
    """Server-sent events of one response, as dicts {id, event, data}."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.iter_lines()
        self.last_id = ""

    def next(self) -> dict[str, Any]:
        """The next event; StopIteration where the server ended the stream."""
        event: dict[str, Any] = {}
        for line in self._lines:
            if not line and event:
                self.last_id = event["id"]
                return event
            name, _, value = line.partition(": ")
            if name:
                event[name] = json.loads(value) if name == "data" else value
        raise StopIteration

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
        """All events up to the first that is wanted."""
        seen = []
        while True:
            seen.append(self.next())
            if wanted(seen[-1]):
                return seen


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something is so; an AssertionError where it never is."""
    until, pause = time.monotonic() + PATIENCE, 0.02
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(pause)
        pause = min(1.2 * pause, 0.3)  # or a server that starts would spend a third of its time on being asked
