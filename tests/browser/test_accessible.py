"""axe-core finds nothing in any dialog, menu, panel or bar of the page, light and dark, on a desk and on a tablet."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import BrowserContext

from tests.adapters import write_adapter
from tests.app.server_process import Server
from tests.browser.driver import Canvas

pytestmark = pytest.mark.needs_browser

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
# The rules of WCAG 2.1, levels A and AA: those of best practice ask for landmarks, which Gradio's frame does not have.
RUN = "async () => JSON.stringify(await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']}))"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, translating_folder: Path) -> Iterator[Server]:
    """A server whose model makes near infrared, by an adapter and from another layer."""
    folder = tmp_path_factory.mktemp("models") / "both"
    shutil.copytree(translating_folder, folder)
    write_adapter(folder / "adapters" / "nir", translating_folder, "nir")
    with Server(tmp_path_factory.mktemp("data"), folder) as running:
        yield running.ready()


def faults(canvas: Canvas) -> list[tuple[str, list[str]]]:
    """What axe says of the page as it is."""
    results = json.loads(canvas.page.evaluate(RUN))
    return [(fault["id"], [node["html"][:160] for node in fault["nodes"]]) for fault in results["violations"]]


def in_dialog(name: str, show: Callable[[Canvas], None]) -> Callable[[Canvas], None]:
    """Opens a dialog and waits for it; Escape closes it again."""

    def run(canvas: Canvas) -> None:
        show(canvas)
        canvas.page.get_by_role("dialog", name=name).wait_for()

    return run


def _button(name: str) -> Callable[[Canvas], None]:
    return lambda canvas: canvas.page.get_by_role("button", name=name, exact=True).click()


def _two_regions(canvas: Canvas) -> None:
    canvas.get("c.surface.focus()")
    canvas.page.keyboard.press("m")
    canvas.drag((3, 2), (60, 60))
    canvas.drag((70, 2), (120, 60))


def _large_fill(canvas: Canvas) -> None:
    """The question before it, of the page's own words."""
    canvas.get(
        "void import('./assets/ui/dialogs/dialogs.mjs').then((d) => d.confirm(c, 'Fill', 'It takes long.', 'Fill'))"
    )


def _measured(canvas: Canvas) -> None:
    canvas.get("(c.regions.clear(), c.surface.focus())")
    canvas.page.keyboard.press("u")
    canvas.page.mouse.click(*canvas.screen(10, 10))
    canvas.page.mouse.click(*canvas.screen(50, 40))


def _found(canvas: Canvas) -> None:
    canvas.get("c.surface.focus()")
    canvas.page.keyboard.press("q")
    finder = canvas.page.get_by_role("region", name="Find places")
    finder.get_by_role("searchbox").fill("a desert")
    canvas.page.keyboard.press("Enter")
    finder.get_by_role("listitem").first.get_by_role("button").click()
    finder.get_by_role("searchbox").focus()


def _layers(canvas: Canvas) -> None:
    canvas.page.get_by_role("button", name="NIR: stretch and colours").click()
    canvas.page.get_by_label("Stretch of NIR").select_option("Between two values")
    canvas.page.get_by_role("button", name="Compare two layers").click()
    canvas.page.get_by_role("slider", name="Line between").wait_for()


def _sections(canvas: Canvas) -> None:
    for name in ("More settings", "Adapters", "History"):
        canvas.page.locator("#t2e-panel").get_by_role("button", name=name, exact=False).first.click()
    canvas.page.locator(".history-row").first.wait_for()


SIGHTS: dict[str, Callable[[Canvas], None]] = {
    "scene menu": _button("Scene menu"),
    "scene list": in_dialog("Open a scene", lambda canvas: canvas.menu("Open …")),
    "rename": in_dialog("Rename scene", lambda canvas: canvas.menu("Rename …")),
    "delete": in_dialog("Delete scene", lambda canvas: canvas.menu("Delete …")),
    "go to": in_dialog("Go to", _button("Go to a coordinate")),
    "shortcuts": in_dialog("Keyboard shortcuts", _button("Keyboard shortcuts")),
    "export": in_dialog("Export", _button("Export")),
    "a layer from another": in_dialog(
        "Make a layer from another", lambda canvas: canvas.menu("Make a layer from another …")
    ),
    "erase a layer": in_dialog("Erase a layer", _button("Erase the layer NIR …")),
    "found places": _found,
    "question": in_dialog("Fill", _large_fill),
    "regions": _two_regions,
    "measure": _measured,
    "layers": _layers,
    "sections of the panel": _sections,
}


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (768, 1024)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_anywhere(
    new_context: Callable[..., BrowserContext], server: Server, scheme: str, width: int, height: int
) -> None:
    # What fades in has no contrast yet.
    look = {"color_scheme": scheme, "reduced_motion": "reduce", "viewport": {"width": width, "height": height}}
    canvas = Canvas(new_context(**look).new_page(), server.url).open(server.new_scene())
    page = canvas.page
    page.locator(".first-run").wait_for()
    page.add_script_tag(path=AXE)
    found = {"an empty scene": faults(canvas)}
    scene = server.new_scene()
    for layer in ("rgb", "nir"):
        server.painted(scene, layer=layer)
    canvas.get(f"c.openScene('{scene}')")
    canvas.wait(f"c.state.scene?.id === '{scene}'")
    canvas.drawn()
    for name, show in SIGHTS.items():
        show(canvas)
        found[name] = faults(canvas)
        page.keyboard.press("Escape")
    canvas.get("c.hints.gone(() => {})")
    found["a scene that is gone"] = faults(canvas)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
