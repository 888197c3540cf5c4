"""Drawing masks by mouse, pen and touch, and what can be done to them."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import BrowserContext

from canvas.paint.clouds import find_clouds
from tests.app.server_process import Server
from tests.browser.driver import Canvas
from tests.canvas.cloud_pictures import cloudy, forest

pytestmark = pytest.mark.needs_browser

FRAME = {"x": 0, "y": 0, "w": 128, "h": 128}


@pytest.fixture
def drawing(canvas: Canvas, server: Server) -> Canvas:
    """A scene with some ground, at 100 %, the frame over it, nothing drawn yet."""
    scene = server.new_scene()
    server.painted(scene, frame=[0, 0, 128, 128])
    canvas.open(scene)
    canvas.get("(c.actualSize(), c.lookAt(64, 64), c.setFrame({x: 0, y: 0, w: 128, h: 128}), c.surface.focus())")
    canvas.get("c.mask.set({size: 20, hardness: 1})")
    return canvas


def mask(canvas: Canvas) -> np.ndarray:
    """What the server would get, over the scene from -64 to 192: uint8 (256, 256)."""
    found = canvas.page.evaluate("() => document.querySelector('scene-canvas').mask.request()")
    whole = np.zeros((256, 256), np.uint8)
    if isinstance(found, str):
        assert "empty" in found
        return whole
    x, y = (value + 64 for value in found["at"])
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(found["mask"]))).convert("L"))
    whole[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
    return whole


def at(whole: np.ndarray, x: int, y: int) -> int:
    """The mask at a place of the scene."""
    return int(whole[y + 64, x + 64])


def test_brush_eraser_and_their_undo(drawing: Canvas) -> None:
    page = drawing.page
    page.keyboard.press("b")
    drawing.drag((20, 40), (100, 40))
    painted = mask(drawing)
    assert at(painted, 60, 40) == at(painted, 60, 48) == 255
    assert at(painted, 60, 55) == at(painted, 60, 25) == 0
    page.keyboard.press("x")
    drawing.drag((60, 20), (60, 60))
    erased = mask(drawing)
    assert at(erased, 60, 40) == 0
    assert at(erased, 30, 40) == at(erased, 90, 40) == 255
    page.keyboard.press("Control+z")
    assert np.array_equal(mask(drawing), painted)
    page.keyboard.press("Control+Shift+z")
    assert np.array_equal(mask(drawing), erased)
    page.keyboard.press("Control+z")
    page.keyboard.press("z")
    assert not mask(drawing).any()
    assert drawing.scene["revision"] == 1, "the strokes were undone, not the scene"
    page.keyboard.press("Control+z")
    drawing.wait("c.state.scene.can_redo")


def test_size_hardness_and_keys(drawing: Canvas) -> None:
    page = drawing.page
    page.keyboard.press("b")
    page.keyboard.press("]")
    page.keyboard.press("]")
    assert drawing.get("c.mask.settings.size") > 24
    for _ in range(40):
        page.keyboard.press("[")
    assert drawing.get("c.mask.settings.size") == 1
    drawing.get("c.mask.set({size: 60, hardness: 0})")
    drawing.drag((64, 64), (66, 64))
    soft = mask(drawing)
    assert at(soft, 64, 64) > 128
    assert 0 < at(soft, 64, 86) < at(soft, 64, 74), "it fades towards the rim"


def test_lasso_and_rectangle_add_and_take_away(drawing: Canvas) -> None:
    page = drawing.page
    page.keyboard.press("r")
    drawing.drag((10, 10), (90, 70))
    box = mask(drawing)
    assert at(box, 12, 12) == at(box, 88, 68) == 255
    assert at(box, 95, 40) == 0
    page.keyboard.press("l")
    page.keyboard.down("Alt")
    page.mouse.move(*drawing.screen(30, 30))
    page.mouse.down()
    for place in ((60, 30), (60, 60), (30, 60)):
        page.mouse.move(*drawing.screen(*place), steps=3)
    page.mouse.up()
    page.keyboard.up("Alt")
    cut = mask(drawing)
    assert at(cut, 45, 45) == 0
    assert at(cut, 20, 45) == 255


def test_grow_shrink_fill_invert_and_clear(drawing: Canvas) -> None:
    page = drawing.page
    page.keyboard.press("b")
    for start, end in (((40, 40), (90, 40)), ((90, 40), (90, 90)), ((90, 90), (40, 90)), ((40, 90), (40, 40))):
        drawing.drag(start, end)
    ring = mask(drawing)
    assert at(ring, 65, 65) == 0
    bar = page.get_by_role("group", name="Mask", exact=True)
    bar.get_by_role("button", name="Close holes").click()
    filled = mask(drawing)
    assert at(filled, 65, 65) == 255
    bar.get_by_role("button", name="Grow").click()
    grown = mask(drawing)
    assert at(grown, 65, 26) == 255 > at(filled, 65, 26) == 0
    bar.get_by_role("button", name="Shrink").click()
    bar.get_by_role("button", name="Shrink").click()
    assert at(mask(drawing), 65, 36) == 0
    bar.get_by_role("button", name="Invert").click()
    inverted = mask(drawing)
    assert at(inverted, 65, 65) == 0
    assert at(inverted, 5, 5) == 255
    assert at(inverted, 130, 5) == at(inverted, -5, 5) == 0, "inverted within the frame"
    bar.get_by_role("button", name="Clear").click()
    assert not mask(drawing).any()
    drawing.page.keyboard.press("Control+z")
    assert np.array_equal(mask(drawing), inverted)


def test_a_mask_stays_in_place_while_the_map_moves_and_survives_a_reload(drawing: Canvas) -> None:
    page = drawing.page
    page.keyboard.press("b")
    drawing.drag((20, 40), (60, 40))
    before = mask(drawing)
    page.keyboard.down("Space")
    drawing.drag((64, 64), (20, 20))
    page.keyboard.up("Space")
    page.mouse.wheel(0, -300)
    assert np.array_equal(mask(drawing), before), "space pans, and draws nothing"
    page.reload()
    drawing.attached()
    assert np.array_equal(mask(drawing), before)
    page.get_by_role("group", name="Mask", exact=True).wait_for()


def test_what_is_painted_shows_and_what_is_taken_away_does_not(drawing: Canvas) -> None:
    """Only what a stroke touches is drawn again: the picture must be as if all had been."""
    page = drawing.page

    def window() -> np.ndarray:
        page.mouse.move(*drawing.screen(64, 500))
        drawing.drawn()
        box = page.locator(".surface canvas").bounding_box()
        assert box
        clip = {"x": 300, "y": 200, "width": 300, "height": 300}
        return np.asarray(Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB")).astype(int)

    page.keyboard.press("b")
    empty = window()
    drawing.drag((20, 40), (100, 90))
    painted = window()
    assert np.abs(painted - empty).max() > 60
    drawing.get("c.redraw()")
    assert np.abs(window() - painted).max() <= 2
    page.keyboard.press("Control+z")
    assert np.abs(window() - empty).max() <= 2


def imported(server: Server, pixels: np.ndarray) -> str:
    """A scene that holds a picture, its corner at the origin."""
    scene, out = server.new_scene(), io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    told = server.http.post(f"/api/scenes/{scene}/imports", params={"name": "a.png"}, content=out.getvalue())
    wish = {"name": "a.png", "resolution": 1.0, "at": [0, 0]}
    job = server.post(f"/api/scenes/{scene}/imports/{told.json()['file']}", wish)
    assert server.finished(scene, job["id"])["state"] == "done"
    return scene


def test_clouds_are_found_corrected_and_taken_back(canvas: Canvas, server: Server) -> None:
    picture = cloudy(forest(), (90, 100), (50, 20), radius=30)[:192, :192]
    canvas.open(imported(server, picture))
    canvas.get("(c.actualSize(), c.lookAt(96, 96), c.surface.focus(), c.mask.set({size: 20, hardness: 1}))")
    page = canvas.page
    page.keyboard.press("b")
    button = page.get_by_role("group", name="Mask", exact=True).get_by_role("button", name="Find clouds")
    button.click()
    canvas.wait("!c.mask.empty")
    found = mask(canvas)
    assert np.array_equal(found[64:, 64:], find_clouds(picture))
    drawn = (20, 150)
    canvas.drag(drawn, (40, 150))
    more = mask(canvas)
    assert at(more, *drawn) == at(more, 90, 100) == 255 > at(found, *drawn) == 0
    page.keyboard.press("Control+z")
    assert np.array_equal(mask(canvas), found)
    page.keyboard.press("Control+z")
    assert not mask(canvas).any(), "what was found is one step"
    page.keyboard.press("Control+Shift+z")
    page.keyboard.press("Control+Shift+z")
    assert np.array_equal(mask(canvas), more)
    page.reload()
    canvas.attached()
    assert np.array_equal(mask(canvas), more), "what was found survives a reload like any stroke"


def test_a_change_waits_for_the_clouds_that_are_looked_for(canvas: Canvas, server: Server) -> None:
    scene = imported(server, cloudy(forest(), (90, 100), (50, 20), radius=30)[:192, :192])
    canvas.open(scene)
    page, held = canvas.page, []
    page.route("**/clouds", lambda route: held.append(route))
    canvas.get("(c.actualSize(), c.lookAt(96, 96), c.surface.focus())")
    page.keyboard.press("b")
    canvas.drag((20, 150), (40, 150))
    bar = page.get_by_role("group", name="Mask", exact=True)
    with page.expect_request("**/clouds"):
        bar.get_by_role("button", name="Find clouds").click()
    page.locator("#t2e-generate", has_text="Change mask").click()
    page.locator(".notice", has_text="Clouds are being looked for: press again").wait_for()
    drawn = int(mask(canvas).sum())
    held[0].continue_()
    for _ in range(600):  # the clouds are added to what was drawn
        if mask(canvas).sum() > drawn:
            break
        page.wait_for_timeout(100)
    else:
        raise AssertionError("no clouds were added")
    assert server.get(f"/api/scenes/{scene}")["revision"] == 1
    assert not [job for job in server.get(f"/api/scenes/{scene}/jobs") if job["kind"] == "edit"]


def test_what_is_painted_while_a_change_is_asked_for_belongs_to_the_next(
    drawing: Canvas, server: Server, expected_errors: list[str]
) -> None:
    page, held = drawing.page, []
    page.route("**/edits", lambda route: held.append(route))
    page.keyboard.press("b")

    def asked() -> None:
        with page.expect_request("**/edits"):
            page.locator("#t2e-generate", has_text="Change mask").click()

    drawing.drag((20, 40), (40, 40))
    first = mask(drawing)
    asked()
    drawing.wait("c.mask.empty")
    drawing.drag((20, 90), (40, 90))
    second = mask(drawing)
    assert second.any()
    held.pop().fulfill(status=500, json={"error": "No."})
    page.locator(".notice.error").wait_for()
    assert np.array_equal(mask(drawing), np.maximum(first, second)), "refused: nothing that was painted is lost"

    asked()
    drawing.drag((20, 90), (40, 90))
    held.pop().fulfill(status=202, json={})
    page.wait_for_timeout(300)
    assert np.array_equal(mask(drawing), second), "taken: what was painted since stays"
    expected_errors.clear()


def test_after_a_clear_generate_generates(drawing: Canvas) -> None:
    page = drawing.page
    page.keyboard.press("b")
    drawing.drag((20, 40), (100, 40))
    page.get_by_role("group", name="Mask", exact=True).get_by_role("button", name="Clear").click()
    drawing.wait("c.mask.empty")
    page.keyboard.press("v")
    drawing.get("(c.setFrame({x: 128, y: 0, w: 64, h: 64}), c.settings = {steps: 2})")
    page.keyboard.press("Control+Enter")
    drawing.wait("c.state.scene.bounds[2] === 192", 120)


def test_no_clouds_in_sight_are_told(drawing: Canvas) -> None:
    drawing.page.keyboard.press("b")
    bar = drawing.page.get_by_role("group", name="Mask", exact=True)
    drawing.get("c.lookAt(90000, 0)")
    bar.get_by_role("button", name="Find clouds").click()
    drawing.page.locator(".notice", has_text="no ground in sight").wait_for()
    assert not mask(drawing).any()


@pytest.fixture
def touchable(new_context: Callable[..., BrowserContext], server: Server) -> Canvas:
    """A page on a screen that can be touched, the brush in the hand."""
    scene = server.new_scene()
    server.painted(scene, frame=[0, 0, 128, 128])
    context = new_context(viewport={"width": 800, "height": 844}, has_touch=True)
    canvas = Canvas(context.new_page(), server.url).open(scene)
    canvas.get("(c.actualSize(), c.lookAt(64, 64), c.surface.focus(), c.mask.set({size: 40, hardness: 1}))")
    canvas.page.keyboard.press("b")
    return canvas


def test_a_pen_presses(touchable: Canvas) -> None:
    session = touchable.page.context.new_cdp_session(touchable.page)
    for kind, x, force in (
        ("mousePressed", 20, 0.2),
        ("mouseMoved", 60, 0.2),
        ("mouseMoved", 100, 1.0),
        ("mouseReleased", 100, 0),
    ):
        sx, sy = touchable.screen(x, 30)
        event = {"type": kind, "x": sx, "y": sy, "button": "left", "pointerType": "pen", "force": force}
        event |= {"buttons": 0 if kind == "mouseReleased" else 1, "clickCount": int(kind != "mouseMoved")}
        session.send("Input.dispatchMouseEvent", event)
    drawn = mask(touchable)
    assert at(drawn, 30, 30) == 255
    assert at(drawn, 30, 40) == 0, "a light touch draws a thin line"
    assert at(drawn, 100, 46) == 255, "a firm one a broad line"


def test_one_finger_paints_and_two_zoom(touchable: Canvas) -> None:
    session = touchable.page.context.new_cdp_session(touchable.page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        screen = [touchable.screen(*point) for point in points]
        places = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(screen)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    touch("touchStart", (30, 90))
    touch("touchMove", (80, 90))
    touch("touchEnd")
    assert at(mask(touchable), 50, 90) == 255
    before, scale = mask(touchable), touchable.get("c.view.scale")
    touch("touchStart", (30, 60))
    touch("touchStart", (30, 60), (60, 60))
    touch("touchMove", (10, 60), (90, 60))
    touch("touchEnd")
    assert touchable.get("c.view.scale") > scale
    assert np.array_equal(mask(touchable), before), "the first of two fingers never meant to paint"
