"""Whether a large scene opens at once, pans smoothly, and leaves memory flat.

    python benchmarks/pan.py [--minutes M] [--tiles N] [--scene FILE] [--json]

Makes a scene of N tiles (by default 10,000) through `canvas.scene`, serves it, opens it in Chromium without a GPU, and
drags the map about for M minutes with the mouse, zooming now and then. Measured: time from choosing the scene to a
window full of its tiles; resident memory of server and renderer and the number of decoded tiles after the first minute
and at the end; the processor time of the renderer's main thread per frame, from a trace of the last seconds. Headless
Chromium draws in software, so frames per second would measure the rasteriser: main-thread work is what the page costs.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from canvas.geometry import TILE, Rect  # noqa: E402
from canvas.request import Request  # noqa: E402
from canvas.scene import Change, Scene  # noqa: E402

BLOCK = 10  # tiles along a side of one change
SCENE_ID = "panbenchmark0"
TRACE_S = 10
SAMPLES = 9  # of memory, a second apart
CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)
CATEGORIES = ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline"]
ELEMENT = 'document.querySelector("scene-canvas")'


def make_scene(path: Path, tiles: int) -> None:
    """A square scene of at least `tiles` tiles around the origin: rolling colours with a little noise."""
    side = math.ceil(math.sqrt(tiles) / BLOCK)
    px = BLOCK * TILE
    ramp = np.linspace(0, 2 * np.pi, px, endpoint=False, dtype=np.float32)
    waves = np.sin(ramp)[None, :] + np.cos(2 * ramp)[:, None]
    noise = np.random.default_rng(0).integers(-6, 7, (px, px), dtype=np.int16)
    everything = np.ones((px, px), bool)
    cells = px // 8
    with Scene.create(path, 1.0, title=f"{(side * BLOCK) ** 2} tiles") as scene:
        for n in range(side * side):
            x, y = (n % side - side // 2) * px, (n // side - side // 2) * px
            colour = np.array([60 + 9 * (n % side), 110, 60 + 9 * (n // side)], np.float32)
            pixels = np.clip(colour + 20 * waves[..., None] + noise[..., None], 0, 255).astype(np.uint8)
            rect = Rect(x, y, px, px)
            request = Request(kind="generate", frame=rect, resolution=1.0, prompt=f"block {n}")
            latents = np.zeros((4, cells, cells), np.float32)
            scene.accept(Change(request, "rgb", rect, pixels, everything, latents, np.zeros((cells, cells), bool)))
        scene.redraw()


def find_chromium() -> str:
    """Path of the browser; SystemExit where there is none."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        raise SystemExit("Chromium is not installed; Debian's package is `chromium`.")
    return found


def start_server(data: Path, model: Path) -> tuple[subprocess.Popen[str], str]:
    """The server as a user starts it, and its address."""
    command = [sys.executable, str(ROOT / "launch.py"), "--no-browser", "--port", "0", "--device", "cpu"]
    command += ["--data-dir", str(data), "--model", str(model)]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
    assert process.stdout
    for line in process.stdout:
        if match := re.search(r"http://[^/\s]+", line):
            return process, match[0]
    raise SystemExit("The server ended before it named its address; start it by hand to see why.")


def full_window(page: Page) -> None:
    """Wait until every tile of the window is drawn."""
    page.wait_for_function(f"() => {ELEMENT}?.state?.scene && {ELEMENT}.map.complete", timeout=120_000, polling=20)


def open_scene(page: Page, url: str) -> tuple[float, float]:
    """Seconds from choosing the scene in the page to a full window, and from the address of a new tab to one."""
    page.goto(url)
    # The model loads at the same time and would be measured with it.
    page.wait_for_function(
        f"() => {ELEMENT}?.state?.scene && {ELEMENT}.state.model.state !== 'loading'", timeout=180_000
    )
    script = f"""async () => {{
      const canvas = {ELEMENT};
      const began = performance.now();
      canvas.openScene("{SCENE_ID}");
      while (!(canvas.state.scene && canvas.map.complete)) await new Promise((resolve) => setTimeout(resolve, 4));
      return (performance.now() - began) / 1000;
    }}"""
    opened: float = page.evaluate(script)
    began = time.monotonic()
    page.goto(f"{url}/?scene={SCENE_ID}")
    full_window(page)
    return opened, time.monotonic() - began


class Panning:
    """Drags the map along a long path through the scene, as a hand would: many short drags, a zoom now and then."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.drags = 0
        # One scene pixel to one of the screen: the most tiles per distance.
        page.keyboard.press("h")
        page.keyboard.press("1")

    def run(self, seconds: float) -> None:
        """Drag for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.drag()

    def drag(self) -> None:
        """One drag of some 400 px; the direction turns slowly, so that the way is long before it crosses itself."""
        angle = self.drags * 0.13
        x, y = 560.0, 420.0
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        for _ in range(20):
            x += 20 * math.cos(angle)
            y += 14 * math.sin(angle)
            self.page.mouse.move(x, y)
        self.page.mouse.up()
        self.drags += 1
        if self.drags % 25 == 0:
            self.page.mouse.wheel(0, 240 if self.drags % 50 else -240)


def renderer_pid(browser: Browser) -> int:
    """The process that draws the page: the largest renderer."""
    info = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
    pids = [process["id"] for process in info["processInfo"] if process["type"] == "renderer"]
    return max(pids, key=lambda pid: psutil.Process(pid).memory_info().rss)


