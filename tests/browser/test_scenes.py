"""The scene menu, erasing, and finding one's way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from tests.app.server_process import Server
from tests.app.test_watch import elsewhere
from tests.browser.driver import Canvas

pytestmark = pytest.mark.needs_browser


def test_a_scene_is_renamed_duplicated_downloaded_uploaded_and_deleted(
    canvas: Canvas, server: Server, tmp_path: Path, expected_errors: list[str]
) -> None:
    scene = server.new_scene(title="First")
    server.painted(scene, frame=[0, 0, 64, 64])
    page = canvas.open(scene).page

    canvas.menu("Rename …")
    name = page.get_by_role("textbox", name="Name")
    name.fill("   ")
    page.get_by_role("button", name="Rename", exact=True).click()
    assert "needs a name" in page.get_by_role("alert").inner_text()
    name.fill("Coast <b>study</b>")
    page.get_by_role("button", name="Rename", exact=True).click()
    canvas.wait("c.state.scene.title === 'Coast <b>study</b>'")

    canvas.menu("Duplicate")
    canvas.wait(f"c.sceneId !== '{scene}' && c.state.scene?.tiles > 0")
    copy = canvas.get("c.sceneId")
    assert f"scene={copy}" in page.url
    canvas.wait_painted(32, 32)

    with page.expect_download() as waiting:
        canvas.menu("Download scene file")
    saved = tmp_path / "scene.t2e"
    waiting.value.save_as(saved)
    with page.expect_file_chooser() as chooser:
        canvas.menu("Upload scene file …")
    chooser.value.set_files(saved)
    canvas.wait(f"c.sceneId !== '{copy}' && c.state.scene?.tiles > 0")
    uploaded = canvas.get("c.sceneId")

    bad = tmp_path / "bad.t2e"
    bad.write_bytes(b"this is no scene")
    with page.expect_file_chooser() as chooser:
        canvas.menu("Upload scene file …")
    chooser.value.set_files(bad)
    page.locator(".notice.error").wait_for()
    assert canvas.get("c.sceneId") == uploaded
    assert [error for error in expected_errors if "status of 4" in error], "the browser logs the refusal"
    expected_errors.clear()

    canvas.menu("Delete …")
    page.get_by_role("button", name="Cancel").click()
    assert uploaded in [item["id"] for item in server.get("/api/scenes")]
    canvas.menu("Delete …")
    page.get_by_role("button", name="Delete", exact=True).click()
    canvas.wait(f"c.sceneId !== '{uploaded}' && c.state.scene")
    assert uploaded not in [item["id"] for item in server.get("/api/scenes")]

    canvas.menu("New scene")
    canvas.wait("c.state.scene?.empty")
    canvas.menu("Open …")
    page.locator(".scene-row", has_text="Coast <b>study</b>").first.click()
    canvas.wait("c.state.scene && !c.state.scene.empty")
    page.go_back()
    canvas.wait("c.state.scene?.empty")


def test_a_scene_that_is_gone_says_so(
    canvas: Canvas, server: Server, expected_errors: list[str], new_context: Callable[..., BrowserContext]
) -> None:
    scene = server.new_scene()
    canvas.open(scene)
    assert server.http.delete(f"/api/scenes/{scene}").is_success
    canvas.page.get_by_role("alert").get_by_text("does not exist any more").wait_for()
    server.new_scene()
    canvas.page.get_by_role("button", name="Open another scene").click()
    canvas.wait(f"c.sceneId !== '{scene}' && c.state.scene && !c.state.deleted")

    stranger = Canvas(new_context().new_page(), server.url)
    stranger.page.goto(f"{server.url}/?scene=doesnotexist0")
    stranger.page.get_by_role("alert").get_by_text("does not exist any more").wait_for()
    stranger.page.close()
    assert all("404" in error for error in expected_errors)
    expected_errors.clear()


def test_erasing_a_region_empties_it_and_undo_brings_it_back(canvas: Canvas, server: Server) -> None:
    scene = server.new_scene()
    server.painted(scene, frame=[0, 0, 64, 64])
    page = canvas.open(scene).page
    canvas.wait_painted(20, 20)
    page.keyboard.press("d")
    canvas.drag((9, 9), (30, 30))
    page.locator(".notice", has_text="Erased 24 × 24 px").wait_for()
    canvas.wait_painted(20, 20, painted=False)
    assert canvas.is_painted(50, 50)
    page.locator(".notice").get_by_role("button", name="Undo").click()
    canvas.wait_painted(20, 20)


def test_finding_ones_way_by_keyboard(canvas: Canvas, server: Server) -> None:
    scene = server.new_scene(resolution=2.0)
    server.painted(scene, frame=[0, 0, 64, 64])
    page = canvas.open(scene).page
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keyboard shortcuts").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")

    page.keyboard.press("g")
    page.get_by_role("textbox").last.fill("2000 m, -500")
    page.keyboard.press("Enter")
    canvas.wait("c.view.toScreen(1000, -250).x > 0 && c.view.toScreen(1000, -250).x < c.view.width")
    page.keyboard.press("0")
    canvas.wait("c.view.toScreen(32, 32).x > 0 && c.view.toScreen(32, 32).x < c.view.width")

    frame = canvas.get("c.frame")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    assert canvas.get("c.frame") == frame | {"x": frame["x"] + 8, "y": frame["y"] + 32}
    canvas.page.reload()
    canvas.attached()
    assert canvas.get("c.frame") == frame | {"x": frame["x"] + 8, "y": frame["y"] + 32}, "the place is remembered"


def test_two_fingers_zoom_on_a_small_screen(new_context: Callable[..., BrowserContext], server: Server) -> None:
    scene = server.new_scene()
    server.painted(scene, frame=[0, 0, 64, 64])
    context = new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    canvas = Canvas(context.new_page(), server.url).open(scene)
    before = canvas.get("c.view.scale")
    session = context.new_cdp_session(canvas.page)

    def touch(kind: str, *points: tuple[int, int]) -> None:
        session.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)]},
        )

    touch("touchStart", (150, 200))
    touch("touchStart", (150, 200), (250, 200))
    touch("touchMove", (150, 200), (300, 200))
    touch("touchMove", (100, 200), (300, 200))
    touch("touchEnd")
    assert canvas.get("c.view.scale") == pytest.approx(before * 2, rel=0.05)
    assert canvas.page.locator("#t2e-generate").is_visible()
    assert canvas.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_what_another_program_does_to_the_scene_shows_without_a_reload(canvas: Canvas, server: Server) -> None:
    scene = server.new_scene()
    server.painted(scene, frame=[0, 0, 128, 128])
    canvas.open(scene)
    canvas.wait_painted(70, 70)
    elsewhere(server.data_dir / "scenes" / f"{scene}.t2e", "scene.erase(Rect(0, 0, 128, 120))")
    canvas.wait("c.state.scene.revision === 2")
    canvas.wait_painted(70, 70, painted=False)
    canvas.page.keyboard.press("z")
    canvas.wait("c.state.scene.revision === 3")
    canvas.wait_painted(70, 70)


def test_a_page_that_nobody_sees_holds_no_connection_and_catches_up_when_it_is_seen(
    canvas: Canvas, server: Server
) -> None:
    scene = server.new_scene()
    canvas.page.clock.install()
    canvas.page.add_init_script(
        """Object.defineProperty(document, "hidden", { get: () => window.away === true });
        window.sources = [];
        window.EventSource = class extends EventSource {
            constructor(url) { super(url); window.sources.push(this); }
        };"""
    )
    page = canvas.open(scene).page
    look = "(away) => { window.away = away; document.dispatchEvent(new Event('visibilitychange')); }"
    page.evaluate(look, True)
    page.clock.fast_forward(31_000)
    page.wait_for_function("sources.length === 1 && sources[0].readyState === EventSource.CLOSED")
    server.painted(scene, frame=[0, 0, 64, 64])
    page.evaluate(look, False)
    canvas.wait("c.state.scene.tiles > 0 && c.state.connected")
    canvas.wait_painted(32, 32)
    assert page.evaluate("sources.length") == 2
