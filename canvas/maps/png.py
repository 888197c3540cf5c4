"""The format .png: row bands, alpha only where something is unknown, and text that says what the picture is."""

from __future__ import annotations

import os

import numpy as np

from canvas.errors import SceneError
from canvas.geometry import TILE, Rect
from canvas.layers import bands_of
from canvas.maps.export_file import ExportFile
from canvas.maps.png_writer import MAX_PNG, PngWriter

BAND_BYTES = 16 * 2**20  # of RGBA pixels held at a time; a tile is at most this many rows high anyway

# The word of IPTC for pictures made by a trained model: what viewers and archives look for.
_XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/{}"/>'
    "</rdf:RDF></x:xmpmeta>"
)


def write(export: ExportFile) -> None:
    """Write one moment of a region of a scene as PNG."""
    at, rect = export.at, export.rect
    if max(rect.w, rect.h) > MAX_PNG:
        raise SceneError(f"A PNG is at most {MAX_PNG} px wide and high: export a part, or a .tif.")
    with export.part.open("wb") as file:
        layer = export.layers[0]
        opaque = at.opaque(rect, layer)
        writer = PngWriter(file, rect.w, rect.h, bands_of(layer) + (not opaque), _text(export))
        rows = max(1, min(TILE, BAND_BYTES // (4 * rect.w)))
        y = rect.y
        while y < rect.y1:
            # Bands end on tile borders where they can, so that no tile is read twice.
            end = min(rect.y1, y + rows, (y // TILE + 1) * TILE)
            pixels, valid = at.pixels(Rect(rect.x, y, rect.w, end - y), layer)
            writer.band(pixels if opaque else np.dstack([pixels, valid.astype(np.uint8) * 255]))
            y = end
            export.report(y - rect.y, rect.h)
        writer.finish()
        file.flush()
        os.fsync(file.fileno())


def _text(export: ExportFile) -> dict[str, str]:
    tags = export.tags
    kind = "compositeWithTrainedAlgorithmicMedia" if tags["imported"] else "trainedAlgorithmicMedia"
    text = {
        "Software": tags["software"],
        "Source": tags["source"],
        "Title": tags["title"],
        "Resolution": tags["resolution"],
        "XML:com.adobe.xmp": _XMP.format(kind),
    }
    if tags["prompts"]:
        text["Description"] = tags["prompts"]
    if tags["imported"]:
        text["Imported"] = tags["imported"]
    return text
