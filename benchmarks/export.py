"""What an export of a large scene costs: time, bytes, and the peak memory of this process and of its child.

    python benchmarks/export.py [--megapixels 1000] [--width 32768] [--format tif] [--json]

Tiles are smooth gradients, different in each tile: cheap to make, not free to compress.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from canvas.anchor import Anchor
from canvas.geometry import TILE, Rect
from canvas.maps.export import export_scene
from canvas.request import Request
from canvas.scene import Scene
from canvas.scene_file.spool import Piece


def tiles(columns: int, rows: int) -> Iterator[Piece]:
    """A gradient per tile."""
    ramp = np.linspace(0, 60, TILE, dtype=np.uint8)
    base = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None], np.uint8(90)), axis=-1)
    valid = np.ones((TILE, TILE), bool)
    for y in range(rows):
        for x in range(columns):
            yield Piece(x, y, base + np.uint8((7 * x + 13 * y) % 190), valid)


def peak_mb(who: int) -> float:
    """Peak resident memory, MB."""
    return resource.getrusage(who).ru_maxrss / 1024


def main() -> None:
    """Make the scene in a temporary folder, export it, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megapixels", type=float, default=1000)
    parser.add_argument("--width", type=int, default=32_768, help="px")
    parser.add_argument("--format", default="tif", choices=["png", "tif", "mbtiles", "zip"])
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    columns = -(-given.width // TILE)
    rows = max(1, round(given.megapixels * 1e6 / (columns * TILE * TILE)))
    with tempfile.TemporaryDirectory() as folder, Scene.create(Path(folder) / "scene.t2e", 1.0) as scene:
        rect = Rect(0, 0, columns * TILE, rows * TILE)
        scene.accept_tiles([(Request("import", rect, 1.0), tiles(columns, rows))])
        made, reports = peak_mb(resource.RUSAGE_SELF), 0
        target = Path(folder) / f"scene.{given.format}"

        def count(done: int, total: int) -> None:
            nonlocal reports
            reports += 1

        start = time.perf_counter()
        export_scene(scene, target, anchor=Anchor(32632, 500_000.0, 5_400_000.0), progress=count)
        result = {
            "format": given.format,
            "megapixels": round(rect.area / 1e6),
            "width": rect.w,
            "height": rect.h,
            "seconds": round(time.perf_counter() - start, 1),
            "file_mb": round(target.stat().st_size / 1e6, 1),
            "progress_reports": reports,
            "peak_mb_making_the_scene": round(made),
            "peak_mb": round(peak_mb(resource.RUSAGE_SELF)),
            "peak_mb_child": round(peak_mb(resource.RUSAGE_CHILDREN)),
        }
    if given.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:26} {value}")


if __name__ == "__main__":
    main()
