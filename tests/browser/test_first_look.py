"""What is seen first: the frame of the page at once, in the light that was chosen; and the list of scenes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Route, expect

from tests.app.server_process import Server
from tests.browser.driver import Canvas

pytestmark = pytest.mark.needs_browser

DARK = "document.body.classList.contains('dark')"


def luminance(canvas: Canvas, selector: str) -> float:
    """Of an element's background, 0 to 255."""
    script = """(selector) => getComputedStyle(document.querySelector(selector)).backgroundColor.match(/\\d+/g)
      .slice(0, 3).map(Number).reduce((a, b) => a + b) / 3"""
    found: float = canvas.page.evaluate(script, selector)
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_frame_holds_the_place_until_the_canvas_is_there(canvas: Canvas, server: Server, scheme: str) -> None:
    page = canvas.page
    page.emulate_media(color_scheme=scheme)
    held: list[Route] = []
    page.route("**/scene-canvas.mjs", lambda route: held.append(route))
    page.goto(f"{server.url}/?scene={server.new_scene()}", wait_until="commit")
    page.locator("#t2e-starting header", has_text="Text2Earth").wait_for()
    page.wait_for_function("document.querySelector('scene-canvas')")
    assert page.locator("#t2e-starting .line").is_visible()
    assert (luminance(canvas, "#t2e-starting") < 128) is (scheme == "dark")
    for route in held:
        route.continue_()
    canvas.attached()
    page.locator("#t2e-starting").wait_for(state="detached")


def test_light_and_dark_are_chosen_kept_and_left_to_the_system_again(canvas: Canvas, server: Server) -> None:
    page = canvas.page
    page.emulate_media(color_scheme="light")
    canvas.open(server.new_scene())
    button = page.get_by_role("button", name="Theme:")
    assert button.get_attribute("aria-label") == "Theme: as the system"
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(DARK)
    button.click()
    assert button.get_attribute("aria-label") == "Theme: light"
    assert luminance(canvas, ".top-bar") > 200
    button.click()
    page.emulate_media(color_scheme="light")
    page.reload()
    canvas.attached()
    assert page.evaluate(DARK), "it is kept, whatever the system is"
    assert luminance(canvas, ".top-bar") < 60
    button.click()
    page.wait_for_function(f"!{DARK}")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(DARK)


def test_the_list_of_scenes_shows_each_and_what_can_be_done_to_it(canvas: Canvas, server: Server) -> None:
    first, other = (server.new_scene(title=title) for title in ("Delta", "Ridge"))
    for scene in (first, other):
        server.painted(scene)
    page = canvas.open(first).page
    canvas.menu("Open …")
    dialog = page.get_by_role("dialog", name="Open a scene")
    row = dialog.get_by_role("listitem").filter(has_text="Ridge").first
    page.wait_for_function(
        "[...document.querySelectorAll('img.scene-picture')].some((image) => image.naturalWidth === 64)"
    )
    row.get_by_role("button", name="Rename “Ridge”").click()
    page.get_by_role("textbox", name="Name").fill("High ridge")
    page.get_by_role("button", name="Rename", exact=True).click()
    row = dialog.get_by_role("listitem").filter(has_text="High ridge").first
    row.wait_for()
    assert server.get(f"/api/scenes/{other}")["title"] == "High ridge"
    row.get_by_role("button", name="Duplicate “High ridge”").click()
    copy = dialog.get_by_role("listitem").filter(has_text="High ridge (copy)")
    copy.wait_for()
    with page.expect_download() as waiting:
        copy.get_by_role("button", name="Download “High ridge (copy)”").click()
    assert waiting.value.suggested_filename == "High ridge (copy).t2e"
    copy.get_by_role("button", name="Delete “High ridge (copy)”").click()
    asked = page.get_by_role("dialog", name="Delete scene")
    asked.get_by_role("button", name="Cancel").click()
    assert copy.count() == 1
    copy.get_by_role("button", name="Delete “High ridge (copy)”").click()
    asked.get_by_role("button", name="Delete", exact=True).click()
    copy.wait_for(state="detached")
    assert canvas.get("c.sceneId") == first, "what was open stays open"
    row.get_by_role("button", name="High ridge").first.click()
    canvas.wait(f"c.sceneId === '{other}' && c.state.scene")


def test_a_long_list_is_searched(canvas: Canvas, server: Server) -> None:
    for number in range(9):
        server.new_scene(title=f"Fjord {number}")
    page = canvas.open(server.new_scene()).page
    canvas.menu("Open …")
    dialog = page.get_by_role("dialog", name="Open a scene")
    dialog.get_by_role("searchbox", name="Search scenes").fill("fjord 7")
    expect(dialog.get_by_role("listitem")).to_have_count(1)
    expect(dialog.get_by_role("listitem")).to_contain_text("Fjord 7")
    dialog.get_by_role("searchbox").fill("no such name")
    dialog.get_by_text("No scene has this in its name.").wait_for()


def test_on_a_phone_the_theme_is_in_the_menu(new_context: Callable[..., BrowserContext], server: Server) -> None:
    context = new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    canvas = Canvas(context.new_page(), server.url).open(server.new_scene())
    assert not canvas.page.evaluate(DARK)
    canvas.menu("Theme: as the system")
    canvas.menu("Theme: light")
    canvas.page.wait_for_function(DARK)


def test_every_resolution_has_a_picture_of_one_house_as_large_as_it_is_there(canvas: Canvas, server: Server) -> None:
    page = canvas.open(server.new_scene()).page
    page.locator("#t2e-resolution label", has_text="0.5").wait_for()
    widths = page.evaluate("""() => Object.fromEntries(
      [...document.querySelectorAll("#t2e-resolution label")].map((label) =>
      [label.querySelector("input").value, label.querySelector("[data-house]").getBoundingClientRect().width]))""")
    assert len(widths) > 4
    for metres, width in widths.items():
        assert width == pytest.approx(12 / float(metres), rel=0.05)


def test_a_resolution_of_many_digits_is_written_short(canvas: Canvas, server: Server) -> None:
    page = canvas.open(server.new_scene(resolution=0.9047568965420465)).page
    chosen = page.locator("#t2e-resolution label.selected")
    expect(chosen).to_have_text("0.9")
    assert chosen.get_attribute("title") == "0.9047568965420465 metres per pixel"
