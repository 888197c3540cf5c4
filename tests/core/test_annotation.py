"""Captions by an endpoint: what is sent, what is spent, how fast, and what each kind of failure leads to."""

from __future__ import annotations

import base64
import io
import itertools
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.chat_endpoint import Endpoint as Served
from tests.chat_endpoint import caption_of, name_of, running, told
from text2earth_core.data.annotation.audit import Fault
from text2earth_core.data.annotation.endpoint import Endpoint
from text2earth_core.data.annotation.items import Item
from text2earth_core.data.annotation.journal import DOUBTFUL, KEPT, OPEN, UNUSABLE, Journal
from text2earth_core.data.annotation.limits import Limits
from text2earth_core.data.annotation.only_run import only_run
from text2earth_core.data.annotation.protocols import IMAGES
from text2earth_core.data.annotation.run import Outcome, annotate
from text2earth_core.data.annotation.tables import MAX_SIDE, TableSource
from text2earth_core.errors import Text2EarthError

KEY = "sk-a-secret"
QUICK = {"wait": 0.01, "concurrency": 4}
BEGUN = {"model": "m"}


def encoded(side: int = 8, kind: str = "PNG", pixels: np.ndarray | None = None) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((side, side, 3), 90, np.uint8) if pixels is None else pixels).save(buffer, kind)
    return buffer.getvalue()


def table(path: Path, rows: int, **columns: list[Any]) -> Path:
    values: dict[str, Any] = {
        "image": [{"bytes": encoded(), "path": None}] * rows, "img_name": [f"{row}.png" for row in range(rows)],
        "label": [f"plot {name_of(row)}" for row in range(rows)],
    }  # fmt: skip
    pq.write_table(pa.table(values | columns), path, row_group_size=4)
    return path


def describe(
    path: Path, journal: Journal, served: Served, stream: bool = False, timeout: float = 5.0, **limits: Any
) -> Outcome:
    endpoint = Endpoint(served.url, "m", KEY, timeout, stream)
    return annotate(TableSource(str(path)), journal, endpoint, IMAGES, Limits(**(QUICK | limits)))


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "out.journal", BEGUN)


def states(journal: Journal) -> dict[int, str]:
    return {line.number: line.state for line in journal.lines()}


def test_a_model_is_told_place_resolution_and_class_and_sees_the_image(tmp_path: Path, journal: Journal) -> None:
    path = table(
        tmp_path / "in.parquet", 3, Google_location=["17_70000_45000", "17_0_0", None],
        resolution=["1.0", "4", None], image=[encoded(kind="JPEG"), encoded(kind="WEBP"), encoded(2 * MAX_SIDE)],
    )  # fmt: skip
    with running(lambda *_: "fine") as served:
        describe(path, journal, served, concurrency=1)
    first, wrong, unknown = (told(body) for body in served.bodies)
    assert "One pixel covers 1 m of ground.\nIt was taken at 49.02° N, 12.26° E.\nIts class is known: plot" in first
    # Level 17 is 1 m/px, and the row says 4: which of them is right nobody knows, so neither is told.
    assert "One pixel" not in wrong
    assert "taken at 85.05° N" in wrong
    assert "taken at" not in unknown
    assert journal.troubles() == {"level and resolution disagree": 1}
    assert states(journal) == {0: KEPT, 1: KEPT, 2: KEPT}
    for body, kind in zip(served.bodies, ("JPEG", "PNG", "PNG"), strict=True):
        address = body["messages"][1]["content"][1]["image_url"]["url"]
        head, _, data = address.partition(";base64,")
        with Image.open(io.BytesIO(base64.b64decode(data))) as shown:
            assert (head, shown.format) == (f"data:image/{kind.lower()}", kind)
            assert max(shown.size) <= MAX_SIDE


def test_rows_without_a_usable_image_are_told_and_cost_nothing(tmp_path: Path, journal: Journal) -> None:
    path = table(tmp_path / "in.parquet", 3, image=[None, b"no image at all", encoded()])
    with running(lambda *_: "fine") as served:
        outcome = describe(path, journal, served)
    assert states(journal) == {0: UNUSABLE, 1: UNUSABLE, 2: KEPT}
    assert journal.troubles() == {"image cannot be read": 1, "no image": 1}
    assert (len(served.bodies), outcome.left) == (1, 0)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("what", ["500", "429", "503", "broken", "wrong", "torn", "late", "cut", "empty", "huge"])
