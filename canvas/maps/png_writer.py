"""A PNG file written band by band, so that an image of any height needs the memory of one band (PNG 1.2, W3C REC)."""

from __future__ import annotations

import struct
import zlib
from typing import BinaryIO

import numpy as np

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_UP = 2  # filter: difference to the row above; on photographs within a few percent of choosing per row
_COLOUR_TYPE = {1: 0, 2: 4, 3: 2, 4: 6}  # samples per pixel: grey and truecolour, each without and with alpha
MAX_PNG = 2**31 - 1


class PngWriter:
    """Writes an 8-bit image of `channels` samples (1 to 4) to an open file: `band()` top to bottom, then `finish()`."""

    def __init__(self, file: BinaryIO, width: int, height: int, channels: int, text: dict[str, str]) -> None:
        """`text` becomes UTF-8 iTXt chunks before the pixels, where every reader finds them."""
        self._file = file
        self._row_bytes = width * channels
        self._above = np.zeros(self._row_bytes, np.uint8)
        self._deflate = zlib.compressobj(4)
        file.write(_SIGNATURE)
        self._chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPE[channels], 0, 0, 0))
        for keyword, value in text.items():
            # keyword, 0, not compressed, method 0, no language, no translated keyword
            self._chunk(b"iTXt", keyword.encode("latin-1") + b"\0\0\0\0\0" + value.encode())

    def band(self, pixels: np.ndarray) -> None:
        """The next rows: uint8 (rows, width, channels)."""
        rows = pixels.reshape(len(pixels), self._row_bytes)
        filtered = np.empty((len(rows), 1 + self._row_bytes), np.uint8)
        filtered[:, 0] = _UP
        filtered[0, 1:] = rows[0] - self._above
        filtered[1:, 1:] = rows[1:] - rows[:-1]
        self._above = rows[-1].copy()
        self._data(self._deflate.compress(filtered.data))

    def finish(self) -> None:
        """Write what is left; the image is complete afterwards."""
        self._data(self._deflate.flush())
        self._chunk(b"IEND", b"")

    def _data(self, data: bytes) -> None:
        if data:
            self._chunk(b"IDAT", data)

    def _chunk(self, kind: bytes, data: bytes) -> None:
        self._file.write(struct.pack(">I", len(data)) + kind)
        self._file.write(data)
        self._file.write(struct.pack(">I", zlib.crc32(data, zlib.crc32(kind))))
