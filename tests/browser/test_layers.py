"""Layers of one scene: made, compared, coloured, erased, taken out and in again; adapters that make and style them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import axe_playwright_python
import pytest
import rasterio
from playwright.sync_api import BrowserContext, expect

from tests.app.server_process import Server
from tests.browser.driver import Canvas
from tests.browser.test_narrow import SMALL

pytestmark = pytest.mark.needs_browser

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
# How far red, green and blue of what the map shows of (8, 8) to (56, 56) are from each other: 0 is grey.
COLOURFULNESS = """() => {
  const c = document.querySelector("scene-canvas"), r = c.view.rectToScreen({x: 8, y: 8, w: 48, h: 48});
  const box = [r.x, r.y, r.w, r.h].map((value) => value * devicePixelRatio);
  const { data } = c.map.context.getImageData(...box);
  let most = 0;
  for (let n = 0; n < data.length; n += 4) {
    most = Math.max(most, Math.abs(data[n] - data[n + 1]), Math.abs(data[n + 1] - data[n + 2]));
  }
  return most;
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, adapted_folder: Path) -> Iterator[Server]:
    """A server whose model makes every layer."""
    with Server(tmp_path_factory.mktemp("data"), adapted_folder) as running:
        yield running.ready()


@pytest.fixture
def layered(server: Server) -> str:
    """A scene whose first window is there in colours and in near infrared."""
    scene = server.new_scene()
    for layer in ("rgb", "nir"):
        server.painted(scene, layer=layer)
    return scene


def is_grey(canvas: Canvas) -> bool:
    """Whether the map shows the first window without colours, and not merely nothing."""
    canvas.page.mouse.move(2, 2)
    canvas.get("c.setFrame({x: 640, y: 640, w: 64, h: 64})")  # whose handles and corners have colours
    canvas.drawn()
    assert canvas.is_painted(32, 32)
    return bool(canvas.page.evaluate(COLOURFULNESS) <= 2)


def toggle(canvas: Canvas, name: str) -> None:
    """Choose the layer that is made."""
    canvas.page.get_by_role("group", name="Layer that is made").get_by_role("button", name=name).click()


def test_another_layer_of_the_same_frame_is_made_compared_undone_and_kept_in_view(
    canvas: Canvas, server: Server
) -> None:
    scene = server.new_scene()
    server.painted(scene)
    page = canvas.open(scene).page
    assert page.locator("#t2e-layers-section").is_hidden(), "colours alone need no list"
    assert not is_grey(canvas)
    toggle(canvas, "NIR")
    assert not is_grey(canvas), "where the layer has nothing, the layer below shows"
    canvas.get("c.setFrame({x: 0, y: 0, w: 64, h: 64})")
    page.get_by_role("button", name="Generate NIR").click()
    canvas.wait_revision(2)
    assert canvas.scene["layers"] == ["rgb", "nir"]
    assert canvas.scene["layer_bounds"] == {"rgb": [0, 0, 64, 64], "nir": [0, 0, 64, 64]}
    assert is_grey(canvas)
    assert server.get(f"/api/scenes/{scene}/history")[-1]["request"]["layer"] == "nir"

    page.locator(".surface").focus()
    page.keyboard.press("s")
    line = page.get_by_role("slider", name="Line between RGB and NIR")
    before = int(line.get_attribute("aria-valuenow") or 0)
    page.keyboard.press("ArrowLeft")
    expect(line).to_have_attribute("aria-valuenow", str(before - 1))  # drawn with the next frame
    page.keyboard.press("Home")
    assert is_grey(canvas)
    page.keyboard.press("End")
    assert not is_grey(canvas)
    page.keyboard.press("Escape")
    line.wait_for(state="hidden")
    assert is_grey(canvas)

    page.keyboard.press("z")
    canvas.wait("c.state.scene.layers.join() === 'rgb'")
    assert not is_grey(canvas)
    page.keyboard.press("Shift+Z")
    canvas.wait("c.state.scene.layers.length === 2")
    page.get_by_label("Opacity of NIR, per cent").fill("40")
    assert not is_grey(canvas)
    page.reload()
    canvas.attached()
    page.get_by_role("button", name="Generate NIR").wait_for()
    assert page.get_by_label("Opacity of NIR, per cent").input_value() == "40"
    page.keyboard.press("2")
    page.get_by_role("button", name="Generate", exact=True).wait_for()


def test_visibility_and_order_decide_what_shows(canvas: Canvas, layered: str) -> None:
    page = canvas.open(layered).page
    assert not is_grey(canvas), "colours lie above as long as nobody works in another layer"
    page.get_by_role("button", name="Hide RGB").click()
    assert is_grey(canvas)
    page.get_by_role("button", name="Show RGB").click()
    assert not is_grey(canvas)
    up = page.get_by_role("button", name="NIR: up", exact=True)
    up.focus()
    page.keyboard.press("Enter")
    assert is_grey(canvas)
    assert canvas.get("document.activeElement.getAttribute('aria-label')") == "NIR: up"


