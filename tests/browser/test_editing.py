"""Editing as a person does it: paint, say, compare, choose; walk through the history; by keyboard alone as well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest

from tests.app.server_process import Server
from tests.browser.driver import Canvas

pytestmark = pytest.mark.needs_browser

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
GROUND = [0, 0, 128, 128]


@pytest.fixture
def scene(server: Server) -> str:
    """A scene with ground that the tiny model made."""
    made = server.new_scene()
    server.painted(made, frame=GROUND)
    return made


def paint(canvas: Canvas) -> None:
    """A short stroke in the middle of the ground."""
    canvas.page.locator(".surface").focus()
    canvas.page.keyboard.press("b")
    canvas.get("c.mask.set({size: 24, hardness: 1, variations: 3, feather: 4})")
    canvas.drag((50, 60), (70, 64))


def ask(canvas: Canvas, prompt: str = "a lake") -> None:
    """Ask for an edit of what is painted, in few steps, and wait for its candidates."""
    canvas.get("c.settings = {steps: 2}")
    canvas.type_prompt(prompt)
    canvas.page.locator("#t2e-generate", has_text="Change mask").click()
    canvas.wait("c.state.candidates.length === 3 && c.state.jobs.length === 0", 120)


def colour(canvas: Canvas, x: float, y: float) -> list[int]:
    """What the map shows at a place in scene pixels."""
    px, py = canvas.screen(x, y)
    script = """([x, y]) => [...document.querySelector(".surface canvas").getContext("2d")
      .getImageData(x * devicePixelRatio, y * devicePixelRatio, 1, 1).data]"""
    found: list[int] = canvas.page.evaluate(script, [px, py])
    return found


def test_paint_compare_accept_and_take_back(canvas: Canvas, server: Server, scene: str) -> None:
    page = canvas.open(scene).page
    canvas.wait_painted(60, 62)
    paint(canvas)
    ask(canvas)
    canvas.wait("c.mask.empty")  # it goes with the request, whose answer may come after the candidates
    page.get_by_role("group", name="Candidates").wait_for()
    canvas.wait("c.staging.size === 3")
    canvas.drawn()

    page.locator(".surface").focus()
    shown = [colour(canvas, 60, 62)]
    for _ in range(2):
        page.keyboard.press("ArrowRight")
        canvas.drawn()
        shown.append(colour(canvas, 60, 62))
    assert len({tuple(one) for one in shown}) > 1, "candidates differ"
    page.keyboard.down("b")
    canvas.drawn()
    before = colour(canvas, 60, 62)
    page.keyboard.up("b")
    canvas.drawn()
    assert colour(canvas, 60, 62) == shown[2]

    page.keyboard.press("Enter")
    canvas.wait("c.state.scene.revision === 2 && c.state.candidates.length === 0 && c.staging.size === 0")
    canvas.drawn()
    assert colour(canvas, 60, 62) == shown[2], "accepted is what was shown"
    steps = server.get(f"/api/scenes/{scene}/steps")
    assert [step["request"]["prompt"] for step in steps][1:] == ["a lake"]
    page.keyboard.press("Control+z")
    canvas.wait("c.state.scene.revision === 3")
    canvas.drawn()
    assert colour(canvas, 60, 62) == before


def test_the_first_candidate_is_shown_while_others_are_made_and_ends_them_when_it_is_taken(
    canvas: Canvas, server: Server, scene: str
) -> None:
    page = canvas.open(scene).page
    paint(canvas)
    canvas.get("(c.settings = {steps: 90, follow: 0.25}, c.mask.set({variations: 8, strength: 0.9}))")
    page.locator("#t2e-generate", has_text="Change mask, 8 variations, about").wait_for()
    page.locator("#t2e-generate", has_text="Change mask").click()
    page.get_by_role("option", name="Candidate 1").wait_for()
    page.get_by_text("more coming").wait_for()
    assert page.get_by_role("option", name="Candidate 1").get_attribute("aria-selected") == "true"
    canvas.wait("c.staging.size > 0 && c.state.jobs.length === 1")
    page.get_by_role("button", name="Accept").click()
    canvas.wait("c.state.scene.revision === 2 && c.state.candidates.length === 0 && c.state.jobs.length === 0")
    [job] = [one for one in server.get(f"/api/scenes/{scene}/jobs") if one["kind"] == "edit"]
    assert job["state"] == "cancelled"
    made = server.get(f"/api/scenes/{scene}/history")[-1]["request"]
    assert (made["follow"], made["strength"], made["steps"]) == (0.25, 0.9, 90)


def test_candidates_survive_a_reload_and_escape_discards_them(canvas: Canvas, server: Server, scene: str) -> None:
    page = canvas.open(scene).page
    paint(canvas)
    ask(canvas)
    page.reload()
    canvas.attached()
    page.get_by_role("option", name="Candidate 2").click()
    page.get_by_text("2 of 3").wait_for()
    page.locator(".surface").focus()
    page.keyboard.press("Escape")
    canvas.wait("c.state.candidates.length === 0")
    page.get_by_role("group", name="Candidates").wait_for(state="hidden")
    assert server.get(f"/api/scenes/{scene}")["revision"] == 1

    paint(canvas)
    ask(canvas)
    page.locator(".surface").focus()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Take the mask again").click()
    canvas.wait("!c.mask.empty && c.state.candidates.length === 0")


def test_an_edit_that_is_cancelled_gives_its_mask_back(canvas: Canvas, server: Server, scene: str) -> None:
    page = canvas.open(scene).page
    paint(canvas)
    painted = canvas.get("JSON.stringify(c.mask.area)")
    canvas.get("(c.settings = {steps: 90}, c.mask.set({variations: 8}))")
    page.locator("#t2e-generate", has_text="Change mask").click()
    canvas.wait("c.mask.empty && c.state.jobs.length === 1")
    page.reload()  # it is known after a reload, too
    canvas.attached()
    page.get_by_role("button", name="Cancel this job").click()
    canvas.wait("!c.mask.empty && c.state.jobs.length === 0")
    assert canvas.get("JSON.stringify(c.mask.area)") == painted


def test_escape_during_a_stroke_drops_the_stroke_and_keeps_the_candidates(
    canvas: Canvas, server: Server, scene: str
) -> None:
    page = canvas.open(scene).page
    paint(canvas)
    ask(canvas)
    page.locator(".surface").focus()
    page.keyboard.press("e")
    page.mouse.move(*canvas.screen(20, 20))
    page.keyboard.press("x")  # the brush: B holds what was there while candidates are shown
    page.mouse.down()
    page.mouse.move(*canvas.screen(40, 20), steps=3)
    assert not canvas.get("c.mask.empty")
    page.keyboard.press("Escape")
    page.mouse.up()
    canvas.wait("c.mask.empty")
    assert canvas.get("c.state.candidates.length") == 3
    assert len(server.get(f"/api/scenes/{scene}/candidates")) == 3
    page.keyboard.press("Escape")
    canvas.wait("c.state.candidates.length === 0")


def test_a_place_that_changed_meanwhile_is_told(
    canvas: Canvas, server: Server, scene: str, expected_errors: list[str]
) -> None:
    page = canvas.open(scene).page
    paint(canvas)
    ask(canvas)
    server.post(f"/api/scenes/{scene}/erase", {"rect": [48, 48, 16, 16]})
    page.get_by_role("button", name="Accept").click()
    page.get_by_text("This place has changed").wait_for()
    assert all("409" in error for error in expected_errors)
    expected_errors.clear()
    page.locator(".notice").get_by_role("button", name="Discard").click()
    canvas.wait("c.state.candidates.length === 0")


def test_the_main_button_says_that_a_mask_makes_it_an_edit(canvas: Canvas, server: Server, scene: str) -> None:
    page = canvas.open(scene).page
    page.locator(".surface").focus()
    page.keyboard.press("b")
    page.locator("#t2e-generate", has_text="Generate").wait_for()
    paint(canvas)
    page.locator("#t2e-generate", has_text="Change mask, 3 variations").wait_for()
    canvas.get("c.settings = {steps: 2}")
    page.keyboard.press("Control+Enter")
    canvas.wait("c.state.candidates.length === 3", 120)


def test_walking_through_the_history(canvas: Canvas, server: Server, scene: str) -> None:
    for number, place in enumerate((128, 256), start=2):
        server.painted(scene, frame=[place, 0, 64, 64], prompt=f"step {number}", seed=40 + number)
    page = canvas.open(scene).page
    page.locator("#t2e-history").get_by_role("button", name="History").click()
    rows = page.locator(".history-row")
    rows.nth(3).wait_for()
    assert rows.nth(0).get_attribute("aria-current") == "step"
    assert "seed 43" in rows.nth(0).inner_text()
    page.wait_for_function(
        "[...document.querySelectorAll('.history-row img')].every((image) => image.naturalWidth > 0)"
    )

    page.get_by_role("button", name="Go to this step: (no prompt)").click()
    canvas.wait("c.state.scene.bounds?.[2] === 128")
    page.wait_for_function("document.querySelectorAll('.history-row.undone').length === 2")
    page.get_by_role("button", name="Go to this step: step 3").click()
    canvas.wait("c.state.scene.bounds?.[2] === 320")
    page.get_by_role("button", name="Go to this step: The scene before").click()
    canvas.wait("c.state.scene.empty")
    page.get_by_role("button", name="Go to this step: step 2").click()
    canvas.wait("c.state.scene.bounds?.[2] === 192")

    page.get_by_role("button", name="Use these settings again: step 3").click()
    canvas.wait("c.settings.prompt === 'step 3' && c.settings.seed === 43 && c.settings.seed_locked")

    # A new change leaves step 3 beside it, which is said and asks nothing.
    canvas.get("(c.setFrame({x: 0, y: 128, w: 64, h: 64}), c.settings = {steps: 2})")
    page.locator("#t2e-generate").click()
    page.get_by_text("What you have undone stays in the history").wait_for()
    canvas.wait("!c.state.scene.can_redo && c.state.scene.bounds?.[3] === 192", 60)
    aside = page.locator(".history-row.aside")
    aside.get_by_role("button", name="Go to this step: step 3").click()
    canvas.wait("String(c.state.scene.bounds) === '0,0,320,128'")


def test_an_edit_by_keyboard_alone(canvas: Canvas, server: Server, scene: str) -> None:
    """Invert over an empty mask takes the whole frame: no pointer is needed to say where."""
    page = canvas.open(scene).page
    canvas.get("c.setFrame({x: 40, y: 40, w: 48, h: 48})")
    page.locator(".surface").focus()
    page.keyboard.press("r")

    def tab_to(name: str) -> None:
        for _ in range(120):
            page.keyboard.press("Tab")
            label = page.evaluate("() => document.activeElement.ariaLabel || document.activeElement.textContent.trim()")
            if label.startswith(name):
                return
        raise AssertionError(f"{name} cannot be reached")

    tab_to("Invert")
    page.keyboard.press("Enter")
    canvas.wait("!c.mask.empty")
    canvas.get("(c.settings = {steps: 2}, c.mask.set({variations: 2}))")
    page.keyboard.press("Control+Enter")
    canvas.wait("c.state.candidates.length === 2", 120)
    tab_to("Accept")
    page.keyboard.press("Enter")
    canvas.wait("c.state.scene.revision === 2 && c.state.candidates.length === 0")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(canvas: Canvas, server: Server, scene: str, scheme: str) -> None:
    """With every part of the page shown: mask bar, candidates, history, queue, a notice, then a dialog."""
    page = canvas.page
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # what fades in has no contrast yet
    canvas.open(scene)
    paint(canvas)
    ask(canvas)
    page.locator("#t2e-history").get_by_role("button", name="History").click()
    page.locator(".history-row").first.wait_for()
    page.locator(".surface").focus()
    page.keyboard.press("l")
    canvas.drag((10, 10), (40, 40))
    canvas.get("c.notices.show('A notice.', {action: {label: 'Retry', run: () => {}}})")
    page.add_script_tag(path=AXE)

    def faults() -> list[Any]:
        results = json.loads(page.evaluate("async () => JSON.stringify(await axe.run(document))"))
        return [
            (fault["id"], fault["impact"], [node["html"][:120] + node["failureSummary"] for node in fault["nodes"]])
            for fault in results["violations"]
            if fault["impact"] in ("serious", "critical")
        ]

    assert faults() == []
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    assert faults() == []
