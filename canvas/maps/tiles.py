"""The format .zip: a plain tile pyramid of a scene that is nowhere on Earth, with a viewer that needs no network."""

from __future__ import annotations

import json
import zipfile
from html import escape
from pathlib import Path

import numpy as np

from canvas.geometry import TILE, Rect
from canvas.maps.export_file import ExportFile
from canvas.maps.tile_tree import build, levels_above
from canvas.scene_file import codec

VIEWER = Path(__file__).with_name("pyramid_viewer.html")


def write(export: ExportFile) -> None:
    """Write `{z}/{x}/{y}.webp` (z = 0: everything in one tile, y down), `scene.json` and `index.html`.

    Tiles lie on the grid of the scene's own tiles, so that the finest level is their pixels, bit for bit.
    """
    rect = export.rect
    whole = rect.snap_out(TILE)
    span = Rect(0, 0, whole.w // TILE, whole.h // TILE)
    levels = levels_above(span)
    done = 0

    def draw(x: int, y: int) -> np.ndarray | None:
        nonlocal done
        tile = Rect(whole.x + x * TILE, whole.y + y * TILE, TILE, TILE)
        part = tile.intersect(rect)
        pixels, valid = export.picture(part)
        done += 1
        export.report(done, span.area)
        if not valid.any():
            return None
        image = np.zeros((TILE, TILE, 4), np.uint8)
        image[part.slices(tile)] = np.dstack([pixels, valid.astype(np.uint8) * 255])
        return image

    def emit(level: int, x: int, y: int, image: np.ndarray) -> None:
        alpha = image[..., 3]
        name = f"{levels - level}/{x}/{y}.webp"
        archive.writestr(name, codec.encode_image(image[..., :3], None if alpha.min() == 255 else alpha))

    facts = export.tags | {
        "tile": TILE,
        "maxzoom": levels,
        "metres_per_pixel": export.at.resolution,
        # in pixels of the finest level: what is left and above of it in the first tile is empty
        "bounds": [rect.x - whole.x, rect.y - whole.y, rect.x1 - whole.x, rect.y1 - whole.y],
        "scene_origin": [whole.x, whole.y],
    }
    with zipfile.ZipFile(export.part, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("scene.json", json.dumps(facts, indent=1, ensure_ascii=False))
        # "</" would end the script that the facts stand in.
        page = VIEWER.read_text("utf-8").replace("{{title}}", escape(str(facts["title"])))
        archive.writestr("index.html", page.replace("{{facts}}", json.dumps(facts).replace("</", "<\\/")))
        build(span, levels, draw, emit)
