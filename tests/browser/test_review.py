"""The review of captions in a real browser: what a person says by key and by button is kept, and written in the end."""

from __future__ import annotations

import io
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from tests.app.server_process import PATIENCE, ROOT
from text2earth_core.data.annotation.audit import Fault
from text2earth_core.data.annotation.journal import Journal
from text2earth_core.data.annotation.results import journal_of
from text2earth_core.data.annotation.tables import TableSource

pytestmark = pytest.mark.needs_browser

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
SAID = "A <b>pond</b> & a road in the middle of green fields, row"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six captions that passed and six that are doubtful, of small images."""
    folder = tmp_path_factory.mktemp("review")
    images = []
    for row in range(12):
        buffer = io.BytesIO()
        Image.fromarray(np.full((16, 16, 3), (20 * row, 120, 60), np.uint8)).save(buffer, "PNG")
        images.append(buffer.getvalue())
    pq.write_table(pa.table({"image": images, "label": ["pond"] * 12}), folder / "in.parquet")
    source = TableSource(str(folder / "in.parquet"))
    path = folder / "out.jsonl"
    with Journal(journal_of(path), source.identity | {"model": "m", "protocol": "text2earth"}) as journal:
        for item in source.items(lambda start, stop: False):
            faults = [Fault("too short", ""), Fault(f"fault {item.number % 2}", "")] if item.number >= 6 else []
            journal.settle(item, f"{SAID} {item.number}.", faults)
    return path


@pytest.fixture(scope="module")
def review(out: Path) -> Iterator[tuple[str, Callable[[], str]]]:
    """(address, what ends it in good order and returns its errors); one for all tests, and the last of them ends it."""
    command = [sys.executable, "-m", "app.cli", "data", "review", str(out), "--port", "0", "--no-browser"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    found = re.search(r"http://[^/]+", process.stdout.readline())
    assert found, process.communicate(timeout=PATIENCE)

    def end() -> str:
        process.send_signal(signal.SIGINT)
        errors = process.communicate(timeout=PATIENCE)[1]
        assert process.returncode == 0, errors
        return errors

    yield found[0], end
    if process.poll() is None:
        process.kill()
        process.communicate()


@pytest.fixture
def page(browser: Browser, review: tuple[str, Callable[[], str]]) -> Iterator[Page]:
    """The page; nothing may be asked elsewhere, and nothing may be wrong in the console."""
    wrong: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("request", lambda asked: None if asked.url.startswith(review[0]) else wrong.append(asked.url))
    page.goto(review[0])
    page.locator(".caption").wait_for()
    yield page
    context.close()
    assert wrong == []


def number(page: Page) -> int:
    """Of the row that is shown."""
    return int(re.findall(r"\d+", page.locator(".place").inner_text())[0])


def said(page: Page, act: Callable[[], None]) -> int:
    """Say something of the row that is shown, and wait for the next; its number."""
    row = number(page)
    with page.expect_response("**/verdict") as answer:
        act()
    assert answer.value.ok
    page.wait_for_function(f"!document.querySelector('.place')?.textContent.startsWith('row {row},')")
    return row


def test_a_fault_is_looked_for_and_the_sheet_tells_the_keys(page: Page) -> None:
    page.locator("header select").nth(1).select_option("fault 1")
    page.locator(".count", has_text="of 3").wait_for()
    assert {number(page), page.locator(".faults").inner_text()} == {number(page), "too short\nfault 1"}
    first = number(page)
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.get_by_text("This sample is done.").wait_for()
    page.keyboard.press("n")
    page.locator(".caption").wait_for()
    assert number(page) in {7, 9, 11}
    assert first in {7, 9, 11}
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="hidden")


def test_axe_finds_no_serious_fault_and_a_narrow_page_has_no_width_to_scroll(page: Page) -> None:
    page.add_script_tag(path=AXE)

    def faults() -> list[Any]:
        results = json.loads(page.evaluate("async () => JSON.stringify(await axe.run(document))"))
        serious = [fault for fault in results["violations"] if fault["impact"] in ("serious", "critical")]
        return [(fault["id"], [node["failureSummary"] for node in fault["nodes"]]) for fault in serious]

    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.keyboard.press("Escape")
        assert page.evaluate("document.body.classList.contains('dark')") is (scheme == "dark")
        assert faults() == []
        page.keyboard.press("e" if scheme == "light" else "r")
        page.locator(".form").wait_for()
        assert faults() == []
    page.set_viewport_size({"width": 390, "height": 844})
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    save = page.get_by_role("button", name="Save").bounding_box()
    bar = page.locator("footer").bounding_box()
    assert save
    assert bar
    assert save["y"] + save["height"] <= bar["y"], "the form is not covered by the bar below"
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_other_pages_and_bad_verdicts_are_refused_in_a_sentence(review: tuple[str, Callable[[], str]]) -> None:
    with httpx.Client(base_url=review[0], timeout=PATIENCE, trust_env=False) as http:
        good = {"verdict": "accepted"}
        for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
            assert http.post("/api/rows/7/verdict", json=good, headers=headers).status_code == 403
        for address, body, status in [
            ("/api/rows/7/verdict", {"verdict": "corrected", "caption": " "}, 422),
            ("/api/rows/7/verdict", {"verdict": "perhaps"}, 422),
            ("/api/rows/7/verdict", {"verdict": "corrected"}, 422),
            ("/api/rows/99/verdict", good, 404), (f"/api/rows/{2**70}/verdict", good, 422),
        ]:  # fmt: skip
            answer = http.post(address, json=body)
            assert (answer.status_code, answer.json()["error"][-1]) == (status, "."), answer.text
        for address, status in [
            ("/api/rows/99/image", 404), ("/api/sample?kind=others", 422), ("/api/sample?count=9999", 422),
            ("/api/sample?kind=all&fault=' OR 1 --", 200),
        ]:  # fmt: skip
            assert http.get(address).status_code == status
        assert len(http.get("/api/sample?kind=all").json()) == 12
        assert [row["number"] for row in http.get("/api/sample?kind=all&seed=5").json()] == [
            row["number"] for row in http.get("/api/sample?kind=all&seed=5").json()
        ]


def test_verdicts_by_key_and_by_button_are_kept_and_written(
    page: Page, review: tuple[str, Callable[[], str]], out: Path
) -> None:
    assert page.locator("header select").first.input_value() == "doubtful"  # what needs a person comes first
    assert number(page) >= 6
    assert page.locator(".caption").inner_text() == f"{SAID} {number(page)}."  # as text, never as markup
    page.wait_for_function("document.querySelector('.picture img').naturalWidth === 16")
    assert "Its class is known: pond." in page.locator(".told").inner_text()
    accepted = said(page, lambda: page.keyboard.press("a"))
    page.keyboard.press("e")
    page.locator("textarea").fill("A lake, as a person says, with an area by the shore.")
    corrected = said(page, lambda: page.keyboard.press("Control+Enter"))
    page.keyboard.press("r")
    page.keyboard.type("names what is not there")
    rejected = said(page, lambda: page.keyboard.press("Enter"))
    page.get_by_role("button", name="Reject").click()
    page.keyboard.press("Escape")  # nothing was said
    assert page.locator(".form").is_hidden()
    by_button = said(page, lambda: page.get_by_role("button", name="Accept").click())
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert (number(page), page.locator(".badge").inner_text()) == (rejected, "rejected")
    page.locator("header select").first.select_option("corrected")
    page.wait_for_function(f"document.querySelector('.place')?.textContent.startsWith('row {corrected},')")
    assert "(1)" in page.locator("header select").first.locator("option:checked").inner_text()
    assert review[1]() == ""
    kept = {line["row"]: line["caption"] for line in map(json.loads, out.read_text("utf-8").splitlines())}
    assert set(kept) == {*range(6), accepted, corrected, by_button}
    assert kept[corrected] == "A lake, as a person says, with an area by the shore."
    left = [json.loads(line) for line in out.with_name("out.left_out.jsonl").read_text("utf-8").splitlines()]
    assert {line["row"] for line in left} == set(range(6, 12)) - set(kept)
    assert [line["remark"] for line in left if line["row"] == rejected] == ["names what is not there"]
