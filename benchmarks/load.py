"""Many people at once: clients that list, look and paint, each with an event stream open all the time.

    python benchmarks/load.py [--minutes 10] [--clients 50] [--scenes 45] [--pause 2]

Starts the server with the preset `tiny` (random weights, for what is loaded is the server). Every client holds the
event stream of its scene and, with a pause of `--pause` seconds on average between two acts, pans (the index and a row
of tiles), lists the scenes, or asks for a job and waits until the stream says that it is done. Prints by kind how many
answers came, their median, 95th and worst times in ms; errors; and how the server's memory grew. What is asked for: no
error, tiles within 50 ms at the 95th, memory that grows by less than 10 % after its first minute.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from benchmarks.pan import start_server
from text2earth_core import Text2Earth

ACTS = ("pan", "list", "job")
SHARES = (0.8, 0.17, 0.03)  # of what clients do
GROUND = 512  # px a side that every scene holds before the measurement begins
TILES = 8
WARM_S = 60.0
SAMPLED_S = 5.0


class Figures:
    """What was seen, by kind: times in ms, errors as sentences, memory in MiB by second."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = defaultdict(list)
        self.errors: list[str] = []
        self.memory: list[tuple[float, float]] = []

    def table(self) -> str:
        rows = [f"{'kind':8} {'answers':>8} {'median':>8} {'p95':>8} {'worst':>8}  ms"]
        for kind, times in sorted(self.times.items()):
            marks = statistics.median(times), _percentile(times, 0.95), max(times)
            rows.append(f"{kind:8} {len(times):8} " + " ".join(f"{mark:8.1f}" for mark in marks))
        early = [size for second, size in self.memory if WARM_S <= second < 2 * WARM_S] or [self.memory[0][1]]
        late = [size for _, size in self.memory[-12:]]
        before, after = statistics.median(early), statistics.median(late)
        rows.append(f"memory   {before:.0f} -> {after:.0f} MiB ({after / before - 1:+.1%})")
        rows.append(f"errors   {len(self.errors)} {self.errors[:3] if self.errors else ''}")
        return "\n".join(rows)


