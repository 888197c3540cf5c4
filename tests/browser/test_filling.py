"""Regions of a large fill: drawn with their prompts, filled as one step."""

from __future__ import annotations

import pytest

from tests.app.server_process import Server
from tests.browser.driver import Canvas

pytestmark = pytest.mark.needs_browser


def test_prompts_are_dropped_on_regions_and_filled_as_one_step(canvas: Canvas, server: Server) -> None:
    canvas.open(server.new_scene())
    canvas.get("(c.actualSize(), c.lookAt(100, 60), c.surface.focus())")
    canvas.get("(c.settings = {steps: 2})")
    for prompt, start, end in (("forest", (3, 2), (97, 110)), ("desert", (105, 5), (198, 118))):
        canvas.type_prompt(prompt)
        canvas.page.get_by_role("button", name="Regions: prompts").click()
        canvas.drag(start, end)
    canvas.wait("c.regions.list.length === 2")
    first = canvas.page.get_by_label("Prompt of region 1")
    assert first.input_value() == "forest"
    first.fill("meadow")
    canvas.page.get_by_label("Feather, px over which").fill("24")
    canvas.page.locator("#t2e-generate", has_text="Fill").click()
    canvas.wait("c.state.scene.bounds && c.state.jobs.length === 0", 120)
    assert canvas.scene["bounds"] == [0, 0, 200, 120]
    canvas.wait_painted(50, 60)
    canvas.wait_painted(150, 60)
    recipe = server.get(f"/api/scenes/{canvas.scene['id']}/recipe")
    assert [(p["text"], p["feather"]) for p in recipe["prompts"]] == [("meadow", 24), ("desert", 24)]
    assert recipe["prompts"][0]["region"] == [0, 0, 104, 112]
    assert canvas.page.get_by_role("group", name="Regions").is_hidden()


def test_a_polygon_is_clicked_and_filled_and_nothing_beside_it(canvas: Canvas, server: Server) -> None:
    canvas.open(server.new_scene())
    canvas.get("(c.actualSize(), c.lookAt(100, 60), c.settings = {steps: 2})")
    page = canvas.page
    page.get_by_role("button", name="Regions: prompts").click()
    page.get_by_role("button", name="Draw a polygon").click()
    for corner in ((0, 0), (200, 0), (200, 130), (150, 130), (0, 0)):
        page.mouse.click(*canvas.screen(*corner))
    canvas.wait("c.regions.list.length === 1 && !c.regionTool.draft")
    page.locator("#t2e-generate", has_text="Fill").click()
    canvas.wait("c.state.scene.bounds && c.state.jobs.length === 0", 120)
    canvas.wait_painted(160, 40)
    canvas.wait_painted(20, 110, painted=False)
    (polygon,) = server.get(f"/api/scenes/{canvas.scene['id']}/recipe")["region"]
    assert len(polygon) == 4


def test_escape_and_backspace_take_a_polygon_back(canvas: Canvas, server: Server) -> None:
    canvas.open(server.new_scene())
    page = canvas.page
    page.get_by_role("button", name="Regions: prompts").click()
    page.get_by_role("button", name="Draw a polygon").click()
    canvas.get("(c.actualSize(), c.lookAt(100, 60))")
    for corner in ((0, 0), (150, 0), (150, 90)):
        page.mouse.click(*canvas.screen(*corner))
    page.keyboard.press("Backspace")
    canvas.wait("c.regionTool.draft.points.length === 3")
    page.keyboard.press("Escape")
    canvas.wait("!c.regionTool.draft && c.regions.empty")


def test_a_large_fill_is_asked_about_first(canvas: Canvas, server: Server) -> None:
    canvas.open(server.new_scene())
    canvas.get("(c.regions.add({x: 0, y: 0, w: 40000, h: 40000}, 'forest'), c.surface.focus())")
    fill = canvas.page.locator("#t2e-generate", has_text="Fill")
    fill.click()
    question = canvas.page.get_by_role("dialog", name="A large fill")
    question.get_by_text("40,000 × 40,000 px").wait_for()
    question.get_by_role("button", name="Cancel").click()
    canvas.wait("c.regions.list.length === 1")
    assert canvas.get("c.state.jobs.length") == 0


def test_the_preview_of_a_huge_region_stays_small_and_in_its_place(canvas: Canvas, server: Server) -> None:
    canvas.open(server.new_scene())
    shown = canvas.get("""(() => {
      const red = new OffscreenCanvas(8, 8);
      const paint = red.getContext("2d");
      paint.fillStyle = "red";
      paint.fillRect(0, 0, 8, 8);
      c.map.addPreview("job", {x: -8, y: 0, w: 131072, h: 65536}, {x: 65528, y: 0, w: 65536, h: 65536}, red);
      const {picture} = c.map.previews.get("job");
      const alpha = (x) => picture.getContext("2d").getImageData(x, 100, 1, 1).data[3];
      c.map.dropPreview("job");
      return [picture.width, picture.height, alpha(500), alpha(520)];
    })()""")
    assert shown == [1024, 512, 0, 255]


def test_resolutions_that_the_model_does_not_know_are_marked(canvas: Canvas, server: Server) -> None:
    canvas.open(server.new_scene())
    picker = canvas.page.locator("#t2e-resolution")
    picker.locator("label", has_text="16 *").click()
    canvas.wait("c.state.scene.resolution === 16")
    picker.get_by_text("not trained at 16 m/px").wait_for()
    picker.locator("label", has_text="0.3").click()
    canvas.wait("c.state.scene.resolution === 0.3")


def test_a_region_can_be_taken_back_before_the_fill(canvas: Canvas, server: Server) -> None:
    canvas.open(server.new_scene())
    canvas.get("(c.actualSize(), c.lookAt(100, 60), c.surface.focus())")
    canvas.page.keyboard.press("m")
    canvas.drag((3, 2), (97, 110))
    canvas.wait("c.regions.list.length === 1")
    canvas.page.get_by_role("button", name="Remove this region").click()
    canvas.wait("c.regions.empty")
    assert canvas.scene["empty"]


def test_a_cancelled_fill_can_be_resumed_after_a_reload(canvas: Canvas, server: Server) -> None:
    scene = server.new_scene()
    fill = {"bbox": [0, 0, 2048, 2048], "prompts": [{"text": "forest"}], "steps": 60, "seed": 1, "confirmed": True}
    job = server.post(f"/api/scenes/{scene}/fills", fill)["id"]
    canvas.open(scene)
    canvas.wait("c.state.jobs[0].step > 0")
    row = canvas.page.locator("[data-t2e-slot=queue] li")
    row.get_by_role("button", name="Cancel: forest").click()
    assert server.finished(scene, job)["state"] == "cancelled"
    canvas.page.reload()
    canvas.attached()
    canvas.page.get_by_text("What was done is kept").wait_for()
    row.get_by_role("button", name="Retry").click()
    canvas.wait("c.state.jobs[0]?.notes.some((note) => note.includes('goes on where it was'))")
    row.get_by_role("button", name="Cancel: forest").click()
    assert server.finished(scene, job)["state"] == "cancelled"
