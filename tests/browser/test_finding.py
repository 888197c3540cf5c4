"""Finding places on the map: typed, listed, outlined, gone to."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.app.server_process import Server
from tests.app.test_find import imported
from tests.browser.driver import Canvas

pytestmark = pytest.mark.needs_browser


def test_places_are_listed_outlined_and_gone_to(canvas: Canvas, server: Server) -> None:
    page = canvas.open(imported(server, server.new_scene())).page
    page.locator(".surface").focus()
    page.keyboard.press("q")
    finder = page.get_by_role("region", name="Find places")
    finder.get_by_role("searchbox", name="What to find").fill("a desert")
    page.keyboard.press("Enter")
    rows = finder.get_by_role("listitem")
    expect(rows).to_have_count(2)
    expect(finder.get_by_role("status")).to_contain_text("The best 2 of 2")
    expect(rows.first).to_contain_text("x 0 m, y 0 m")
    canvas.drawn()
    sides = canvas.get("[c.view.rectToScreen({x: 0, y: 0, w: 256, h: 256})].map(({x, y, w, h}) => [x, y, w, h])[0]")
    box = page.locator(".hit").filter(has_text="1").bounding_box()
    origin = page.locator("scene-canvas").bounding_box()
    assert box
    assert origin
    assert [box["x"] - origin["x"], box["y"] - origin["y"], box["width"], box["height"]] == pytest.approx(sides, abs=1)

    canvas.get("c.moveView(() => { c.view.scale = 1 / 64; c.view.cx = 9000; })")
    canvas.drawn()
    expect(page.locator(".hit")).to_have_count(2)
    rows.nth(1).get_by_role("button").click()
    canvas.drawn()
    seen = canvas.get("c.view.rectToScreen({x: -256, y: 0, w: 256, h: 256})")
    free = canvas.get("c.free")
    assert seen["w"] >= 96
    assert seen["x"] + seen["w"] / 2 == pytest.approx(free["x"] + free["w"] / 2, abs=2)
    expect(page.locator(".hit.chosen")).to_have_text("2")
    assert rows.nth(1).get_by_role("button").get_attribute("aria-current") == "true"

    server.post(f"/api/scenes/{canvas.scene['id']}/erase", {"rect": [0, 0, 256, 256]})
    expect(finder.get_by_role("status")).to_contain_text("find again")
    finder.get_by_role("button", name="Find", exact=True).click()
    expect(rows).to_have_count(1)
    page.keyboard.press("Escape")
    expect(finder).to_be_hidden()
    expect(page.locator(".hit")).to_have_count(0)


@pytest.mark.parametrize("size", [(390, 844), (768, 1024), (1280, 800)])
def test_a_place_that_is_gone_to_lies_beside_the_list(
    new_context: Callable[..., BrowserContext], server: Server, size: tuple[int, int]
) -> None:
    context = new_context(viewport={"width": size[0], "height": size[1]})
    canvas = Canvas(context.new_page(), server.url).open(imported(server, server.new_scene()))
    page = canvas.page
    page.get_by_role("button", name="Find places").click()
    finder = page.get_by_role("region", name="Find places")
    finder.get_by_role("searchbox").fill("a desert")
    page.keyboard.press("Enter")
    finder.get_by_role("listitem").nth(1).get_by_role("button").click()
    canvas.drawn()
    found, over = page.locator(".hit.chosen").bounding_box(), finder.bounding_box()
    assert found
    assert over
    x, y = found["x"] + found["width"] / 2, found["y"] + found["height"] / 2
    assert page.evaluate("([x, y]) => document.elementFromPoint(x, y).closest('.surface') !== null", [x, y])
    assert over["x"] + over["width"] <= size[0]
    assert over["y"] + over["height"] <= size[1]
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#t2e-panel")).to_be_visible()


def test_an_empty_scene_says_so_and_another_scene_forgets_the_hits(
    canvas: Canvas, server: Server, expected_errors: list[str]
) -> None:
    empty, land = server.new_scene(), imported(server, server.new_scene())
    page = canvas.open(land).page
    page.get_by_role("button", name="Find places").click()
    finder = page.get_by_role("region", name="Find places")
    finder.get_by_role("searchbox").fill("forest")
    finder.get_by_role("button", name="Find", exact=True).click()
    expect(finder.get_by_role("listitem")).to_have_count(2)
    canvas.get(f"c.openScene('{empty}')")
    canvas.attached()
    expect(finder.get_by_role("listitem")).to_have_count(0)
    finder.get_by_role("button", name="Find", exact=True).click()
    expect(finder.get_by_role("status")).to_contain_text("nothing to search")
    expected_errors.clear()