class Client:
    """One person: a scene, its stream, and a connection of HTTP/1.1 that is kept alive."""

    def __init__(self, url: str, scene: str, figures: Figures, seed: int, places: Iterator[int]) -> None:
        self.host, self.port = urlsplit(url).hostname, urlsplit(url).port
        self.scene = scene
        self.figures = figures
        self.random = random.Random(seed)
        self.places = places
        self.done: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def live(self, until: float, pause: float) -> None:
        """Act until the clock says so, with the stream open beside."""
        stream = asyncio.create_task(self.listen())
        while time.monotonic() < until:
            await asyncio.sleep(self.random.expovariate(1 / pause))
            try:
                await getattr(self, self.random.choices(ACTS, SHARES)[0])()
            except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError) as error:
                self.figures.errors.append(f"{type(error).__name__}: {error}")
                self._connection = None
        if stream.done() and not stream.cancelled() and stream.exception():
            self.figures.errors.append(f"event stream: {stream.exception()}")
        stream.cancel()

    async def pan(self) -> None:
        """What a map asks for when it moves: which tiles there are, then those in sight."""
        answer = await self.ask("GET", f"/api/scenes/{self.scene}/index?z=0&x0=-8&y0=-8&x1=8&y1=8", "index")
        tiles = json.loads(answer)["tiles"]
        for x, y, revision in self.random.sample(tiles, min(TILES, len(tiles))):
            await self.ask("GET", f"/api/scenes/{self.scene}/tiles/rgb/0/{x}/{y}.webp?v={revision}", "tile")

    async def list(self) -> None:
        """The list of all scenes."""
        await self.ask("GET", "/api/scenes", "list")

    async def job(self) -> None:
        """One small job, until the stream tells that it is over."""
        # On empty ground, which nobody else has asked for: what is there already is not made anew.
        column, row = divmod(next(self.places), GROUND // 64)
        frame = [GROUND + 64 * column, 64 * row, 64, 64]
        wish = {"frame": frame, "prompt": "a forest", "steps": 2, "seed": self.random.randrange(1000)}
        began = time.monotonic()
        made = json.loads(await self.ask("POST", f"/api/scenes/{self.scene}/jobs", "asked", wish))
        async with asyncio.timeout(120):
            await self.done[made["id"]].wait()
        self.figures.times["job"].append(1000 * (time.monotonic() - began))
        del self.done[made["id"]]

    async def ask(self, method: str, path: str, kind: str, body: object = None) -> bytes:
        """The body of an answer that must be a success."""
        began = time.monotonic()
        reader, head = await self._head(self._request(method, path, body))
        length = next(int(line[15:]) for line in head.splitlines() if line.startswith("content-length:"))
        content = await reader.readexactly(length)
        self.figures.times[kind].append(1000 * (time.monotonic() - began))
        if head.split(" ", 2)[1] not in ("200", "201", "202"):
            raise ValueError(f"{method} {path} answered {head.splitlines()[0]}: {content[:200]!r}")
        return content

    async def _head(self, request: bytes) -> tuple[asyncio.StreamReader, str]:
        """Send a request; the head of its answer.  What was kept open and is closed meanwhile is opened anew, as
        browsers do.
        """
        kept = self._connection is not None
        reader, writer = self._connection or await asyncio.open_connection(self.host, self.port)
        self._connection = reader, writer
        try:
            writer.write(request)
            return reader, (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            if not kept or getattr(error, "partial", b""):
                raise
            self._connection = None
            return await self._head(request)

    def _request(self, method: str, path: str, body: object) -> bytes:
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nContent-Length: {len(content)}\r\n"
        return f"{head}Content-Type: application/json\r\n\r\n".encode() + content

    async def listen(self) -> None:
        """The event stream, for as long as the client lives."""
        reader, writer = await asyncio.open_connection(self.host, self.port, limit=1 << 24)
        writer.write(self._request("GET", f"/api/scenes/{self.scene}/events", None))
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.splitlines()[0]:
            raise ValueError(head.splitlines()[0].decode())
        while line := await reader.readline():
            if line.startswith(b"data: ") and b'"state":' in line:
                told = json.loads(line[6:])
                if told.get("state") in ("done", "failed", "cancelled") and "id" in told:
                    if told["state"] != "done":
                        self.figures.errors.append(f"job {told['state']}: {told.get('error')}")
                    self.done[told["id"]].set()
        raise ValueError("the server ended the stream")


async def watch(process: psutil.Process, figures: Figures, began: float) -> None:
    """Take the server's memory down."""
    while True:
        figures.memory.append((time.monotonic() - began, process.memory_info().rss / 2**20))
        await asyncio.sleep(SAMPLED_S)


async def measure(url: str, process: psutil.Process, options: argparse.Namespace) -> Figures:
    """Fill the scenes, let the clients live, and hand back what was seen."""
    figures, preparing = Figures(), Figures()
    first = Client(url, "", preparing, 0, count())
    while json.loads(await first.ask("GET", "/api/model", "model"))["state"] == "loading":
        await asyncio.sleep(0.2)
    scenes = await prepared(first, options.scenes)
    places = [count() for _ in scenes]
    homes = [n % len(scenes) for n in range(options.clients)]
    clients = [Client(url, scenes[home], figures, n, places[home]) for n, home in enumerate(homes)]
    began = time.monotonic()
    watching = asyncio.create_task(watch(process, figures, began))
    await asyncio.gather(*(client.live(began + 60 * options.minutes, options.pause) for client in clients))
    watching.cancel()
    return figures


async def prepared(client: Client, number: int) -> list[str]:
    """Ids of scenes with some ground in each: one is painted, the others are its copies."""
    made = json.loads(await client.ask("POST", "/api/scenes", "new", {"title": "load", "resolution": 1.0}))
    client.scene = made["id"]
    wish = {"frame": [0, 0, GROUND, GROUND], "prompt": "a desert", "steps": 1, "seed": 1}
    await client.ask("POST", f"/api/scenes/{client.scene}/jobs", "asked", wish)
    while json.loads(await client.ask("GET", f"/api/scenes/{client.scene}", "scene"))["empty"]:
        await asyncio.sleep(0.2)
    copies = [
        json.loads(await client.ask("POST", f"/api/scenes/{client.scene}/duplicate", "copy"))["id"]
        for _ in range(number - 1)
    ]
    return [client.scene, *copies]


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--scenes", type=int, default=45)
    parser.add_argument("--pause", type=float, default=2.0, help="seconds between two acts of a client, on average")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "tiny"
        Text2Earth.from_preset("tiny", seed=0).save_pretrained(model)
        server, url = start_server(Path(folder) / "data", model)
        try:
            figures = asyncio.run(measure(url, psutil.Process(server.pid), options))
        finally:
            server.send_signal(signal.SIGINT)
            server.wait()
    print(figures.table())
    sys.exit(1 if figures.errors else 0)


if __name__ == "__main__":
    main()
