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
    canvas.page.get_by_role("button", name="Fill", exact=True).last.click()
    canvas.wait("c.state.scene.bounds && c.state.jobs.length === 0", 120)
    assert canvas.scene["bounds"] == [0, 0, 200, 120]
    canvas.wait_painted(50, 60)
    canvas.wait_painted(150, 60)
    recipe = server.get(f"/api/scenes/{canvas.scene['id']}/recipe")
    assert [(p["text"], p["feather"]) for p in recipe["prompts"]] == [("meadow", 24), ("desert", 24)]
    assert recipe["prompts"][0]["region"] == [0, 0, 104, 112]
    assert canvas.page.get_by_role("group", name="Regions").is_hidden()


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
    fill = {"bbox": [0, 0, 512, 512], "prompts": [{"text": "forest"}], "steps": 60, "seed": 1}
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
