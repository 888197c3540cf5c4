"""Import of image files onto a scene: windowed, resampled to the scene's resolution, one change that can be undone.

A file passes through two stages. First it is read once for each layer it holds, from top to bottom, as 8 bits
a band with a mask, averaged over whole blocks of pixels where the scene is much coarser, into a temporary tiled file.
That file is then resampled tile by tile. So any file needs little memory, and formats that can only be read in order
are read in order.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rasterio
from affine import Affine
from rasterio.enums import ColorInterp
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from canvas.errors import SceneError
from canvas.geometry import TILE, Rect, tile_rect
from canvas.maps.crs import name_of
from canvas.maps.export_file import Report
from canvas.maps.georeference import extent_of, georeference
from canvas.maps.geotiff import CHUNK, create_draft, gdal, put
from canvas.maps.layer_bands import layers_for, layers_in
from canvas.maps.picture import open_picture, readable, upright
from canvas.maps.picture_bands import LayerReader
from canvas.maps.placement import Ground, Placement, beside, own_resolution, place
from canvas.request import Request
from canvas.scene import Scene
from canvas.scene_file.files import STAGED
from canvas.scene_file.history import Entry
from canvas.scene_file.spool import Piece

KIND = "import"
ROW_BYTES = 24 * 2**20  # of a file that is read in whole rows, held at a time
DRAFT_SHARE, TILED_SHARE = 60, 95  # percent that are done after the draft, and after its tiles
WARP_MB = 64


@dataclass(frozen=True)
class Imported:
    """The changes of the scene, one for each layer, and sentences about what was decided on the way."""

    entries: list[Entry]
    notes: list[str]


def describe(path: str | Path, scene: Scene, name: str | None = None) -> dict[str, Any]:
    """What an import dialog shows before anything is decoded, JSON-ready.

    `alpha` tells whether a band is marked as transparency, `names` what the bands are called, `layers` which bands the
    file says are which layer.
    `resolution` (m/px) and `rect` (x, y, w, h in px of the scene) are None where the file does not say them; `placed`
    tells whether the file names its place or the rectangle is only a proposal; `why` is a sentence where it names one
    that cannot be used, None elsewhere.
    """
    with open_picture(Path(path), name) as source:
        ground, where = _ground(scene), georeference(source)
        resolution = own_resolution(where)
        why = where.notes[0] if where.notes else None
        try:
            found = place(source, ground, name=name or "The picture") if resolution else None
            if found and not found.named:
                why = found.notes[-1]
        except SceneError as error:  # its own place cannot be used: a person may name another one
            found, why = place(source, ground, at=beside(ground.bounds), name=name or "The picture"), str(error)
        # A camera that was held upright writes the picture lying down, and how to turn it.
        left, top, right, bottom = extent_of(upright(source), source.width, source.height)
        return {
            "width": round(right - left),
            "height": round(bottom - top),
            "bands": source.count,
            "dtype": source.dtypes[0],
            "alpha": ColorInterp.alpha in source.colorinterp,
            "names": [name or "" for name in source.descriptions],
            "layers": {layer: list(found.bands) for layer, found in layers_in(source).items()},
            "crs": name_of(where.crs) if where.on_earth and where.crs else None,
            "resolution": resolution,
            "rect": list(found.rect) if found else None,
            "placed": found is not None and found.named,
            "why": why,
        }


def import_image(
    scene: Scene,
    path: str | Path,
    resolution: float | None = None,
    at: tuple[int, int] | None = None,
    bands: Sequence[int] | None = None,
    value_range: tuple[float, float] | None = None,
    name: str | None = None,
    progress: Report | None = None,
    scratch: Path | None = None,
    layer: str | None = None,
) -> Imported:
    """Put a PNG, JPEG, WebP or GeoTIFF file onto a scene, over whatever is there; one undoable change for each layer.

    It goes to `layer`, or to the layers that the file says it holds, or to `rgb` (see `layer_bands.layers_for`).
    `resolution` (m/px) and `at` (px of the scene, upper left corner) override what the file says (see
    `placement.place`), `bands` and `value_range` what would be guessed (see `picture_bands.LayerReader`). The history
    calls the file `name`. `progress(done, total)` may raise to stop. Temporary files lie in the folder `scratch`, None
    for the scene's. Raises SceneError with one sentence; then nothing was changed.
    """
    path = Path(path)
    name = name or path.name
    with _drafts(scratch or scene.path.parent, scene.path.stem) as new_draft:
        with open_picture(path, name) as source:
            ground = _ground(scene)
            placement = place(source, ground, resolution, at, name)
            wanted = layers_for(source, layer, bands, name)
            about = {"file": name, "sha256": sha256_of(path), "resolution": placement.resolution}
            about["at"] = [placement.rect.x, placement.rect.y]
            imports, notes = [], list[str]()
            for number, (into, chosen) in enumerate(wanted.items()):
                report, draft = _share(progress, number, len(wanted)), new_draft()
                reader = LayerReader(source, into, chosen, value_range)
                _write_draft(source, reader, placement, draft, name, report)
                notes += reader.notes
                values = list(reader.value_range) if reader.value_range else None
                how = about | {"bands": list(reader.bands), "range": values}
                request = Request(KIND, placement.rect, ground.resolution, into, source=how)
                imports.append((request, _pieces(draft, placement, reader.channels, report)))
            if layer is None and bands is None and list(wanted) == ["rgb"] and len(reader.bands) == 1:
                notes.append("It has one band and was taken as grey: as the layer pan (or nir, sar) it stays one band.")
        entries = scene.accept_tiles(imports, placement.anchor)
    return Imported(entries, [*notes, *placement.notes])


@contextmanager
def _drafts(folder: Path, stem: str) -> Iterator[Callable[[], Path]]:
    """Lend names of temporary files in a folder; whatever was written there is gone at the end."""
    lent: list[Path] = []

    def new() -> Path:
        lent.append(folder / f".{stem}.{secrets.token_hex(4)}{STAGED}")
        return lent[-1]

    try:
        yield new
    finally:
        for draft in lent:
            with suppress(OSError):
                draft.unlink(missing_ok=True)


def _share(progress: Report | None, number: int, count: int) -> Report:
    """The report of one of several layers, in percent of all of them."""
    return lambda done, total: progress((100 * number + 100 * done // total) // count, 100) if progress else None


def _ground(scene: Scene) -> Ground:
    with scene.snapshot() as at:
        return Ground(at.resolution, at.anchor, at.bounds)


def _write_draft(
    source: DatasetReader, reader: LayerReader, placement: Placement, draft: Path, name: str, report: Report
) -> None:
    by = placement.shrink
    width, height = -(-source.width // by), -(-source.height // by)
    transform = placement.transform @ Affine.scale(by)
    with (
        gdal("Reading the picture", draft.parent),
        create_draft(draft, width, height, placement.crs, transform, reader.channels) as file,
    ):
        todo = list(_windows(source, by))
        for number, part in enumerate(todo, start=1):
            with readable(name):
                pixels, valid = reader.read(Window(*part))
            pixels, valid = _averaged(pixels, valid, by)
            if valid.any():
                put(file, part.x // by, part.y // by, pixels, valid)
            report(DRAFT_SHARE * number // len(todo), 100)
    if reader.shows_nothing:
        raise SceneError(f"{name} has no known pixel. {reader.transparency}")


def _windows(source: DatasetReader, by: int) -> Iterator[Rect]:
    """Windows on a grid of `by` px that cover a file, in the order in which it is stored."""
    columns = source.block_shapes[0][1]
    depth = max(np.dtype(dtype).itemsize for dtype in source.dtypes) * min(source.count, 4)
    if columns < source.width:
        w = h = max(by, CHUNK // by * by)
    else:
        w = -(-source.width // by) * by
        h = max(by, ROW_BYTES // (source.width * depth) // by * by)
    for y in range(0, source.height, h):
        for x in range(0, source.width, w):
            yield Rect(x, y, min(w, source.width - x), min(h, source.height - y))


def _averaged(pixels: np.ndarray, valid: np.ndarray, by: int) -> tuple[np.ndarray, np.ndarray]:
    """Means over blocks of `by` x `by` px of what is known; a block is known where at least half of it is."""
    if by == 1:
        return pixels, valid
    h, w = valid.shape
    pad = ((0, -h % by), (0, -w % by))
    weight = np.pad(valid, pad).astype(np.float32)
    colour = np.pad(pixels, (*pad, (0, 0))).astype(np.float32) * weight[..., None]
    size = (weight.shape[1] // by, weight.shape[0] // by)
    # With whole factors this filter is the plain mean of each block.
    mean = cv2.resize(weight, size, interpolation=cv2.INTER_AREA).reshape(size[::-1])
    summed = cv2.resize(colour, size, interpolation=cv2.INTER_AREA).reshape(*size[::-1], pixels.shape[2])
    # A block that the picture's edge cuts is judged by the part inside.
    inside = np.pad(np.ones((h, w), np.float32), pad)
    whole = cv2.resize(inside, size, interpolation=cv2.INTER_AREA).reshape(size[::-1])
    out = summed / np.maximum(mean, 1e-6)[..., None] + 0.5
    return np.clip(out, 0, 255).astype(np.uint8), mean >= 0.5 * whole


def _pieces(draft: Path, placement: Placement, channels: int, report: Report) -> Iterator[Piece]:
    """The tiles of the scene that the picture covers."""
    rect = placement.rect
    total = rect.tile_span().area
    with (
        gdal("Placing the picture", draft.parent),
        rasterio.open(draft, driver="GTiff") as source,
        WarpedVRT(
            source, src_crs=placement.crs, crs=placement.scene_crs, transform=placement.scene_transform, width=rect.w,
            height=rect.h, resampling=placement.resampling, add_alpha=True, warp_mem_limit=WARP_MB,
        ) as warped,
    ):  # fmt: skip
        for number, (x, y) in enumerate(rect.tiles(), start=1):
            whole = tile_rect(x, y)
            part = whole.intersect(rect)
            data = warped.read(window=Window(part.x - rect.x, part.y - rect.y, part.w, part.h))
            pixels, valid = np.zeros((TILE, TILE, channels), np.uint8), np.zeros((TILE, TILE), bool)
            pixels[part.slices(whole)] = np.moveaxis(data[:channels], 0, 2)
            valid[part.slices(whole)] = data[channels] >= 128
            pixels[~valid] = 0
            yield Piece(x, y, pixels, valid)
            report(DRAFT_SHARE + (TILED_SHARE - DRAFT_SHARE) * number // total, 100)


def sha256_of(path: Path) -> str:
    """Of a file: by it the history knows what was imported."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
