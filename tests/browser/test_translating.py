"""One layer of a scene made from another on the page, compared and taken back; what is said where it cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.app.server_process import Server
from tests.browser.driver import Canvas

pytestmark = pytest.mark.needs_browser


@pytest.fixture(scope="module")
def translating(tmp_path_factory: pytest.TempPathFactory, translating_folder: Path) -> Iterator[Server]:
    """A server whose model has an untrained translator for all tasks."""
    with Server(tmp_path_factory.mktemp("data"), translating_folder) as running:
        yield running.ready()


@pytest.fixture
def server(translating: Server) -> Server:
    return translating


def test_near_infrared_is_made_of_the_colours_of_two_windows_compared_and_taken_back(
    canvas: Canvas, server: Server
) -> None:
    scene = server.new_scene()
    for x in (0, 64):
        server.painted(scene, frame=[x, 0, 64, 64])
    page = canvas.open(scene).page
    canvas.menu("Make a layer from another …")
    dialog = page.get_by_role("dialog", name="Make a layer from another")
    assert dialog.get_by_role("radio", name="from NIR").count() == 0, "what is not there cannot be a source"
    dialog.get_by_role("radio", name="NIR from RGB").check()
    dialog.get_by_label("Prompt (optional)").fill("a forest")
    dialog.get_by_role("button", name="Make", exact=True).click()
    dialog.wait_for(state="detached")
    canvas.wait_revision(3)
    assert canvas.scene["layer_bounds"] == {"rgb": [0, 0, 128, 64], "nir": [0, 0, 128, 64]}
    step = server.get(f"/api/scenes/{scene}/history")[-1]["request"]
    assert (step["task"], step["layer"], step["prompt"]) == ("rgb2nir", "nir", "a forest")

    page.get_by_role("button", name="Compare two layers").click()
    expect(page.get_by_role("group", name="Comparison")).to_be_visible()
    made = canvas.scene["revision"]
    page.get_by_role("button", name="Undo", exact=True).click()
    canvas.wait_revision(made + 1)
    assert "nir" not in canvas.scene["layer_bounds"]


def test_haze_is_taken_from_a_layer_and_brought_back(canvas: Canvas, server: Server) -> None:
    scene = server.new_scene()
    server.painted(scene)
    page = canvas.open(scene).page
    before = canvas.scene["revision"]
    canvas.menu("Make a layer from another …")
    dialog = page.get_by_role("dialog", name="Make a layer from another")
    expect(dialog.get_by_text("What the layer has already stays")).to_be_visible()
    dialog.get_by_role("radio", name="RGB anew haze and fog taken away").check()
    expect(dialog.get_by_text("The layer is replaced there")).to_be_visible()
    dialog.get_by_role("button", name="Make", exact=True).click()
    dialog.wait_for(state="detached")
    canvas.wait_revision(before + 1)
    assert server.get(f"/api/scenes/{scene}/history")[-1]["request"]["task"] == "dehaze"
    page.get_by_role("button", name="Undo", exact=True).click()
    canvas.wait("c.state.scene.can_redo")


def test_a_translation_over_http_is_cancelled_and_what_cannot_be_is_one_sentence(server: Server) -> None:
    scene = server.new_scene()
    wish = {"task": "rgb2nir", "bbox": [0, 0, 64, 64], "prompts": [{"text": ""}], "seed": 1}
    refused = server.http.post(f"/api/scenes/{scene}/fills", json=wish)
    assert (refused.status_code, refused.json()["error"]) == (
        422, "The layer rgb of the scene is empty: import or make something there first.",
    )  # fmt: skip
    unknown = server.http.post(f"/api/scenes/{scene}/fills", json=wish | {"task": "rgb2gold"})
    assert unknown.status_code == 422
    assert "no translation 'rgb2gold'" in unknown.json()["error"]
    server.painted(scene)
    slow = server.post(f"/api/scenes/{scene}/fills", wish | {"steps": 200, "sampler": "quality", "confirmed": True})
    assert server.http.delete(f"/api/jobs/{slow['id']}").is_success
    assert server.finished(scene, slow["id"])["state"] == "cancelled"
    assert list(server.get(f"/api/scenes/{scene}")["layer_bounds"]) == ["rgb"]