def test_a_row_is_dragged_to_another_place_and_escape_puts_it_back(canvas: Canvas, layered: str) -> None:
    page = canvas.open(layered).page
    order = "[...document.querySelectorAll('.layer-row')].map((row) => row.dataset.key).join()"
    assert canvas.get(order) == "nir-r-g,rgb,nir"
    page.get_by_role("button", name="Adapters").first.scroll_into_view_if_needed()
    grip = page.locator(".layer-row[data-key=nir] .layer-grip").bounding_box()
    top = page.locator(".layer-row[data-key=nir-r-g]").bounding_box()
    assert grip
    assert top
    page.mouse.move(grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2)
    page.mouse.down()
    page.mouse.move(grip["x"] + 4, top["y"] + 2, steps=6)
    assert canvas.get(order) == "nir,nir-r-g,rgb", "one sees what comes of it"
    page.keyboard.press("Escape")
    assert canvas.get(order) == "nir-r-g,rgb,nir"
    page.mouse.up()

    # By its name too, in one jump; that is no press that makes it the layer one works in.
    name = page.get_by_role("button", name="NIR", exact=True).and_(page.locator(".layer-name"))
    name.hover()
    page.mouse.down()
    page.mouse.move(grip["x"] + 30, top["y"] + 2)
    page.mouse.move(grip["x"] + 30, top["y"] + 1)
    page.mouse.up()
    assert canvas.get(order) == "nir,nir-r-g,rgb"
    assert canvas.get("c.layers.active") == "rgb"
    assert is_grey(canvas)
    page.reload()
    canvas.attached()
    page.locator(".layer-row").first.wait_for()
    assert canvas.get(order) == "nir,nir-r-g,rgb", "the browser remembers it"


def test_colours_of_a_band_change_the_map_and_not_the_scene(canvas: Canvas, layered: str, server: Server) -> None:
    page = canvas.open(layered).page
    toggle(canvas, "NIR")
    assert is_grey(canvas)
    page.get_by_role("button", name="NIR: stretch and colours").click()
    page.get_by_label("Colours of NIR").select_option("Viridis")
    assert not is_grey(canvas)
    page.get_by_label("Stretch of NIR").select_option("2 to 98 % of what is in view")
    page.get_by_text("now ").wait_for()
    page.get_by_label("Colours of NIR").select_option("Grey")
    page.get_by_label("Stretch of NIR").select_option("Between two values")
    page.get_by_label("Darkest value of NIR").fill("254")
    page.get_by_label("Darkest value of NIR").press("Enter")
    assert is_grey(canvas)
    page.get_by_role("button", name="Show NIR, R, G").click()
    toggle(canvas, "RGB")
    page.get_by_role("button", name="NIR, R, G: up").click()
    page.get_by_role("button", name="Hide RGB").click()
    page.get_by_role("button", name="Hide NIR", exact=True).click()
    assert not is_grey(canvas)
    assert canvas.scene["revision"] == 2


def test_a_layer_is_erased_as_a_whole_and_comes_back(canvas: Canvas, layered: str) -> None:
    page = canvas.open(layered).page
    toggle(canvas, "NIR")
    page.locator(".surface").focus()
    page.keyboard.press("b")
    assert page.get_by_role("button", name="Find clouds").is_disabled(), "clouds are found in colours"
    page.keyboard.press("v")
    page.get_by_role("button", name="Erase the layer NIR …").click()
    page.get_by_role("dialog", name="Erase a layer").get_by_role("button", name="Erase", exact=True).click()
    notice = page.locator(".notice", has_text="The layer NIR is erased.")
    notice.wait_for()
    canvas.wait("c.state.scene.layers.join() === 'rgb'")
    notice.get_by_role("button", name="Undo").click()
    canvas.wait("c.state.scene.layers.join() === 'rgb,nir'")


