"""Pictures onto the map by button, drop and paste; maps out of it with a download at the end."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import axe_playwright_python
import numpy as np
import pytest
import rasterio
from PIL import Image
from playwright.sync_api import expect

from tests.app.server_process import Server
from tests.browser.driver import Canvas

pytestmark = pytest.mark.needs_browser

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
# What a person's drag or copy gives the page: a file in a DataTransfer.
DELIVER = """([data, kind, x, y]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "roof.png", { type: "image/png" }));
  const options = { bubbles: true, cancelable: true, clientX: x, clientY: y };
  const target = document.querySelector("scene-canvas .surface");
  if (kind === "paste") target.dispatchEvent(new ClipboardEvent("paste", { ...options, clipboardData: transfer }));
  else {
    for (const name of ["dragover", "drop"]) {
      target.dispatchEvent(new DragEvent(name, { ...options, dataTransfer: transfer }));
    }
  }
}"""


def picture() -> tuple[np.ndarray, bytes]:
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return pixels, out.getvalue()


def test_a_picture_is_imported_and_exported_as_the_same_picture(canvas: Canvas, server: Server, tmp_path: Path) -> None:
    pixels, data = picture()
    scene = server.new_scene()
    page = canvas.open(scene).page
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Import").click()
    chooser.value.set_files({"name": "field.png", "mimeType": "image/png", "buffer": data})
    dialog = page.get_by_role("dialog", name="Import a picture")
    dialog.wait_for()
    assert "64 × 48 px" in dialog.inner_text()
    size = dialog.get_by_label("Size of its pixels")
    size.fill("0")
    dialog.get_by_role("button", name="Import").click()
    assert "above 0" in dialog.get_by_role("alert").inner_text()
    size.fill("2")
    assert "Becomes 64 × 48 px" in dialog.inner_text(), "an empty scene takes the picture's resolution"
    dialog.get_by_role("radio", name="As it is now").check()
    assert "Becomes 128 × 96 px" in dialog.inner_text()
    size.fill("1")
    dialog.get_by_role("button", name="Import").click()
    dialog.wait_for(state="detached")
    canvas.wait("c.state.scene.bounds?.join() === '0,0,64,48'")
    canvas.wait_painted(30, 30)

    page.get_by_role("button", name="Export", exact=True).click()
    dialog = page.get_by_role("dialog", name="Export")
    dialog.get_by_label("PNG").check()
    assert "64 × 48 px" in dialog.inner_text()
    with page.expect_download(timeout=120_000) as waiting:
        dialog.get_by_role("button", name="Export").click()
    waiting.value.save_as(tmp_path / "a.png")
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png")), pixels)


def test_an_export_can_still_be_downloaded_after_a_reload_until_it_is_dismissed(
    canvas: Canvas, server: Server, tmp_path: Path
) -> None:
    scene = server.new_scene()
    server.painted(scene, frame=[0, 0, 64, 64])
    job = server.post(f"/api/scenes/{scene}/exports", {"format": "png"})["id"]
    assert server.finished(scene, job)["state"] == "done"
    page = canvas.open(scene).page
    row = page.locator("[data-t2e-slot=queue] li", has_text="Export as .png")
    assert "ready, " in row.inner_text()
    with page.expect_download(timeout=120_000) as waiting:
        row.get_by_role("button", name="Download").click()
    waiting.value.save_as(tmp_path / "a.png")
    assert Image.open(tmp_path / "a.png").size == (64, 64)
    row.get_by_role("button", name="Dismiss").click()
    row.wait_for(state="detached")
    page.reload()
    canvas.attached()
    assert canvas.get("c.state.jobs.length") == 0


def test_a_dropped_and_a_pasted_picture_lie_where_they_came_down(canvas: Canvas, server: Server) -> None:
    data = base64.b64encode(picture()[1]).decode()
    scene = server.new_scene()
    server.painted(scene, frame=[0, 0, 64, 64])
    page = canvas.open(scene).page
    x, y = canvas.screen(200, 100)
    page.evaluate(DELIVER, [data, "drop", x, y])
    dialog = page.get_by_role("dialog", name="Import a picture")
    dialog.get_by_role("radio", name="Here around").check()
    dialog.get_by_role("button", name="Import").click()
    canvas.wait("c.state.scene.revision === 2")
    at = server.get(f"/api/scenes/{scene}/history")[-1]["rect"]
    assert abs(at[0] + 32 - 200) <= 1
    assert abs(at[1] + 24 - 100) <= 1

    page.evaluate(DELIVER, [data, "paste", 0, 0])
    dialog.wait_for()
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    page.evaluate(DELIVER, [data, "paste", 0, 0])
    dialog.get_by_label("Beside the scene").check()
    dialog.get_by_role("button", name="Import").click()
    canvas.wait("c.state.scene.revision === 3")
    dialog.wait_for(state="detached")  # its request's answer may come after the change
    page.keyboard.press("z")
    canvas.wait("c.state.scene.revision === 4")


def test_a_map_lies_at_the_place_that_was_named_and_the_scene_remembers_it(
    canvas: Canvas, server: Server, tmp_path: Path, expected_errors: list[str]
) -> None:
    scene = server.new_scene()
    server.painted(scene, frame=[0, 0, 64, 64])
    page = canvas.open(scene).page
    page.get_by_role("button", name="Export", exact=True).click()
    dialog = page.get_by_role("dialog", name="Export")
    system, origin = dialog.get_by_label("Coordinate system"), dialog.get_by_label("Origin")
    system.fill("4326")
    origin.fill("11.5, 48")
    dialog.get_by_role("button", name="Export").click()
    dialog.get_by_text("use a projected system such as UTM, here EPSG:32632").wait_for()
    expected_errors.clear()  # the browser logs the refusal
    system.fill("EPSG:32632")
    origin.fill("500000 5400000")
    with page.expect_download(timeout=120_000) as waiting:
        dialog.get_by_role("button", name="Export").click()
    waiting.value.save_as(tmp_path / "a.tif")
    with rasterio.open(tmp_path / "a.tif") as file:
        assert file.crs.to_epsg() == 32632
        assert file.transform.to_gdal() == (500_000.0, 1.0, 0.0, 5_400_000.0, 0.0, -1.0)
    map_again = base64.b64encode((tmp_path / "a.tif").read_bytes()).decode()
    page.evaluate(DELIVER, [map_again, "drop", 300, 300])
    importing = page.get_by_role("dialog", name="Import a picture")
    own = importing.get_by_role("radio", name="At its place on Earth")
    assert own.is_checked()
    importing.get_by_label("Size of its pixels").fill("1.5")
    assert own.is_disabled(), "a picture of another size does not lie there"
    assert importing.get_by_role("radio", name="Here around").is_checked()
    importing.get_by_role("button", name="Cancel").click()
    importing.wait_for(state="detached")
    page.get_by_role("button", name="Export", exact=True).click()
    assert system.input_value() == "EPSG:32632"
    assert origin.input_value() == "500000, 5400000"


def test_an_empty_scene_takes_the_resolution_of_its_first_picture(
    canvas: Canvas, server: Server, tmp_path: Path
) -> None:
    """A map says its place and its resolution: the scene lies there and has it, and the status bar tells where."""
    profile = {"driver": "GTiff", "width": 64, "height": 48, "count": 3, "dtype": "uint8", "crs": "EPSG:32632"}
    transform = rasterio.transform.from_origin(500_000, 5_400_000, 0.3, 0.3)
    with rasterio.open(tmp_path / "map.tif", "w", transform=transform, **profile) as file:
        file.write(np.moveaxis(picture()[0], 2, 0))
    scene = server.new_scene()
    page = canvas.open(scene).page
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Import").click()
    chooser.value.set_files(tmp_path / "map.tif")
    dialog = page.get_by_role("dialog", name="Import a picture")
    assert dialog.get_by_role("radio", name="As the picture 0.3 m/px").is_checked()
    assert "Becomes 64 × 48 px" in dialog.inner_text()
    dialog.get_by_role("button", name="Import").click()
    canvas.wait("c.state.scene.bounds?.join() === '0,0,64,48'")
    assert canvas.scene["resolution"] == 0.3
    told = page.locator(".status-bar .pointer")
    page.mouse.move(*canvas.screen(10.5, 20.5))
    told.get_by_text("E 500003.0   N 5399994.0   48.7").wait_for()
    assert " 9.00004° E" in told.inner_text()

    page.locator(".surface").focus()
    page.keyboard.press("g")
    ask = page.get_by_role("dialog", name="Go to")
    ask.get_by_label("E, N in EPSG:32632").fill("500300, 5399700")
    ask.get_by_role("button", name="Go", exact=True).click()
    ask.wait_for(state="detached")
    middle = canvas.get("c.free")
    assert canvas.screen(1000, 1000) == pytest.approx(
        (middle["x"] + middle["w"] / 2, middle["y"] + middle["h"] / 2), abs=1
    )


def test_where_the_place_is_taken_a_picture_goes_beside_and_the_dialog_says_why_its_own_cannot_be_used(
    canvas: Canvas, server: Server, tmp_path: Path
) -> None:
    data = base64.b64encode(picture()[1]).decode()
    scene = server.new_scene()
    server.painted(scene, frame=[0, 0, 64, 64])
    page = canvas.open(scene).page
    dialog = page.get_by_role("dialog", name="Import a picture")
    for x, name in ((20, "Beside the scene"), (400, "Here around")):
        page.evaluate(DELIVER, [data, "drop", *canvas.screen(x, 20)])
        dialog.wait_for()
        assert dialog.get_by_role("radio", name=name).is_checked()
        replaces = dialog.get_by_text("It replaces what is there")
        expect(replaces).to_have_count(0)  # beside it, and where nothing is
        dialog.get_by_role("radio", name="Here around").check()
        expect(replaces).to_have_count(1 if x == 20 else 0)
        page.keyboard.press("Escape")
        dialog.wait_for(state="detached")

    profile = {"driver": "GTiff", "width": 8, "height": 8, "count": 3, "dtype": "uint8", "crs": "EPSG:32632"}
    transform = rasterio.transform.from_origin(500_000, 5_400_000, 1, 1)
    with rasterio.open(tmp_path / "map.tif", "w", transform=transform, **profile) as file:
        file.write(np.full((3, 8, 8), 90, np.uint8))
    page.evaluate(DELIVER, [base64.b64encode((tmp_path / "map.tif").read_bytes()).decode(), "drop", 300, 300])
    own = dialog.get_by_role("radio", name="At its place on Earth")
    assert own.is_disabled()
    assert "the scene lies nowhere on Earth" in dialog.inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault_in_the_dialogs(canvas: Canvas, server: Server, scheme: str) -> None:
    scene = server.new_scene()
    server.painted(scene, frame=[0, 0, 64, 64])
    page = canvas.page
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # what fades in has no contrast yet
    canvas.open(scene)
    page.add_script_tag(path=AXE)

    def faults() -> list[tuple[str, list[str]]]:
        results = json.loads(page.evaluate("async () => JSON.stringify(await axe.run(document))"))
        return [
            (fault["id"], [node["html"][:160] for node in fault["nodes"]])
            for fault in results["violations"]
            if fault["impact"] in ("serious", "critical")
        ]

    page.get_by_role("button", name="Export", exact=True).click()
    page.get_by_role("dialog", name="Export").wait_for()
    assert faults() == []
    page.keyboard.press("Escape")
    page.evaluate(DELIVER, [base64.b64encode(picture()[1]).decode(), "paste", 0, 0])
    page.get_by_role("dialog", name="Import a picture").wait_for()
    assert faults() == []
