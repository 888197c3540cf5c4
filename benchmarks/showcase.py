"""Grows a scene through the real page with the shipped model, as a person would, and takes the README's picture.

    python benchmarks/showcase.py [--model FOLDER_OR_HUB_ID] [--out FILE.png]

Types prompts, presses the handles of the frame and waits for each window; fails when the scene has not grown by as many
windows as were asked for.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.app.server_process import Server  # noqa: E402
from tests.browser.driver import ARGUMENTS, Canvas  # noqa: E402
from tests.conftest import find_chromium  # noqa: E402

STORY = tuple(
    ("right", prompt)
    for prompt in ("a desert", "a river between green banks", "farmland", "a beach by the sea")
    for _ in range(2)
)
"""After the first window, forest: which handle, with which prompt."""


def main() -> None:
    """Print the seconds of each window and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=str(ROOT / "assets" / "models" / "text2earth-mini"))
    parser.add_argument("--out", type=Path, default=ROOT / "assets" / "readme" / "canvas.png")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as data,
        Server(Path(data), arguments.model) as server,
        sync_playwright() as playwright,
    ):
        server.ready()
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(120_000)
        canvas = Canvas(page, server.url).open()
        canvas.type_prompt("dense green forest")
        page.locator("#t2e-generate").click()
        canvas.wait_revision(1)
        for number, (direction, prompt) in enumerate(STORY, start=2):
            started = time.monotonic()
            canvas.type_prompt(prompt)
            canvas.handle(direction).click()
            canvas.wait_revision(number)
            print(f"{direction:5} {prompt:30} {time.monotonic() - started:5.1f} s")
        page.keyboard.press("0")
        page.wait_for_timeout(1500)
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=arguments.out)
        print(f"{canvas.scene['revision']} windows, {canvas.scene['bounds'][2:]} px, picture in {arguments.out}")
        browser.close()


if __name__ == "__main__":
    main()
