"""axe-core finds nothing in any dialog, menu, panel or bar of the page, light and dark."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import axe_playwright_python
import pytest

from tests.app.server_process import Server
from tests.browser.driver import Canvas

pytestmark = pytest.mark.needs_browser

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
# The rules of WCAG 2.1, levels A and AA: those of best practice ask for landmarks, which Gradio's frame does not have.
RUN = "async () => JSON.stringify(await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']}))"


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
    "question": in_dialog("Fill", _large_fill),
    "regions": _two_regions,
    "measure": _measured,
    "sections of the panel": _sections,
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_anywhere(canvas: Canvas, server: Server, scheme: str) -> None:
    page = canvas.page
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # what fades in has no contrast yet
    canvas.open(server.new_scene())
    page.locator(".first-run").wait_for()
    page.add_script_tag(path=AXE)
    found = {"an empty scene": faults(canvas)}
    scene = server.new_scene()
    server.painted(scene)
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
