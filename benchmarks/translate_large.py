"""What translating a large map costs, and whether one sees where its windows met.

    python benchmarks/translate_large.py [--image FILE] [--task NAME] [--model FOLDER] [--translator FOLDER]
                                         [--side PX ...] [--sampler quality|fast]

For each side a GeoTIFF is made of the picture (mirrored until it is large enough) and translated by the command in a
process of its own. Printed are seconds, the peak of resident memory in MB, and for the result the gradient at the lines
where windows of the last step met over that elsewhere, with 95 % of a bootstrap, beside the same for the source.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import rasterio
from PIL import Image
from rasterio.transform import from_origin

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.seams import lines_of  # noqa: E402
from canvas.fill.grid import phases  # noqa: E402
from canvas.geometry import CELL, Rect  # noqa: E402
from text2earth_core import Text2Earth  # noqa: E402
from text2earth_core.evaluation.lines import SeamScene  # noqa: E402
from text2earth_core.evaluation.seams import collect, seam_gradient_ratio  # noqa: E402
from text2earth_core.pictures import as_rgb  # noqa: E402
from text2earth_core.sampling.settings import Sampling  # noqa: E402
from text2earth_core.translation.tasks import Task, get_task  # noqa: E402


def map_of(picture: np.ndarray, side: int, task: Task, path: Path) -> np.ndarray:
    """Write a picture (H, W, 3) as a GeoTIFF of `side` px with the task's source bands; its pixels as RGB."""
    height, width = picture.shape[:2]
    padding = ((0, max(0, side - height)), (0, max(0, side - width)), (0, 0))
    whole = np.pad(picture, padding, mode="symmetric")[:side, :side]
    bands = task.sees.to_bands(whole)
    with rasterio.open(
        path, "w", driver="GTiff", width=side, height=side, count=bands.shape[2], dtype="uint8", tiled=True,
        crs="EPSG:32632", transform=from_origin(500_000, 5_400_000, 1, 1),
    ) as file:  # fmt: skip
        file.write(np.moveaxis(bands, 2, 0))
    return task.sees.to_rgb(bands)


def run(command: list[str]) -> tuple[float, float]:
    """Seconds and peak memory (MB) of a command that must succeed."""
    started = time.perf_counter()
    child = os.posix_spawn(sys.executable, command, os.environ)
    _, status, usage = os.wait4(child, 0)
    if status != 0:
        sys.exit(f"{' '.join(command)} failed.")
    return time.perf_counter() - started, usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", type=Path, default=ROOT / "assets" / "readme" / "river.jpg")
    parser.add_argument("--task", default="rgb2nir")
    parser.add_argument("--model", type=Path, default=ROOT / "assets" / "models" / "text2earth-mini")
    parser.add_argument("--translator", type=Path)
    parser.add_argument("--side", type=int, nargs="+", default=[1024, 4096])
    parser.add_argument("--sampler", default="fast")
    options = parser.parse_args()
    picture, task = as_rgb(Image.open(options.image)), get_task(options.task)
    model = Text2Earth.from_pretrained(options.model)
    steps = model.settled(Sampling(sampler=options.sampler)).steps
    assert steps is not None
    given = ["--translator", str(options.translator)] if options.translator else []
    print(f"{'side':>6} {'seconds':>8} {'MB':>6}  gradient at lines / elsewhere (source)")
    for side in options.side:
        with tempfile.TemporaryDirectory() as folder:
            source, out = Path(folder) / "in.tif", Path(folder) / "out.tif"
            before = map_of(picture, side, task, source)
            seconds, peak = run([
                sys.executable, "-m", "app.cli", "translate", str(source), "--task", task.name, "--out", str(out),
                "--model", str(options.model), "--sampler", options.sampler, "--yes", *given,
            ])  # fmt: skip
            with rasterio.open(out) as file:
                made = task.makes.to_rgb(np.moveaxis(file.read(), 0, 2))
        cells = side * task.finer // CELL
        last = phases(Rect(0, 0, cells, cells), model.info.window // CELL, steps)[-1]
        lines = tuple(lines_of(last, *made.shape[:2]))
        ratios = [
            str(seam_gradient_ratio(collect([SeamScene(pixels, lines)])))
            for pixels in (made, before) if pixels.shape == made.shape
        ]  # fmt: skip
        print(f"{side:>6} {seconds:>8.1f} {peak:>6.0f}  {ratios[0]} ({', '.join(ratios[1:])})", flush=True)


if __name__ == "__main__":
    main()