def test_what_may_go_well_later_is_asked_again(what: str, stream: bool, tmp_path: Path, journal: Journal) -> None:
    path = table(tmp_path / "in.parquet", 3)
    with running(lambda row, times, body: what if times == 1 else "fine") as served:
        outcome = describe(path, journal, served, stream, timeout=0.5)
    assert outcome == Outcome()
    assert [line.caption for line in journal.lines()] == [caption_of(row) for row in range(3)]
    assert all(served.asked[row] >= 2 for row in range(3))
    assert sum(journal.troubles().values()) >= 3


@pytest.mark.parametrize("stream", [False, True])
def test_another_name_for_the_limit_of_tokens_is_learned_once(stream: bool, tmp_path: Path, journal: Journal) -> None:
    path = table(tmp_path / "in.parquet", 3)
    with running(lambda *_: "tokens") as served:
        assert describe(path, journal, served, stream, concurrency=1) == Outcome()
    assert states(journal) == dict.fromkeys(range(3), KEPT)
    assert len(served.bodies) == 4
    assert journal.troubles() == {"limit of tokens has another name": 1}


def test_waiting_is_as_long_as_the_endpoint_says_for_all_requests(tmp_path: Path, journal: Journal) -> None:
    first = itertools.count()
    with running(lambda *_: "fine" if next(first) else "429") as served:
        describe(table(tmp_path / "in.parquet", 6), journal, served, concurrency=1)
    assert served.at[1] - served.at[0] >= 0.1
    assert journal.troubles() == {"status 429": 1}


@pytest.mark.parametrize(("what", "words"), [("401", "key"), ("404", "model"), ("quota", "used up")])
def test_what_only_a_person_can_mend_stops_the_run_at_once(
    what: str, words: str, tmp_path: Path, journal: Journal
) -> None:
    with running(lambda *_: what) as served:
        outcome = describe(table(tmp_path / "in.parquet", 40), journal, served, concurrency=2)
    assert words in outcome.stopped
    assert (outcome.left, states(journal)) == (40, {})
    assert len(served.bodies) <= 2
    # Some endpoints repeat the key in what they say.
    assert KEY not in outcome.stopped


def test_a_dead_endpoint_is_given_up_and_loses_nothing(tmp_path: Path, journal: Journal) -> None:
    path = table(tmp_path / "in.parquet", 40)
    with running(lambda *_: "500") as served:
        outcome = describe(path, journal, served, retries=1, concurrency=1)
        assert (outcome.left, len(served.bodies), states(journal)) == (40, 6, {})
        assert "no answers" in outcome.stopped
        served.behave = lambda *_: "fine"
        assert describe(path, journal, served) == Outcome()
    assert len(states(journal)) == 40


def test_a_request_that_is_refused_costs_its_row_alone(tmp_path: Path, journal: Journal) -> None:
    with running(lambda row, *_: "400" if row == 1 else "fine") as served:
        describe(table(tmp_path / "in.parquet", 3), journal, served)
        assert states(journal) == {0: KEPT, 1: UNUSABLE, 2: KEPT}
        assert served.asked[1] == 1
        assert journal.open_again() == 1
        served.behave = lambda *_: "fine"
        describe(tmp_path / "in.parquet", journal, served)
    assert states(journal) == dict.fromkeys(range(3), KEPT)
    assert served.asked[0] == 1


def test_what_never_passes_is_doubtful_and_the_best_attempt_is_kept(tmp_path: Path, journal: Journal) -> None:
    said = [
        "I'm sorry, I can't help.",
        "Perhaps 30 fields lie here, with a road.",
        "Perhaps some green fields lie by a road.",
    ]
    with running(lambda row, times, body: said[times - 1]) as served:
        assert describe(table(tmp_path / "in.parquet", 1), journal, served, asks=3) == Outcome()
    line = journal.line(0)
    assert line is not None
    assert (line.state, line.caption, line.faults) == (DOUBTFUL, said[2], ["forbidden word"])
    assert "it refuses" in told(served.bodies[1])
    assert "number 30" in told(served.bodies[2])
    assert journal.troubles()["forbidden word"] == 2


