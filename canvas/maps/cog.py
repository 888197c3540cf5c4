"""The format .tif: a Cloud Optimized GeoTIFF with the true pixel size, validity as mask, and tags that say what it is.

GDAL's COG driver only copies: the scene first goes window by window into a temporary file, and a child process makes
the COG of it. A process of its own can be stopped in the middle, which GDAL's copy inside ours cannot.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np

from canvas.errors import SceneError, disk_full
from canvas.geometry import Rect
from canvas.maps import cog_copy
from canvas.maps.crs import placed
from canvas.maps.export_file import ExportFile
from canvas.maps.geotiff import chunks, create_draft, gdal, put
from canvas.maps.layer_bands import band_names, name_bands

Read = Callable[[Rect], tuple[np.ndarray, np.ndarray]]
"""Of a rectangle (px): uint8 (h, w, bands), and bool (h, w) where anything is known."""

POLL_S = 0.2
DRAFT_SHARE = 50  # percent of the progress that is the temporary file


def write(export: ExportFile) -> None:
    """Write one moment of a region of a scene as COG; layers that end in different places say where each is known."""
    draft = export.part.with_name(f"{export.part.stem}.stage.tif")
    whole = all(export.at.opaque(export.rect, layer) for layer in export.layers)
    known = len(export.layers) > 1 and not whole
    write_draft(export, draft, DRAFT_SHARE, partial(_bands, export, known), band_names(export.layers, known))
    _copy(export, draft)


def write_draft(export: ExportFile, draft: Path, share: int, read: Read, names: Sequence[str]) -> None:
    """Write what `read` gives of the region as plain tiled GeoTIFF, in its place on Earth or in the local system.

    `names` are those of its bands. Reports progress from 0 to `share` of 100.
    """
    rect = export.rect
    crs, transform = placed(export.at.resolution, rect, export.anchor)
    with gdal("Writing the map", draft.parent), create_draft(draft, rect.w, rect.h, crs, transform, len(names)) as file:
        file.update_tags(**_tags(export))
        name_bands(file, names)
        todo = list(chunks(rect.w, rect.h))
        for number, chunk in enumerate(todo, start=1):
            pixels, valid = read(Rect(rect.x + chunk.x, rect.y + chunk.y, chunk.w, chunk.h))
            if valid.any():
                put(file, chunk.x, chunk.y, pixels, valid)
            export.report(share * number // len(todo), 100)


def _bands(export: ExportFile, known: bool, rect: Rect) -> tuple[np.ndarray, np.ndarray]:
    """(uint8 (h, w, bands), bool (h, w)) of the layers, and where any is known; with `known` a band more for each."""
    parts = [export.at.pixels(rect, layer) for layer in export.layers]
    bands = [pixels for pixels, _ in parts]
    if known:
        bands += [valid.astype(np.uint8) * 255 for _, valid in parts]
    return np.dstack(bands), np.logical_or.reduce([valid for _, valid in parts])


def _tags(export: ExportFile) -> dict[str, str]:
    tags = export.tags
    found = {
        "TIFFTAG_DOCUMENTNAME": tags["title"],
        "TIFFTAG_IMAGEDESCRIPTION": f"{tags['title']} ({tags['source']})",
        "TIFFTAG_SOFTWARE": tags["software"],
        "SYNTHETIC": "YES",
        "SOURCE": tags["source"],
        "LAYERS": tags["layers"],
        "GROUND_RESOLUTION": tags["resolution"],
        "GEOREFERENCING": f"user-defined anchor, {export.anchor}" if export.anchor else "none: local system, metres",
    }
    return found | {name.upper(): tags[name] for name in ("prompts", "imported") if tags[name]}


def _copy(export: ExportFile, draft: Path) -> None:
    """Make the COG in a child process, watching how much it has written."""
    expected = max(1, 2 * draft.stat().st_size)  # overviews are written twice, and packed better than the draft
    command = [sys.executable, cog_copy.__file__, str(draft), str(export.part)]
    most = 0  # temporary files go again, progress does not
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        while True:
            try:
                _, words = child.communicate(timeout=POLL_S)
                break
            except subprocess.TimeoutExpired:
                most = max(most, _written(export.part))
                share = min(0.99, most / expected)
                export.report(DRAFT_SHARE + int((100 - DRAFT_SHARE) * share), 100)
    except BaseException:
        child.kill()
        child.communicate()
        raise
    if child.returncode:
        reason = (words.decode(errors="replace").strip().splitlines() or ["it was ended"])[-1]
        full = disk_full(OSError(reason), export.part.parent)
        raise full or SceneError(f"Writing the map failed ({reason}): check the free space of the disk and try again.")
    export.report(100, 100)


def _written(part: Path) -> int:
    """Bytes of the file in the making and of what GDAL keeps beside it."""
    total = 0
    for file in part.parent.iterdir():
        if file.name.startswith(part.name):
            with suppress(FileNotFoundError):  # GDAL may have removed it this moment
                total += file.stat().st_size
    return total
