"""Rows of a table of images in the layout of Git-10M, enhanced: the image, and what the row says of its resolution."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pyarrow as pa
from PIL import Image

from text2earth_core.data.corpus import decode_image
from text2earth_core.data.runner.parts import BadRow, Row
from text2earth_core.data.sources.tables import encoded
from text2earth_core.errors import Text2EarthError

if TYPE_CHECKING:
    from text2earth_core.enhancement.enhancer import Enhancer

MAX_SIDE = 8192
"""px of an image in a row; larger ones belong into files of their own."""

QUALITY = 95
"""Of JPEG and WebP."""

_LEVEL = re.compile(r"^(\s*)(\d{1,2})(_GOOGLE_LEVEL_)", re.IGNORECASE)


@dataclass(frozen=True)
class Enhancement:
    """Rows enhanced, as work of `data.runner`."""

    enhancer: Enhancer
    same_size: bool = False

    @property
    def facts(self) -> dict[str, Any]:
        return {"enhancer": self.enhancer.fingerprint, "same_size": self.same_size}

    def schema(self, before: pa.Schema) -> pa.Schema:
        return better_schema(before, self.same_size)

    def change(self, row: Row) -> Row:
        return enhance_row(row, self.enhancer, self.same_size)


def enhance_row(row: Row, enhancer: Enhancer, same_size: bool = False) -> Row:
    """A row with a better image in the format that it had; BadRow where it holds none that can be used.

    A larger image has smaller pixels: `resolution` (m/px, a number or a text) and the Google level before the caption's
    words follow. `Google_location` stays, for the ground is the same.
    """
    image = row.get("image")
    data = encoded(image)
    if not data:
        raise BadRow("no image")
    made = _encoded(enhancer.enhance(_decoded(data), same_size), data)
    better = row | {"image": image | {"bytes": made} if isinstance(image, dict) else made}
    if not same_size:
        factor = enhancer.scale
        if "resolution" in row:
            better["resolution"] = _divided(row["resolution"], factor)
        if isinstance(row.get("caption"), str):
            better["caption"] = _finer(row["caption"], factor)
    return better


def better_schema(schema: pa.Schema, same_size: bool) -> pa.Schema:
    """The columns of enhanced rows: as they were, but a resolution of whole numbers can become a fraction."""
    at = schema.get_field_index("resolution")
    if same_size or at < 0 or not pa.types.is_integer(schema.field(at).type):
        return schema
    return schema.set(at, schema.field(at).with_type(pa.float64()))


def _decoded(data: bytes) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(data)) as header:  # which decodes nothing
            size = header.size
    except Exception:  # Pillow raises what it likes for damaged headers
        raise BadRow("image cannot be decoded") from None
    if max(size) > MAX_SIDE:
        raise BadRow(f"image larger than {MAX_SIDE} px")
    try:
        return decode_image(data, "The image")
    except (Text2EarthError, cv2.error):
        raise BadRow("image cannot be decoded") from None


def _encoded(pixels: np.ndarray, like: bytes) -> bytes:
    """A picture in the format of another, PNG where that is none of the usual."""
    if like.startswith(b"\xff\xd8\xff"):
        suffix, options = ".jpg", [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    elif like[:4] == b"RIFF" and like[8:12] == b"WEBP":
        suffix, options = ".webp", [cv2.IMWRITE_WEBP_QUALITY, QUALITY]
    else:
        suffix, options = ".png", []
    try:
        return cv2.imencode(suffix, cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), options)[1].tobytes()
    except cv2.error:
        raise BadRow("enhanced image does not fit into its format") from None


def _divided(value: Any, factor: int) -> Any:
    """A resolution by a factor, as a text where it was one; what is no number stays as it is."""
    try:
        finer = float(value) / factor
    except (TypeError, ValueError):
        return value
    return f"{finer:g}" if isinstance(value, str) else finer


def _finer(caption: str, factor: int) -> str:
    """A caption whose Google level, if it has one before its words, is that of pixels so much smaller."""
    levels = factor.bit_length() - 1
    return _LEVEL.sub(lambda found: f"{found[1]}{int(found[2]) + levels}{found[3]}", caption, count=1)