def test_the_same_words_for_several_images_are_kept_for_none(tmp_path: Path, journal: Journal) -> None:
    path = table(tmp_path / "in.parquet", 6)
    with running(lambda row, times, body: "same" if row < 3 and times == 1 else "fine") as served:
        assert describe(path, journal, served, concurrency=1) == Outcome()
    assert [line.caption for line in journal.lines()] == [caption_of(row) for row in range(6)]
    assert states(journal) == dict.fromkeys(range(6), KEPT)


def test_no_budget_is_passed_and_it_holds_over_runs(tmp_path: Path, journal: Journal) -> None:
    path = table(tmp_path / "in.parquet", 20)
    with running(lambda *_: "fine") as served:
        outcome = describe(path, journal, served, requests=7)
        assert ("7 requests" in outcome.stopped, outcome.left, len(served.bodies)) == (True, 13, 7)
        assert len(describe(path, journal, served, requests=7).stopped) > 0
        assert len(served.bodies) == 7
        spent = journal.spent()
        assert spent == {"requests": 7, "tokens_in": 700, "tokens_out": 140}
        # An answer of 300 tokens and an image are set aside for each; 120 tokens are what one takes.
        outcome = describe(path, journal, served, tokens=4000, concurrency=2)
        assert "4,000 tokens" in outcome.stopped
        used = journal.spent()
        assert 840 < used["tokens_in"] + used["tokens_out"] <= 4000
        outcome = describe(path, journal, served, cost=0.009, price_in=1.0, price_out=10.0, concurrency=1)
        assert "cost of 0.009" in outcome.stopped
        used = journal.spent()
        assert used["tokens_in"] / 1e6 + used["tokens_out"] / 1e5 <= 0.009
        assert describe(path, journal, served) == Outcome()


def test_as_many_requests_are_under_way_as_is_allowed(tmp_path: Path, journal: Journal) -> None:
    met = threading.Barrier(3, timeout=60)
    first = itertools.count()

    def meeting(row: int, times: int, body: dict[str, Any]) -> str:
        if next(first) < 3:
            met.wait()
        return "fine"

    with running(meeting) as served:
        assert describe(table(tmp_path / "in.parquet", 12), journal, served, concurrency=3, timeout=60) == Outcome()
        assert served.most == 3


def test_rates_are_kept(tmp_path: Path, journal: Journal) -> None:
    path = table(tmp_path / "in.parquet", 24)
    with running(lambda *_: "fine") as served:
        # Five seconds of the rate may come at once: ten requests, then one in half a second.
        begun = time.monotonic()
        describe(path, journal, served, concurrency=3, requests_a_minute=120, requests=12)
        assert time.monotonic() - begun >= 1.0
    with Journal(tmp_path / "other", BEGUN) as other, running(lambda *_: "fine") as served:
        # 120 tokens each: the first nine take 80 more than five seconds bring, and the tenth waits for them.
        begun = time.monotonic()
        describe(path, other, served, concurrency=1, tokens_a_minute=12_000, requests=10)
        assert time.monotonic() - begun >= 0.4