def tree_rss(pid: int) -> float:
    """Resident MiB of a process and its children."""
    process = psutil.Process(pid)
    return sum(part.memory_info().rss for part in [process, *process.children(recursive=True)]) / 2**20


def measure(panning: Panning, server: int, renderer: int) -> dict[str, float]:
    """Resident MiB of server and renderer, and decoded tiles held: medians over some seconds of panning."""
    samples: dict[str, list[float]] = {"server": [], "renderer": [], "bitmaps": []}
    for _ in range(SAMPLES):
        panning.run(1)
        samples["server"].append(tree_rss(server))
        samples["renderer"].append(psutil.Process(renderer).memory_info().rss / 2**20)
        samples["bitmaps"].append(panning.page.evaluate(f"() => {ELEMENT}.liveBitmaps"))
    return {name: statistics.median(values) for name, values in samples.items()}


def frame_work(trace: dict[str, Any]) -> list[float]:
    """Milliseconds of processor time of the renderer's main thread between one animation frame and the next."""
    events = trace["traceEvents"]
    frames = [event for event in events if event.get("name") == "FireAnimationFrame"]
    if len(frames) < 2:
        raise SystemExit("The trace holds no animation frames: the page did not draw while it was panned.")
    thread = frames[0]["pid"], frames[0]["tid"]
    starts = sorted(event["ts"] for event in frames)
    mine = [event for event in events if (event["pid"], event["tid"]) == thread and "tdur" in event]
    tasks = [event for event in mine if event["name"].endswith("RunTask")]
    work = np.zeros(len(starts) - 1)
    # Nested tasks are part of the outer one.
    end = -1.0
    for task in sorted(tasks, key=lambda event: event["ts"]):
        at = int(np.searchsorted(starts, task["ts"], "right")) - 1
        if task["ts"] >= end and 0 <= at < len(work):
            work[at] += task["tdur"] / 1000
            end = task["ts"] + task["dur"]
    return work.tolist()


def traced(browser: Browser, page: Page, panning: Panning, folder: Path) -> list[float]:
    """Pan for TRACE_S under a trace; the main thread's work per frame in ms."""
    file = folder / "trace.json"
    browser.start_tracing(page=page, path=file, categories=CATEGORIES)
    panning.run(TRACE_S)
    browser.stop_tracing()
    return frame_work(json.loads(file.read_text()))


def run(minutes: float, tiles: int, scene: Path | None) -> dict[str, Any]:
    """The whole measurement; see the module's first lines."""
    chromium = find_chromium()
    from text2earth_core import Text2Earth

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        target = folder / "data" / "scenes" / f"{SCENE_ID}.t2e"
        target.parent.mkdir(parents=True)
        if scene is None:
            print(f"making a scene of {tiles} tiles ...", file=sys.stderr)
            make_scene(target, tiles)
        else:
            shutil.copyfile(scene, target)
        Text2Earth.from_preset("tiny", seed=0).save_pretrained(folder / "model")
        server, url = start_server(folder / "data", folder / "model")
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM))
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                opened, cold = open_scene(page, url)
                renderer, panning = renderer_pid(browser), Panning(page)
                print("panning ...", file=sys.stderr)
                panning.run(60 - SAMPLES)
                first = measure(panning, server.pid, renderer)
                panning.run(max(0.0, minutes * 60 - 60 - SAMPLES))
                last = measure(panning, server.pid, renderer)
                # After the memory: the trace itself is held in the renderer.
                work = traced(browser, page, panning, folder)
                browser.close()
        finally:
            server.terminate()
            server.wait(30)
    p95 = float(np.percentile(work, 95))
    return {
        "open_s": opened,
        "cold_s": cold,
        "minute_1": first,
        "end": last,
        "frames": len(work),
        "p95_ms": p95,
        "drags": panning.drags,
    }


def table(result: dict[str, Any]) -> str:
    """The result with what is expected of it."""
    rows = [("open the scene", f"{result['open_s']:.2f} s", "< 1 s", result["open_s"] < 1)]
    rows.append(("new tab, page and scene", f"{result['cold_s']:.2f} s", "", True))
    for name, unit in (("server", "MiB"), ("renderer", "MiB"), ("bitmaps", "tiles")):
        before, after = result["minute_1"][name], result["end"][name]
        change = (after - before) / before
        rows.append((name, f"{before:.0f} -> {after:.0f} {unit} ({change:+.1%})", "within 10 %", abs(change) <= 0.1))
    work = f"{result['p95_ms']:.1f} ms p95 of {result['frames']} frames"
    rows.append(("main thread per frame", work, "<= 8 ms", result["p95_ms"] <= 8))
    verdict = {True: "ok", False: "MISSED"}
    return "\n".join(f"{name:24} {value:38} {expected:12} {verdict[good]}" for name, value, expected, good in rows)


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=3.0, help="how long to pan (at least about 1.2)")
    parser.add_argument("--tiles", type=int, default=10_000, help="tiles of the scene that is made")
    parser.add_argument("--scene", type=Path, help="use this scene file instead")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    result = run(options.minutes, options.tiles, options.scene)
    print(json.dumps(result) if options.json else table(result))


if __name__ == "__main__":
    main()
