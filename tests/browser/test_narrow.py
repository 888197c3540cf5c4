"""On a phone everything is in reach of a thumb; nowhere does a bar lie over the work that was fitted beside it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext

from tests.app.server_process import Server
from tests.browser.driver import Canvas

pytestmark = pytest.mark.needs_browser

THUMB = 44  # CSS px
# Radio buttons and check boxes are pressed by their labels; what is scrolled out of the panel can be scrolled in.
SMALL = f"""() => [...document.querySelectorAll("button, input, textarea")]
  .filter((node) => node.checkVisibility({{visibilityProperty: true}}) && !["radio", "checkbox"].includes(node.type))
  .map((node) => [node.getAttribute("aria-label") ?? node.innerText, node.getBoundingClientRect()])
  .filter(([, box]) => box.width < {THUMB} || box.height < {THUMB}).map(([name]) => name)"""


@pytest.fixture
def phone(new_context: Callable[..., BrowserContext], server: Server) -> Canvas:
    """A phone in the hand, a scene of two windows on it."""
    scene = server.new_scene()
    for x in (0, 32):
        server.painted(scene, frame=[x, 0, 64, 64])
    context = new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    return Canvas(context.new_page(), server.url).open(scene)


def in_sight(canvas: Canvas, selector: str) -> bool:
    """Whether a press in the middle of an element would meet it."""
    script = """(selector) => {
      const node = document.querySelector(selector), box = node.getBoundingClientRect();
      const met = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
      return Boolean(met) && (node.contains(met) || met.contains(node));
    }"""
    met: bool = canvas.page.evaluate(script, selector)
    return met


def test_everything_is_in_reach_and_large_enough(phone: Canvas) -> None:
    page = phone.page
    assert page.evaluate(SMALL) == []
    for label in ("Zoom out", "Fit to content", "Tools"):
        assert in_sight(phone, f'[aria-label="{label}"]')
    for part in (".status-bar .resolution", ".status-bar .scale", ".status-bar .jobs", "#t2e-generate"):
        assert in_sight(phone, part)
    phone.get("c.fit()")
    phone.drawn()
    assert all(in_sight(phone, f'.handle[data-direction="{side}"]') for side in ("up", "right", "down"))

    page.get_by_role("button", name="Tools", exact=True).click()
    page.get_by_role("button", name="Brush: paint the mask").click()
    assert page.get_by_role("button", name="Lasso: outline the mask").is_hidden()
    phone.get("c.mask.apply({kind: 'polygon', erase: false, points: [10, 10, 40, 10, 40, 40, 10, 40]})")
    page.locator("#t2e-generate", has_text="Change mask, 3 variations").wait_for()
    assert in_sight(phone, "#t2e-generate")
    assert page.evaluate(SMALL) == []


def test_buttons_zoom_about_the_middle_of_what_the_panel_leaves_free(phone: Canvas) -> None:
    middle = "(({x, y, w, h}) => c.view.toScene(x + w / 2, y + h / 2))(c.free)"
    before = phone.get(middle)
    for label in ("Zoom in", "Zoom in", "Zoom out"):
        scale = phone.get("c.view.scale")
        phone.page.get_by_role("button", name=label).click()
        assert (phone.get("c.view.scale") > scale) == (label == "Zoom in")
        assert phone.get(middle) == pytest.approx(before)


def test_candidates_have_the_place_of_the_panel_until_one_is_chosen(phone: Canvas) -> None:
    page = phone.page
    phone.get("c.mask.apply({kind: 'polygon', erase: false, points: [10, 10, 40, 10, 40, 40, 10, 40]})")
    phone.get("c.settings = {steps: 2}")
    page.locator("#t2e-generate", has_text="Change mask").click()
    phone.wait("c.state.candidates.length === 3", 120)
    assert page.locator("#t2e-panel").is_hidden()
    page.get_by_role("button", name="Accept").click()
    phone.wait("c.state.candidates.length === 0 && c.state.scene.revision === 3")
    page.locator("#t2e-panel").wait_for()


def test_a_fitted_scene_lies_beside_an_open_bar(canvas: Canvas, server: Server) -> None:
    scene = server.new_scene()
    server.painted(scene, frame=[0, 0, 64, 64])
    page = canvas.open(scene).page
    page.locator(".surface").focus()
    page.keyboard.press("b")
    bar = page.get_by_role("group", name="Mask", exact=True).bounding_box()
    assert bar is not None
    canvas.drawn()
    canvas.get("c.fit()")
    assert canvas.get("c.view.rectToScreen({x: 0, y: 0, w: 64, h: 64}).y") >= bar["y"] + bar["height"]


OVERLAPS = """([first, second]) => {
  const boxes = (selector) => [...document.querySelectorAll(selector)].map((node) => node.getBoundingClientRect());
  return boxes(first).filter((box) => box.width).flatMap((a) => boxes(second).filter((b) => b.width
    && a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)).length;
}"""


@pytest.mark.parametrize(("width", "height"), [(390, 844), (768, 1024)])
def test_a_notice_covers_neither_a_bar_nor_a_handle(
    new_context: Callable[..., BrowserContext], server: Server, width: int, height: int
) -> None:
    scene = server.new_scene()
    server.painted(scene, frame=[0, 0, 64, 64])
    context = new_context(viewport={"width": width, "height": height}, has_touch=True, is_mobile=True)
    canvas = Canvas(context.new_page(), server.url).open(scene)
    canvas.get("c.notices.show('What a notice says can be long', {action: {label: 'Undo', run() {}}, seconds: 0})")
    for zoom in (1, 4):  # the handles beside the frame, and at the edges of what is free
        canvas.get(f"""c.moveView(() => {{
          const {{ x, y, w, h }} = c.view.rectToScreen(c.frame);
          c.view.zoomAt({zoom}, x + w / 2, y + h / 2);
        }})""")
        canvas.drawn()
        assert canvas.page.locator(".handle:visible").count() == 4
        assert canvas.page.evaluate(OVERLAPS, [".notice", ".handle"]) == 0
    canvas.get("c.chooseTool('brush')")
    canvas.drawn()
    assert canvas.page.get_by_role("group", name="Mask", exact=True).is_visible()
    assert canvas.page.evaluate(OVERLAPS, [".notice", ".mask-bar"]) == 0
