"""Driving the page: what a person does, and what can be seen of it."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
)
ELEMENT = 'document.querySelector("scene-canvas")'
# Long enough to be reloaded, moved and cancelled on any machine: many windows of many steps.
LONG = {"frame": [0, 0, 512, 512], "prompt": "a long job", "steps": 200, "seed": 1}


class Canvas:
    """The page of one scene.  Waits poll the page's own state, never a clock."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url

    def open(self, scene: str = "") -> Canvas:
        """Open the page, at a scene if one is named, and wait until it knows the scene and the model."""
        self.page.goto(f"{self.url}/?scene={scene}" if scene else self.url)
        self.attached()
        return self

    def attached(self) -> None:
        """Wait until the page knows its scene and the model, and the panel is filled."""
        self.wait("c.state.scene && c.state.model.state === 'ready'")
        self.page.wait_for_function("document.querySelector('#t2e-prompt textarea')?.value.length > 0")

    def get(self, expression: str) -> Any:
        """A value; `c` is the scene-canvas element."""
        return self.page.evaluate(f"() => {{ const c = {ELEMENT}; return {expression}; }}")

    def wait(self, expression: str, seconds: float = 120) -> None:
        """Wait until an expression over `c` holds."""
        condition = f"() => {{ const c = {ELEMENT}; return c && c.state && ({expression}); }}"
        self.page.wait_for_function(condition, timeout=seconds * 1000)

    def drawn(self) -> None:
        """Wait until all that was asked to be drawn is on the screen, every tile in its newest state."""
        two_frames = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        self.page.evaluate(two_frames)
        self.wait("c.map.complete")
        self.page.evaluate(two_frames)

    def wait_revision(self, revision: int) -> None:
        """Wait until the scene has seen this many changes and no job is left."""
        self.wait(f"c.state.scene.revision >= {revision} && c.state.jobs.length === 0", 240)

    @property
    def scene(self) -> dict[str, Any]:
        """The scene as the page knows it."""
        state: dict[str, Any] = self.get("c.state.scene")
        return state

    def type_prompt(self, text: str) -> None:
        """Replace the prompt as a person would, and wait until the canvas has heard of it."""
        self.page.locator("#t2e-prompt textarea").fill(text)
        self.page.wait_for_function(f"(text) => {ELEMENT}.settings.prompt === text", arg=text)

    def handle(self, direction: str) -> Locator:
        """The extend handle of a side."""
        return self.page.locator(f".handle[data-direction={direction}]")

    def menu(self, item: str) -> None:
        """Choose from the scene menu."""
        self.page.get_by_role("button", name="Scene menu").click()
        self.page.get_by_role("menuitem", name=item).click()

    def screen(self, x: float, y: float) -> tuple[float, float]:
        """Window coordinates of a place in scene pixels."""
        point = self.get(f"c.view.toScreen({x}, {y})")
        return point["x"], point["y"]

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag between two places in scene pixels."""
        self.page.mouse.move(*self.screen(*start))
        self.page.mouse.down()
        self.page.mouse.move(*self.screen(*end), steps=4)
        self.page.mouse.up()

    def is_painted(self, x: float, y: float) -> bool:
        """Whether the map shows something other than its background at a place in scene pixels without a grid dot."""
        px, py = self.screen(x, y)
        script = f"""([x, y]) => {{
          const canvas = document.querySelector(".surface canvas");
          const shown = canvas.getContext("2d").getImageData(x * devicePixelRatio, y * devicePixelRatio, 1, 1).data;
          const probe = document.createElement("canvas").getContext("2d");
          probe.fillStyle = {ELEMENT}.map.colours.background;
          probe.fillRect(0, 0, 1, 1);
          const empty = probe.getImageData(0, 0, 1, 1).data;
          return shown.some((value, n) => Math.abs(value - empty[n]) > 2);
        }}"""
        painted: bool = self.page.evaluate(script, [px, py])
        return painted

    def wait_painted(self, x: float, y: float, painted: bool = True) -> None:
        """Wait until a place shows content, or none."""
        for _ in range(600):
            if self.is_painted(x, y) == painted:
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"({x}, {y}) should {'' if painted else 'not '}be painted")