def test_a_journal_is_one_runs_and_one_tasks(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Journal(path, BEGUN):
        pass
    with pytest.raises(Text2EarthError, match="begun with model m, and now it is n"):
        Journal(path, {"model": "n"})
    with only_run(path), pytest.raises(Text2EarthError, match="Another run"), only_run(path):
        pass
    lock = tmp_path / "journal.lock"
    assert not lock.exists()
    lock.touch()  # a killed run left it
    with only_run(path):
        assert lock.exists()
    assert not lock.exists()
    with pytest.raises(Text2EarthError, match="cannot be written"), only_run(tmp_path / "no folder" / "journal"):
        pass
    (tmp_path / "text").write_text("no database, but a longer text than none at all\n" * 50)
    for name, words in [("text", "cannot be used"), ("nowhere", "There is no")]:
        with pytest.raises(Text2EarthError, match=words):
            Journal(tmp_path / name)


def test_what_a_person_said_stays_whatever_the_model_writes(tmp_path: Path, journal: Journal) -> None:
    items = [Item(number, {"row": number}, "") for number in range(4)]
    for item in items:
        journal.settle(item, f"Caption {name_of(item.number)}.", [])
    journal.correct(0, "What a  person\nwrote.")
    journal.accept(1)
    journal.reject(2, "There is no lake.")
    for item in items[:3]:
        journal.settle(item, f"Something new {name_of(item.number)}.", [], last=True)
    found = [(line.caption, line.state) for line in journal.lines()]
    assert found[:2] == [("What a person wrote.", KEPT), ("Caption amber amber birch.", KEPT)]
    assert found[2] == ("Something new amber amber cedar.", KEPT)
    assert journal.corrections(3) == ["What a person wrote."]
    # A model that says what a person wrote for another image is not believed, and the person is.
    assert journal.settle(items[3], "what a person wrote", []) == [
        Fault("duplicate", "another image has the same description word by word")
    ]
    assert journal.line(0).state == KEPT  # type: ignore[union-attr]
    with pytest.raises(Text2EarthError, match="no caption"):
        journal.accept(99)
    with pytest.raises(Text2EarthError, match="some words"):
        journal.correct(1, " ... ")


def test_the_next_run_asks_again_for_what_was_rejected_and_learns_from_corrections(
    tmp_path: Path, journal: Journal
) -> None:
    path = table(tmp_path / "in.parquet", 3)
    with running(lambda *_: "fine") as served:
        describe(path, journal, served)
        journal.reject(1, "It is a lake.")
        journal.correct(2, "A quarry with a pond, as a person wrote it.")
        assert states(journal) == {0: KEPT, 1: OPEN, 2: KEPT}
        served.behave = lambda *_: "A round lake lies in the middle of a wood, with a path along its shore."
        assert describe(path, journal, served) == Outcome()
    asked = told(served.bodies[-1])
    assert (len(served.bodies), sum(served.asked.values())) == (4, 4)
    assert f'It read: "{caption_of(1)}" The reason: It is a lake.' in asked
    assert "A quarry with a pond, as a person wrote it." in asked
    assert [line.state for line in journal.lines()] == [KEPT, KEPT, KEPT]
    assert [line.caption for line in journal.lines()][1:] == [
        "A round lake lies in the middle of a wood, with a path along its shore.",
        "A quarry with a pond, as a person wrote it.",
    ]


def test_rows_are_found_by_number_and_settled_ones_are_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    folder.mkdir()
    table(folder / "a.parquet", 10)
    table(folder / "b.parquet", 5, img_name=[f"b{row}.png" for row in range(5)])
    source = TableSource(str(folder))
    assert source.total == 15
    asked: list[tuple[int, int]] = []

    def settled(start: int, stop: int) -> bool:
        asked.append((start, stop))
        return stop <= 8 or start >= 12

    assert [item.number for item in source.items(settled)] == [8, 9, 10, 11]
    assert [pair for pair in asked if pair[1] - pair[0] > 1] == [(0, 4), (4, 8), (8, 10), (10, 14)]
    for number, name in [(0, "0.png"), (9, "9.png"), (10, "b0.png"), (14, "b4.png")]:
        assert source.item(number).keys == {"row": number, "name": name}
    for number in (-1, 15):
        with pytest.raises(Text2EarthError, match="no row"):
            source.item(number)


def test_a_damaged_table_and_a_full_disk_are_one_sentence_and_keep_what_was_done(
    tmp_path: Path, journal: Journal
) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (40, 32, 32, 3)).astype(np.uint8)
    path = table(tmp_path / "in.parquet", 40, image=[encoded(pixels=one) for one in noise])
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 40_000] = bytes(40_000)
    path.write_bytes(data)
    with running(lambda *_: "fine") as served, pytest.raises(Text2EarthError, match="damaged after row"):
        describe(path, journal, served, concurrency=2)
    assert len(states(journal)) > 0
    journal._db.execute("PRAGMA max_page_count = 1")  # as a disk without room
    with running(lambda *_: "fine") as served, pytest.raises(Text2EarthError, match="cannot be written"):
        describe(table(tmp_path / "other.parquet", 80), journal, served, concurrency=2)
    journal._db.execute("PRAGMA max_page_count = 100000")
    with running(lambda *_: "fine") as served:
        assert describe(tmp_path / "other.parquet", journal, served) == Outcome()
