"""A small picture of a whole scene, for lists of scenes."""

from __future__ import annotations

import io
import math

from PIL import Image

from canvas.geometry import TILE, Rect
from canvas.scene import Scene
from canvas.scene_file.pyramid import MAX_ZOOM

SIDE = 112  # px along the longer side: twice what a list shows, for dense screens
MAX_TILES = 64  # looked at for one picture


def scene_picture(scene: Scene) -> bytes | None:
    """WebP of what the scene holds, transparent where nothing is; None where it is empty, or too wide for a look."""
    with scene.snapshot() as at:
        bounds, layers = at.bounds, list(at.layers)
    if bounds is None:
        return None
    zoom = min(MAX_ZOOM, max(0, math.ceil(math.log2(max(bounds.w, bounds.h) / SIDE))))
    whole = Rect(bounds.x >> zoom, bounds.y >> zoom, -(-bounds.w >> zoom) or 1, -(-bounds.h >> zoom) or 1)
    span = whole.tile_span()
    if span.area > MAX_TILES:
        return None
    picture = Image.new("RGBA", (whole.w, whole.h))
    for y in range(span.y, span.y1):
        for x in range(span.x, span.x1):
            found = scene.tile_webp(layers[0], zoom, x, y)
            if found:
                tile = Image.open(io.BytesIO(found[0])).convert("RGBA")
                picture.paste(tile, (x * TILE - whole.x, y * TILE - whole.y))
    picture.thumbnail((SIDE, SIDE))
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=82, method=2)
    return out.getvalue()
