"""Work on the canvas: previews, queue, cancel, and a page that goes away and comes back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext

from tests.app.server_process import Server
from tests.browser.driver import LONG, Canvas

pytestmark = pytest.mark.needs_browser


def test_a_reload_during_a_job_attaches_again_and_the_x_cancels(canvas: Canvas, server: Server) -> None:
    scene = server.new_scene()
    job = server.post(f"/api/scenes/{scene}/jobs", LONG)["id"]
    canvas.open(scene)
    canvas.wait("c.map.previews.size === 1 && c.state.jobs[0].step > 0")
    seen = canvas.get("c.state.jobs[0].step")

    canvas.page.reload()
    canvas.attached()
    canvas.wait(f"c.map.previews.size === 1 && c.state.jobs[0].step > {seen}")
    tag = canvas.page.locator(".job-tag.running")
    assert "/" in tag.locator(".text").inner_text()
    tag.get_by_role("button", name="Cancel this job").click()
    canvas.wait("c.state.jobs.length === 0 && c.map.previews.size === 0")
    assert server.finished(scene, job)["state"] == "cancelled"
    assert canvas.scene["empty"]
    canvas.page.locator(".first-run").wait_for()


def test_the_queue_can_be_seen_reordered_and_emptied(canvas: Canvas, server: Server) -> None:
    scene = server.new_scene()
    server.post(f"/api/scenes/{scene}/jobs", LONG)
    for number in range(3):
        server.post(
            f"/api/scenes/{scene}/jobs", LONG | {"prompt": f"waiting {number}", "frame": [512, number * 64, 64, 64]}
        )
    canvas.open(scene)
    rows = canvas.page.locator("[data-t2e-slot=queue] li")
    canvas.wait("c.state.jobs.length === 4 && c.state.jobs[0].state === 'running'")
    canvas.page.wait_for_function("document.querySelectorAll('[data-t2e-slot=queue] li').length === 4")

    rows.nth(3).get_by_role("button", name="Earlier").click()
    canvas.wait("c.state.jobs[2].request.prompt === 'waiting 2'")
    canvas.page.wait_for_function(
        "document.querySelectorAll('[data-t2e-slot=queue] li')[2].innerText.includes('waiting 2')"
    )
    rows.nth(2).get_by_role("button", name="Cancel: waiting 2").click()
    canvas.page.locator(".status-bar .jobs", has_text="3 jobs").wait_for()
    for left in (2, 1, 0):
        rows.last.get_by_role("button", name="Cancel:").click()
        canvas.page.wait_for_function(
            "(left) => document.querySelectorAll('[data-t2e-slot=queue] li').length === left", arg=left
        )
    assert canvas.scene["empty"]


def test_a_job_is_moved_past_its_neighbour_and_not_past_jobs_of_other_scenes(canvas: Canvas, server: Server) -> None:
    mine, other = server.new_scene(), server.new_scene()
    running = server.post(f"/api/scenes/{other}/jobs", LONG)["id"]
    waiting = []
    for scene, prompt in ((other, "x"), (other, "y"), (mine, "a"), (mine, "b")):
        wish = LONG | {"prompt": prompt, "frame": [512, 0, 64, 64]}
        waiting.append(server.post(f"/api/scenes/{scene}/jobs", wish)["id"])
    canvas.open(mine)
    row = canvas.page.locator("[data-t2e-slot=queue] li", has_text="a")
    row.get_by_role("button", name="Later").click()
    canvas.wait("c.state.jobs[0].request.prompt === 'b'")
    order = {job["id"]: job["position"] for scene in (mine, other) for job in server.get(f"/api/scenes/{scene}/jobs")}
    assert [order[job] for job in waiting] == [0, 1, 3, 2]
    for job in (*waiting, running):
        server.http.delete(f"/api/jobs/{job}")


def test_two_tabs_stay_in_step(new_context: Callable[..., BrowserContext], server: Server) -> None:
    scene = server.new_scene()
    context = new_context()
    one, two = (Canvas(context.new_page(), server.url).open(scene) for _ in range(2))
    one.page.get_by_role("button", name="Make the first tile").click()
    two.wait_revision(1)
    one.wait_painted(10, 10)
    two.page.bring_to_front()
    two.wait_painted(10, 10)
    two.page.keyboard.press("Control+z")
    one.wait("c.state.scene.empty")
    one.page.bring_to_front()
    one.wait_painted(10, 10, painted=False)
    one.menu("Rename …")
    one.page.get_by_role("textbox", name="Name").fill("Seen by both")
    one.page.get_by_role("button", name="Rename", exact=True).click()
    two.wait("c.state.scene.title === 'Seen by both'")
