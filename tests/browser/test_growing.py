"""From the first look at the page to a scene that has grown in every direction."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.app.server_process import Server
from tests.browser.driver import LONG, Canvas

pytestmark = pytest.mark.needs_browser


def test_first_run_to_first_tile(canvas: Canvas, server: Server) -> None:
    canvas.open(server.new_scene())
    page = canvas.page
    page.locator(".first-run").wait_for()
    assert page.locator("#t2e-prompt textarea").input_value(), "a prompt is already in the box"
    assert not page.locator(".handle").first.is_visible()

    canvas.type_prompt("dense green forest")
    page.locator("#t2e-resolution label", has_text="2").click()
    canvas.wait("c.state.scene.resolution === 2")
    page.get_by_role("button", name="Make the first tile").click()
    canvas.wait_revision(1)
    canvas.wait_painted(10, 10)
    assert not page.locator(".first-run").is_visible()
    page.locator(".hint-line").wait_for()
    page.wait_for_function("document.querySelector('#t2e-resolution input').disabled")
    page.locator(".status-bar .resolution", has_text="2 m/px (fixed)").wait_for()
    assert canvas.scene["bounds"] == [0, 0, 64, 64]


def test_the_address_without_a_scene_leads_to_the_newest(canvas: Canvas, server: Server) -> None:
    newest = server.new_scene(title="The newest")
    canvas.open()
    assert f"scene={newest}" in canvas.page.url
    canvas.page.locator(".scene-button", has_text="The newest").wait_for()


def test_growing_in_every_direction_then_undo_and_redo(canvas: Canvas, server: Server) -> None:
    scene = server.new_scene()
    server.painted(scene, frame=[-32, -32, 64, 64])
    canvas.open(scene)
    for number, direction in enumerate(("right", "down", "left", "up"), start=2):
        canvas.type_prompt(f"extension to the {direction}")
        canvas.handle(direction).click()
        canvas.wait_revision(number)
    assert canvas.scene["bounds"] == [-32, -64, 96, 128], "up leads back to where it began, so it goes one step further"
    canvas.wait_painted(60, 60)

    canvas.page.keyboard.press("z")
    canvas.wait("c.state.scene.can_redo")
    canvas.page.keyboard.press("Control+z")
    canvas.wait("c.state.scene.revision >= 7")
    canvas.wait_painted(-20, 50, painted=False)
    canvas.page.get_by_role("button", name="Redo").click()
    canvas.wait("c.state.scene.revision >= 8")
    canvas.wait_painted(-20, 50)
    prompts = [step["request"]["prompt"] for step in server.get(f"/api/scenes/{scene}/history")]
    assert prompts[1:] == [f"extension to the {side}" for side in ("right", "down", "left", "up")]


def test_an_extension_taken_back_takes_the_frame_back_and_is_tried_again(canvas: Canvas, server: Server) -> None:
    scene = server.new_scene()
    server.painted(scene, frame=[0, 0, 64, 64])
    page = canvas.open(scene).page
    for revision in (2, 3):
        canvas.handle("right").click()
        canvas.wait_revision(revision)
    assert canvas.get("c.frame.x") == 64
    page.keyboard.press("z")
    canvas.wait("c.frame.x === 32")
    page.keyboard.press("Shift+z")
    canvas.wait("c.frame.x === 64")
    page.reload()
    canvas.attached()
    page.keyboard.press("z")
    canvas.wait("c.frame.x === 32")

    canvas.handle("right").click()
    canvas.wait("!c.state.scene.can_redo && c.state.scene.bounds[2] === 128")
    assert not page.get_by_role("dialog").count()
    assert [step["aside"] for step in server.get(f"/api/scenes/{scene}/history")] == [False, False, True, False]

    long = server.post(f"/api/scenes/{scene}/jobs", LONG | {"frame": [512, 512, 512, 512]})["id"]
    canvas.wait("c.state.jobs.length === 1")
    canvas.handle("down").click()
    canvas.wait("c.frame.y === 32")
    page.get_by_role("button", name="Cancel: ").last.click()
    canvas.wait("c.frame.y === 0")
    server.http.delete(f"/api/jobs/{long}")


def test_the_notice_of_an_erasure_takes_back_nothing_else(canvas: Canvas, server: Server) -> None:
    scene = server.new_scene()
    server.painted(scene, frame=[0, 0, 64, 64])
    server.painted(scene, frame=[32, 0, 64, 64])
    page = canvas.open(scene).page
    undo = page.locator(".notice").get_by_role("button", name="Undo")
    canvas.get("c.actions.erase({x: 0, y: 0, w: 16, h: 16})")
    undo.click()
    canvas.wait("c.state.scene.revision === 4")
    assert len([step for step in server.get(f"/api/scenes/{scene}/history") if not step["undone"]]) == 2
    canvas.get("c.actions.erase({x: 0, y: 0, w: 16, h: 16})")
    undo.wait_for()
    page.keyboard.press("Control+z")
    undo.wait_for(state="detached")
    assert len([step for step in server.get(f"/api/scenes/{scene}/history") if not step["undone"]]) == 2


def test_a_small_frame_has_a_handle_on_the_side_of_the_pointer(canvas: Canvas, server: Server) -> None:
    scene = server.new_scene()
    server.painted(scene, frame=[0, 0, 64, 64])
    page = canvas.open(scene).page
    for scale in (0.9, 0.2):  # 58 and 13 px wide on the screen
        canvas.get(f"(c.view.scale = {scale}, c.lookAt(32, 32))")
        canvas.drawn()
        for place, side in (((32, 32 - 80 / scale), "up"), ((32 + 100 / scale, 32), "right")):
            page.mouse.move(*canvas.screen(*place))
            canvas.handle(side).wait_for()
            assert page.locator(".handle:visible").count() == 1
    canvas.handle("right").click()
    canvas.wait_revision(2)


def test_shift_click_queues_three_in_a_row(canvas: Canvas, server: Server) -> None:
    scene = server.new_scene()
    server.painted(scene, frame=[0, 0, 64, 64])
    canvas.open(scene)
    canvas.handle("right").click(modifiers=["Shift"])
    canvas.wait_revision(4)
    assert canvas.scene["bounds"] == [0, 0, 160, 64]
    seeds = {step["request"]["seed"] for step in server.get(f"/api/scenes/{scene}/history")}
    assert len(seeds) == 4, "an unlocked seed changes with every window"


def test_an_extension_skips_what_is_there_already(canvas: Canvas, server: Server) -> None:
    scene = server.new_scene()
    server.painted(scene, frame=[0, 0, 192, 64])
    canvas.open(scene)
    canvas.get("c.setFrame({x: 0, y: 0, w: 64, h: 64})")
    canvas.handle("right").click()
    canvas.wait_revision(2)
    canvas.wait("c.frame.x !== 0")  # it follows the answer to the request, which may come after the change
    assert canvas.get("c.frame") == {"x": 160, "y": 0, "w": 64, "h": 64}
    assert canvas.scene["bounds"] == [0, 0, 224, 64]


def test_a_frame_anywhere_and_a_locked_seed(canvas: Canvas, server: Server) -> None:
    scene = server.new_scene()
    server.painted(scene, frame=[0, 0, 64, 64])
    canvas.open(scene)
    canvas.page.locator("#t2e-seed input").fill("4711")
    canvas.page.locator("#t2e-seed-lock input").check()
    canvas.wait("c.settings.seed === 4711 && c.settings.seed_locked")
    canvas.page.keyboard.press("Escape")
    canvas.page.locator(".surface").focus()
    canvas.page.keyboard.press("f")
    canvas.drag((100, -60), (190, 10))
    assert canvas.get("c.frame") == {"x": 96, "y": -64, "w": 96, "h": 80}
    canvas.page.keyboard.press("Control+Enter")
    canvas.wait_revision(2)
    step = server.get(f"/api/scenes/{scene}/history")[-1]["request"]
    assert (step["frame"], step["seed"]) == ([96, -64, 96, 80], 4711)
    assert canvas.get("c.settings.seed") == 4711


def test_the_box_shows_the_seed_of_what_is_seen_last(canvas: Canvas, server: Server) -> None:
    scene = server.new_scene()
    page = canvas.open(scene).page
    box = page.locator("#t2e-seed input")

    def made() -> list[int]:
        return [step["request"]["seed"] for step in server.get(f"/api/scenes/{scene}/history")]

    box.fill("21")
    canvas.wait("c.settings.seed === 21")
    page.locator("#t2e-generate").click()
    canvas.wait_revision(1)
    assert (made(), box.input_value()) == ([21], "21")
    canvas.handle("right").click()
    canvas.wait_revision(2)
    assert made()[1] != 21, "what is made next has another one"
    expect(box).to_have_value(str(made()[1]))

    page.get_by_role("button", name="Another seed").click()
    expect(box).not_to_have_value(str(made()[1]))
    rolled = int(box.input_value())
    canvas.handle("down").click()
    canvas.wait_revision(3)
    assert made()[2] == rolled == int(box.input_value())


def test_distances_and_areas_are_measured_on_the_map(canvas: Canvas, server: Server) -> None:
    scene = server.new_scene(resolution=2.0)
    server.painted(scene, frame=[0, 0, 128, 128])
    page = canvas.open(scene).page
    canvas.get("(c.actualSize(), c.lookAt(64, 64), c.surface.focus())")
    page.keyboard.press("u")
    told = page.locator(".status-bar .measured")
    for corner in ((0, 0), (100, 0), (100, 100)):
        page.mouse.click(*canvas.screen(*corner))
    told.get_by_text("400 m · 2 ha if closed").wait_for()
    page.mouse.click(*canvas.screen(0, 0))
    told.get_by_text("2 ha · 683 m around").wait_for()
    page.keyboard.press("Backspace")
    page.mouse.move(*canvas.screen(100, 50))
    page.keyboard.press("Backspace")
    told.get_by_text("300 m").wait_for()
    page.keyboard.press("v")
    page.wait_for_function("document.querySelector('.status-bar .measured').textContent === ''")
    assert server.get(f"/api/scenes/{scene}")["revision"] == 1


def test_a_filled_frame_is_made_anew_as_candidates_once_somebody_says_so(canvas: Canvas, server: Server) -> None:
    scene = server.new_scene()
    server.painted(scene, frame=[0, 0, 64, 64])
    page = canvas.open(scene).page
    canvas.type_prompt("a lake")
    canvas.get("(c.settings = {steps: 2}, c.mask.set({strength: 0.3}))")
    page.get_by_role("button", name="Generate", exact=True).click()
    notice = page.locator(".notice", has_text="This frame is filled")
    notice.get_by_text("3 variations, quality, about").wait_for()
    assert len(server.get(f"/api/scenes/{scene}/jobs")) == 1, "nothing is queued unasked"
    notice.get_by_role("button", name="Make this frame anew").click()
    canvas.wait("c.state.candidates.length === 3 && c.state.jobs.length === 0", 120)
    found = [one["request"] for one in server.get(f"/api/scenes/{scene}/candidates")]
    assert [(one["frame"], one["prompt"], one["strength"]) for one in found] == [([0, 0, 64, 64], "a lake", 1.0)] * 3
    page.get_by_role("button", name="Accept").click()
    canvas.wait("c.state.scene.revision === 2 && c.state.candidates.length === 0")


def test_who_leads_beside_other_ground_is_chosen_kept_and_given_back(canvas: Canvas, server: Server) -> None:
    scene = server.new_scene()
    server.painted(scene, frame=[0, 0, 64, 64], prompt="forest")
    page = canvas.open(scene).page
    canvas.get("c.settings = {steps: 2}")
    slider, auto = page.get_by_role("slider", name="Beside other ground"), page.get_by_role("button", name="Auto")
    assert slider.get_attribute("aria-valuetext") == "Auto"
    slider.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    canvas.wait("c.settings.follow === 0.95")
    assert auto.get_attribute("aria-pressed") == "false"
    canvas.handle("right").click()
    canvas.wait_revision(2)
    page.reload()
    canvas.attached()
    page.wait_for_function("document.querySelector('.follow input')?.value === '0.95'")
    page.get_by_role("button", name="History").click()
    page.locator(".history-row").first.get_by_text("follows the prompt by 95 %").wait_for()

    auto.click()
    canvas.wait("c.settings.follow === null")
    canvas.handle("right").click()
    canvas.wait_revision(3)
    asked = [step["request"]["follow"] for step in server.get(f"/api/scenes/{scene}/history")]
    assert asked == [None, 0.95, None]
    page.locator(".history-row").nth(3).wait_for()
    page.locator(".history-row").nth(1).get_by_role("button", name="Use these settings again").click()
    page.wait_for_function("document.querySelector('.follow input').value === '0.95'")


def test_words_the_model_never_saw_and_words_that_do_not_fit(canvas: Canvas, server: Server) -> None:
    canvas.open(server.new_scene())
    notes = canvas.page.locator("[data-t2e-slot=prompt-notes]")
    canvas.type_prompt("forest with xyzzy")
    notes.locator(".unknown-word", has_text="xyzzy").wait_for()
    canvas.type_prompt(" ".join(["forest"] * 200))
    notes.locator("q").wait_for()
    assert "forest" in notes.locator("q").inner_text()
    canvas.page.get_by_role("button", name="desert").click()
    canvas.page.wait_for_function("!document.querySelector('[data-t2e-slot=prompt-notes] q')")
    assert "desert" in canvas.get("c.settings.prompt")


def test_a_layer_that_the_model_cannot_make_says_why(canvas: Canvas, server: Server) -> None:
    page = canvas.open(server.new_scene()).page
    nir = page.get_by_role("group", name="Layer that is made").get_by_role("button", name="NIR")
    assert nir.get_attribute("aria-disabled") == "true"
    assert "No adapter for NIR" in (nir.get_attribute("title") or "")
    nir.focus()
    page.keyboard.press("Enter")
    page.locator(".notice", has_text="No adapter for NIR").wait_for()
    assert canvas.get("c.layers.active") == "rgb"
