"""The format .mbtiles: Web Mercator tiles in one SQLite file (MBTiles 1.3), for scenes that lie somewhere on Earth."""

from __future__ import annotations

import io
import json
import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import numpy as np
import rasterio
from affine import Affine
from PIL import Image
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from canvas.errors import SceneError, storage_error
from canvas.geometry import TILE, Rect
from canvas.maps.cog import write_draft
from canvas.maps.export_file import ExportFile
from canvas.maps.geotiff import gdal
from canvas.maps.layer_bands import band_names
from canvas.maps.tile_tree import build
from canvas.maps.web_world import HALF_WORLD, WebWorld, web_world

MAX_ZOOM = 24
MAX_LATITUDE = 85.0
QUALITY = 90  # of lossy WebP: the warp has resampled the pixels anyway
DRAFT_SHARE = 30  # percent of the progress that is the temporary file
WARP_MB = 64
COMMIT_EVERY = 500  # tiles


def write(export: ExportFile) -> None:
    """Write one moment of a region of an anchored scene; SceneError where it is not anchored."""
    if export.anchor is None:
        raise SceneError(
            "MBTiles lie on Earth and this scene does not: give it a place (--crs EPSG:N --origin E,N), "
            "or write a plain tile pyramid with a name that ends in .zip."
        )
    draft = export.part.with_name(f"{export.part.stem}.stage.tif")
    write_draft(export, draft, DRAFT_SHARE, export.picture, band_names(["rgb"], False))
    with gdal("Warping the map", draft.parent), rasterio.open(draft, driver="GTiff") as source:
        world = web_world(source)
        _, south, _, north = world.degrees
        if not all(map(math.isfinite, world.degrees)) or max(abs(south), abs(north)) > MAX_LATITUDE:
            raise SceneError(f"Web Mercator ends at {MAX_LATITUDE:g} degrees: export a part nearer to the equator.")
        zoom = _zoom(export.at.resolution, world.middle[1])
        span = _span(world.metres, zoom)
        with _warped(source, world, span, zoom) as warped, closing(sqlite3.connect(export.part)) as file:
            try:
                _fill(export, file, warped, span, zoom, world)
            except sqlite3.Error as error:
                raise storage_error(error, export.part) from error


def _fill(
    export: ExportFile, file: sqlite3.Connection, warped: WarpedVRT, span: Rect, zoom: int, world: WebWorld
) -> None:
    file.execute("PRAGMA journal_mode = OFF")  # a file that is not complete is thrown away
    file.execute("PRAGMA application_id = 0x4d504258")  # "MPBX", as the specification asks for
    file.execute("CREATE TABLE metadata (name TEXT, value TEXT)")
    file.execute("CREATE TABLE tiles (zoom_level INTEGER, tile_column INTEGER, tile_row INTEGER, tile_data BLOB)")
    # Up to where two by two tiles hold everything; across 180 degrees, the world's one tile would be two of them.
    highest = zoom - 1 if span.x1 > 2**zoom else zoom
    levels = max(0, min(highest, max(span.w - 1, span.h - 1, 0).bit_length()))
    done = 0

    def draw(x: int, y: int) -> np.ndarray | None:
        nonlocal done
        window = Window((x - span.x) * TILE, (y - span.y) * TILE, TILE, TILE)
        image = np.moveaxis(warped.read(window=window), 0, 2)
        done += 1
        export.report(DRAFT_SHARE + (100 - DRAFT_SHARE) * done // span.area, 100)
        return image if image[..., 3].any() else None

    def emit(level: int, x: int, y: int, image: np.ndarray) -> None:
        z = zoom - level
        file.execute("INSERT INTO tiles VALUES (?, ?, ?, ?)", (z, x % 2**z, 2**z - 1 - y, _encode(image)))
        if done % COMMIT_EVERY == 0:
            file.commit()

    build(span, levels, draw, emit)
    file.execute("CREATE UNIQUE INDEX tile_index ON tiles (zoom_level, tile_column, tile_row)")
    tags, (longitude, latitude) = export.tags, world.middle
    file.executemany(
        "INSERT INTO metadata VALUES (?, ?)",
        {
            "name": tags["title"],
            "format": "webp",
            "bounds": ",".join(f"{value:.8f}" for value in world.named),
            "center": f"{longitude:.8f},{latitude:.8f},{max(0, zoom - 2)}",
            "minzoom": str(zoom - levels),
            "maxzoom": str(zoom),
            "type": "overlay",
            "attribution": tags["source"],
            "description": f"{tags['title']} ({tags['source']})",
            "generator": tags["software"],
            "synthetic": "yes",
            "layer": tags["layers"],
            "ground_resolution": tags["resolution"],
            "anchor": str(export.anchor),
            "prompts": json.dumps(tags["prompts"].splitlines(), ensure_ascii=False),
        }.items(),
    )
    file.commit()


def _zoom(resolution: float, latitude: float) -> int:
    """The zoom level whose pixels are nearest in size to `resolution` m on the ground."""
    at_zero = 2 * HALF_WORLD / TILE * math.cos(math.radians(latitude))
    return min(MAX_ZOOM, max(0, round(math.log2(at_zero / resolution))))


def _span(bounds: tuple[float, float, float, float], zoom: int) -> Rect:
    """The tiles (x to the east, y to the south) that cover a box in metres of Web Mercator.

    Beyond the last column of the world the first ones follow.
    """
    side = 2 * HALF_WORLD / 2**zoom
    west, south, east, north = bounds
    return Rect.from_corners(
        math.floor((west + HALF_WORLD) / side), math.floor((HALF_WORLD - north) / side),
        math.ceil((east + HALF_WORLD) / side), math.ceil((HALF_WORLD - south) / side),
    ).intersect(Rect(0, 0, 2 ** (zoom + 1), 2**zoom))  # fmt: skip


@contextmanager
def _warped(source: rasterio.DatasetReader, world: WebWorld, span: Rect, zoom: int) -> Iterator[WarpedVRT]:
    """The file as seen on the tiles of `span`: RGB and alpha, made when read."""
    pixel = 2 * HALF_WORLD / 2**zoom / TILE
    west, north = span.x * TILE * pixel - HALF_WORLD - world.shift, HALF_WORLD - span.y * TILE * pixel
    with WarpedVRT(
        source, src_crs=world.crs, src_transform=world.transform, crs=world.mercator,
        transform=Affine(pixel, 0, west, 0, -pixel, north), width=span.w * TILE, height=span.h * TILE,
        resampling=Resampling.bilinear, add_alpha=True, warp_mem_limit=WARP_MB,
    ) as warped:  # fmt: skip
        yield warped


def _encode(image: np.ndarray) -> bytes:
    out = io.BytesIO()
    picture = Image.fromarray(image if image[..., 3].min() < 255 else np.ascontiguousarray(image[..., :3]))
    picture.save(out, "WEBP", quality=QUALITY, method=2)
    return out.getvalue()