def test_both_layers_leave_in_one_file_and_come_back_from_it(
    canvas: Canvas, layered: str, server: Server, tmp_path: Path
) -> None:
    page = canvas.open(layered).page
    page.get_by_role("button", name="Export", exact=True).click()
    dialog = page.get_by_role("dialog", name="Export")
    assert dialog.get_by_role("checkbox", name="NIR").is_checked()
    dialog.get_by_label("PNG").check()
    assert dialog.get_by_role("radio", name="RGB").is_checked(), "a picture holds one"
    dialog.get_by_label("GeoTIFF").check()
    with page.expect_download(timeout=120_000) as waiting:
        dialog.get_by_role("button", name="Export").click()
    waiting.value.save_as(tmp_path / "both.tif")
    with rasterio.open(tmp_path / "both.tif") as file:
        assert file.descriptions == ("red", "green", "blue", "nir")

    empty = server.new_scene()
    canvas.open(empty)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Import").click()
    chooser.value.set_files(tmp_path / "both.tif")
    dialog = page.get_by_role("dialog", name="Import a picture")
    layer = dialog.get_by_label("Layer")
    assert layer.locator("option:checked").inner_text() == "RGB and NIR"
    chosen = [dialog.get_by_label(band, exact=True).input_value() for band in ("Red", "Green", "Blue", "Near infrared")]
    assert chosen == ["1", "2", "3", "4"]
    dialog.get_by_role("button", name="Import").click()
    dialog.wait_for(state="detached")
    canvas.wait("c.state.scene.layers.join() === 'rgb,nir'")
    for name in ("rgb", "nir"):
        tiles = [server.http.get(f"/api/scenes/{one}/tiles/{name}/0/0/0.webp").content for one in (layered, empty)]
        assert tiles[0] == tiles[1]

    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Import").click()
    chooser.value.set_files(tmp_path / "both.tif")
    layer.select_option("SAR")
    dialog.get_by_label("Band").select_option("4: nir")
    dialog.get_by_role("button", name="Import").click()
    canvas.wait("c.state.scene.layers.join() === 'rgb,nir,sar'")


def test_a_style_is_added_used_and_removed_and_what_is_none_is_refused_in_a_sentence(
    canvas: Canvas, server: Server, style_folder: Path, tmp_path: Path, expected_errors: list[str]
) -> None:
    scene = server.new_scene()
    page = canvas.open(scene).page
    page.locator("#t2e-adapters").get_by_role("button").first.click()
    adapters = page.locator("[data-t2e-slot=adapters]")
    adapters.get_by_text("makes NIR").wait_for()
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"this is no adapter")
    said = adapters.get_by_role("alert")

    def choose(file: Path) -> None:
        with page.expect_file_chooser() as chooser:
            adapters.get_by_role("button", name="Add a file …").click()
        chooser.value.set_files(file)

    choose(bad)
    page.wait_for_function("() => document.querySelector('.adapter-said.wrong')?.textContent.length > 10")
    assert said.inner_text().count(". ") == 0
    assert expected_errors, "the browser logs the refusal"
    expected_errors.clear()

    good = shutil.copy(next(style_folder.glob("*.safetensors")), tmp_path / "autumn.safetensors")
    choose(Path(good))
    weight = adapters.get_by_label("Weight of autumn, 0 is off")
    weight.wait_for()
    weight.fill("0.5")
    page.locator("#t2e-generate").click()
    canvas.wait_revision(1)
    (fingerprint,) = [one["fingerprint"] for one in server.get("/api/model")["adapters"] if one["name"] == "autumn"]
    assert server.get(f"/api/scenes/{scene}/history")[-1]["request"]["adapters"] == [[fingerprint, 0.5]]

    adapters.get_by_role("button", name="Remove autumn …").click()
    page.get_by_role("dialog", name="Remove an adapter").get_by_role("button", name="Remove", exact=True).click()
    weight.wait_for(state="detached")


def test_on_a_phone_layers_are_in_reach_of_a_thumb(
    new_context: Callable[..., BrowserContext], server: Server, layered: str
) -> None:
    context = new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    phone = Canvas(context.new_page(), server.url).open(layered)
    page = phone.page
    page.get_by_role("button", name="NIR: stretch and colours").click()
    page.get_by_label("Stretch of NIR").select_option("Between two values")
    page.locator("#t2e-adapters").get_by_role("button").first.click()
    page.locator(".adapter").first.wait_for()
    page.get_by_role("button", name="Compare two layers").click()
    page.get_by_role("slider", name="Line between NIR and RGB").wait_for()
    assert page.evaluate(SMALL) == []
    selects = "[...document.querySelectorAll('select')].filter((one) => one.checkVisibility())"
    assert phone.get(f"Math.min(...{selects}.map((one) => one.offsetHeight))") >= 44


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault_in_layers(canvas: Canvas, layered: str, scheme: str) -> None:
    page = canvas.page
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    canvas.open(layered)
    toggle(canvas, "NIR")
    page.get_by_role("button", name="NIR: stretch and colours").click()
    page.get_by_label("Stretch of NIR").select_option("Between two values")
    page.locator("#t2e-adapters").get_by_role("button").first.click()
    page.locator(".adapter").first.wait_for()
    page.get_by_role("button", name="Compare two layers").click()
    page.add_script_tag(path=AXE)
    results = json.loads(page.evaluate("async () => JSON.stringify(await axe.run(document))"))
    faults = [
        (fault["id"], [node["html"][:160] for node in fault["nodes"]])
        for fault in results["violations"]
        if fault["impact"] in ("serious", "critical")
    ]
    assert faults == []
