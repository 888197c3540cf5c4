"""Edits as a person makes them: a picture imported on the page, the mask drawn with the mouse, one result accepted."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from benchmarks.pan import CHROMIUM, ELEMENT, find_chromium, start_server

TOOLS = {"brush": "b", "lasso": "l", "rectangle": "r"}
PATIENCE = 600_000  # ms for one edit: a busy machine is slow, not wrong


@dataclass(frozen=True)
class Stroke:
    """One drag of the mouse: a tool, the places it goes through (px of the picture), and the brush's diameter (px)."""

    tool: str
    points: tuple[tuple[float, float], ...]
    size: int = 32


@dataclass(frozen=True)
class Wish:
    """What is asked of the page once the mask is drawn."""

    prompt: str
    seed: int
    steps: int
    guidance: float
    feather: int


class EditPage:
    """The page of a running server, for one edit after the other."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url

    def edit(self, pixels: np.ndarray, strokes: tuple[Stroke, ...], wish: Wish) -> tuple[np.ndarray, np.ndarray]:
        """Do all of it in a new scene at 1 m/px.

        Returns:
            The mask that was drawn, uint8 (h, w), and the scene after the edit, uint8 (h, w, 3).
        """
        scene = self._api("POST", "/api/scenes", {"resolution": 1.0})["id"]
        self.page.goto(f"{self.url}/?scene={scene}")
        self._wait("c.state.scene && c.state.model.state === 'ready'")
        self.page.wait_for_function("document.querySelector('#t2e-prompt textarea')?.value.length > 0")
        self._import(pixels)
        for stroke in strokes:
            self._draw(stroke)
        mask = self._mask(pixels.shape[:2])
        self._ask(wish)
        self.page.locator(".surface").focus()
        self.page.keyboard.press("Enter")
        self._wait("c.state.candidates.length === 0 && c.state.scene.revision === 2")
        answer = self.page.request.get(f"{self.url}/api/scenes/{scene}/export")
        made = np.asarray(Image.open(io.BytesIO(answer.body())).convert("RGB"))
        return mask, made

    def _import(self, pixels: np.ndarray) -> None:
        """By the button and the dialog, at its true scale with its corner at the origin."""
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        with self.page.expect_file_chooser() as chooser:
            self.page.get_by_role("button", name="Import").click()
        chooser.value.set_files({"name": "picture.png", "mimeType": "image/png", "buffer": file.getvalue()})
        dialog = self.page.get_by_role("dialog", name="Import a picture")
        dialog.get_by_label("Size of its pixels").fill("1")
        dialog.get_by_role("button", name="Import").click()
        height, width = pixels.shape[:2]
        self._wait(f"c.state.scene.bounds?.join() === '0,0,{width},{height}' && c.map.complete")
        self._get(f"(c.actualSize(), c.lookAt({width / 2}, {height / 2}))")

    def _draw(self, stroke: Stroke) -> None:
        self.page.locator(".surface").focus()
        self.page.keyboard.press(TOOLS[stroke.tool])
        self._get(f"c.mask.set({{size: {stroke.size}, hardness: 1}})")
        for number, (x, y) in enumerate(stroke.points):
            place = self._get(f"c.view.toScreen({x}, {y})")
            self.page.mouse.move(place["x"], place["y"], steps=1 if number == 0 else 6)
            if number == 0:
                self.page.mouse.down()
        self.page.mouse.up()

    def _mask(self, shape: tuple[int, int]) -> np.ndarray:
        found = self.page.evaluate(f"() => {ELEMENT}.mask.request()")
        if isinstance(found, str):
            raise SystemExit(f"The strokes left no mask: {found}")
        picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(found["mask"]))).convert("L"))
        x, y = found["at"]
        if min(x, y) < 0 or y + picture.shape[0] > shape[0] or x + picture.shape[1] > shape[1]:
            raise SystemExit(
                f"The strokes leave the picture: the mask begins at {x}, {y} and is {picture.shape[::-1]}."
            )
        mask = np.zeros(shape, np.uint8)
        mask[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
        return mask

    def _ask(self, wish: Wish) -> None:
        self._get(f"c.mask.set({{feather: {wish.feather}, strength: 1, variations: 1}})")
        numbers = f"seed: {wish.seed}, steps: {wish.steps}, guidance: {wish.guidance}"
        self._get(f"c.settings = {{{numbers}, seed_locked: true, sampler: 'quality'}}")
        self.page.locator("#t2e-prompt textarea").fill(wish.prompt)
        self.page.wait_for_function(f"(text) => {ELEMENT}.settings.prompt === text", arg=wish.prompt)
        self.page.locator("#t2e-generate", has_text="Change mask").click()
        self._wait("c.state.candidates.length === 1 && c.state.jobs.length === 0")

    def _get(self, expression: str) -> Any:
        return self.page.evaluate(f"() => {{ const c = {ELEMENT}; return {expression}; }}")

    def _wait(self, expression: str) -> None:
        condition = f"() => {{ const c = {ELEMENT}; return c && c.state && ({expression}); }}"
        self.page.wait_for_function(condition, timeout=PATIENCE)

    def _api(self, method: str, path: str, body: dict[str, Any]) -> Any:
        answer = self.page.request.fetch(f"{self.url}{path}", method=method, data=body)
        if not answer.ok:
            raise SystemExit(f"{method} {path} was refused: {answer.text()}")
        return answer.json()


@contextmanager
def edit_page(folder: Path, model: Path) -> Iterator[EditPage]:
    """A server with its data in `folder`, and Chromium at its page."""
    server, url = start_server(folder, model)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM))
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(PATIENCE)
            yield EditPage(page, url)
            browser.close()
    finally:
        server.terminate()
        server.wait(30)
