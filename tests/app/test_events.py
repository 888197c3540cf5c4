"""The stream of events: the whole state first, then every change in order, for every page, also after an absence."""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from PIL import Image

from app.serving.events import QUEUE, REMEMBERED, EventHub
from tests.app.server_process import Server

Result = TypeVar("Result")


def done(event: dict[str, Any]) -> bool:
    return event["event"] == "job" and event["data"]["state"] == "done"


def test_hello_tells_everything(server: Server, scene: str) -> None:
    painted = server.painted(scene)
    with server.events(scene) as events:
        hello = events.next()
    assert hello["event"] == "hello"
    now = server.get(f"/api/scenes/{scene}")
    # The file may have grown meanwhile: zoomed-out tiles are drawn while the queue is idle.
    assert hello["data"]["scene"] | {"bytes": 0} == now | {"bytes": 0}
    assert [job["id"] for job in hello["data"]["jobs"]] == [painted["id"]]
    assert hello["data"]["model"]["state"] == "ready"


def test_a_job_is_seen_from_the_queue_to_the_scene(server: Server, scene: str) -> None:
    with server.events(scene) as events:
        events.next()
        server.post(f"/api/scenes/{scene}/jobs", {"frame": [0, 0, 64, 64], "steps": 3})
        seen = events.until(done)
    states = [event["data"]["state"] for event in seen if event["event"] == "job"]
    assert list(dict.fromkeys(states)) == ["queued", "running", "done"]
    [changed] = [event["data"] for event in seen if event["event"] == "scene"]
    assert changed["changed"] == [[0, 0, 64, 64]]
    assert not changed["empty"]
    previews = [event["data"] for event in seen if event["event"] == "preview"]
    assert previews[-1]["step"] == previews[-1]["steps"] == 3
    assert previews[-1]["frame"] == [0, 0, 64, 64]
    image = base64.b64decode(previews[-1]["image"].removeprefix("data:image/webp;base64,"))
    assert Image.open(io.BytesIO(image)).size == (8, 8)


def test_the_pace_is_told_once_it_was_measured(server: Server, scene: str) -> None:
    with server.events(scene) as events:
        events.next()
        server.post(f"/api/scenes/{scene}/jobs", {"frame": [0, 0, 64, 64], "steps": 2})
        told = events.until(lambda event: event["event"] == "model")[-1]["data"]
    assert told["state"] == "ready"
    assert told["seconds_per_step"]["quality"] > 0


def test_two_pages_on_one_scene_stay_in_step(server: Server, scene: str) -> None:
    with server.events(scene) as first, server.events(scene) as second:
        first.next(), second.next()
        server.painted(scene)
        server.post(f"/api/scenes/{scene}/undo")
        server.http.patch(f"/api/scenes/{scene}", json={"title": "Renamed"})

        def renamed(event: dict[str, Any]) -> bool:
            return event["event"] == "scene" and event["data"]["title"] == "Renamed"

        both = [events.until(renamed) for events in (first, second)]
    assert both[0] == both[1]
    assert both[0][-1]["data"]["can_redo"]


def test_a_page_hears_of_its_own_scene_only(server: Server, scene: str) -> None:
    other = server.new_scene()
    with server.events(scene) as events:
        events.next()
        server.painted(other)
        server.http.patch(f"/api/scenes/{scene}", json={"title": "Last"})
        seen = events.until(lambda event: event["event"] == "scene")
    assert [event["data"]["title"] for event in seen if event["event"] != "model"] == ["Last"]


def test_what_was_missed_is_replayed_once_and_in_order(server: Server, scene: str) -> None:
    with server.events(scene) as events:
        events.next()
        job = server.post(f"/api/scenes/{scene}/jobs", {"frame": [0, 0, 64, 64], "steps": 2})["id"]
        queued = events.until(lambda event: event["event"] == "job")[-1]
    server.finished(scene, job)
    with server.events(scene, last_id=queued["id"]) as events:
        hello = events.next()
        assert hello["event"] == "hello"
        missed = events.until(done)
    assert [event["event"] for event in missed].count("scene") == 1
    assert "preview" not in [event["event"] for event in missed]
    numbers = [int(event["id"].partition("-")[2]) for event in missed]
    assert numbers == sorted(set(numbers))
    assert numbers[0] > int(queued["id"].partition("-")[2])
    # Up to date again: nothing is replayed twice.
    with server.events(scene, last_id=missed[-1]["id"]) as events:
        events.next()
        server.http.patch(f"/api/scenes/{scene}", json={"title": "Next"})
        assert events.next()["data"]["title"] == "Next"


def test_a_page_that_reloads_during_a_job_finds_it_again(server: Server, scene: str) -> None:
    with server.events(scene) as events:
        job = server.post(f"/api/scenes/{scene}/jobs", {"frame": [0, 0, 256, 256], "steps": 30})["id"]
        events.until(lambda event: event["event"] == "preview")
    with server.events(scene) as events:
        hello = events.next()
        assert [(item["id"], item["state"]) for item in hello["data"]["jobs"]] == [(job, "running")]
        assert events.until(done)[-1]["data"]["id"] == job


def test_an_id_of_a_former_server_is_not_mistaken(server: Server, scene: str) -> None:
    with server.events(scene, last_id="0badf00d-1") as events:
        assert events.next()["event"] == "hello"
        server.http.patch(f"/api/scenes/{scene}", json={"title": "First"})
        assert events.next()["data"]["title"] == "First"


def numbered(stream: list[bytes]) -> list[str]:
    return [chunk.decode().split("data: ")[1].strip() for chunk in stream if b"event: scene" in chunk]


async def open_stream(hub: EventHub, last_id: str | None = None) -> AsyncIterator[bytes]:
    stream = hub.stream("abc", last_id, lambda: {})
    await anext(stream)  # hello; from here on the page is connected
    return stream


def run(story: Coroutine[Any, Any, Result]) -> Result:
    """What a story comes to, told in a thread of its own: tests of the browser leave a running loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, story).result()


def test_a_page_that_does_not_read_is_cut_off_and_misses_nothing() -> None:
    """Memory is bounded by the queue: the slow page is ended, comes back, and gets the rest."""

    async def story() -> tuple[list[str], list[str]]:
        hub = EventHub()
        stream = await open_stream(hub)
        for number in range(QUEUE + 50):
            hub.publish("scene", {"n": number}, "abc")
        await asyncio.sleep(0)
        read = [chunk async for chunk in stream]  # ends by itself
        last = read[-1].decode().split("id: ")[1].split("\n")[0]
        again = await open_stream(hub, last)
        rest = [await anext(again) for _ in range(QUEUE + 50 - len(read))]
        await again.aclose()  # type: ignore[attr-defined]
        return numbered(read), numbered(rest)

    read, rest = run(story())
    assert len(read) < QUEUE + 50
    assert read + rest == [f'{{"n":{number}}}' for number in range(QUEUE + 50)]


def test_the_memory_of_events_is_bounded() -> None:
    async def story() -> int:
        hub = EventHub()
        for number in range(3 * REMEMBERED):
            hub.publish("scene", {"n": number}, "abc")
        stream = await open_stream(hub, f"{hub.boot}-1")
        hub.close()
        return len([chunk async for chunk in stream])

    assert run(story()) <= REMEMBERED + 1


def test_closing_ends_every_stream() -> None:
    async def story() -> list[bytes]:
        hub = EventHub()
        first = await open_stream(hub)
        hub.close()
        late = await open_stream(hub)
        return [chunk async for chunk in first] + [chunk async for chunk in late]

    assert run(asyncio.wait_for(story(), 60)) == []
