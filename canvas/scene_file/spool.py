"""Tiles on their way into a scene: compressed one by one to a nameless file, so that any number needs little memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from canvas.errors import storage_error
from canvas.geometry import TILE, Rect, bounding_rect
from canvas.scene_file import codec


@dataclass(frozen=True, slots=True)
class Piece:
    """New pixels of tile (x, y): `pixels` uint8 (256, 256, bands), taken only where `valid` bool (256, 256) is set."""

    x: int
    y: int
    pixels: np.ndarray
    valid: np.ndarray


class Spool:
    """Owns a temporary file in `folder` (it must be on a disk with room for the tiles); no kill leaves it behind.

    `box` is the smallest rectangle (px) around all known pixels.
    """

    def __init__(self, folder: Path) -> None:
        self.box = Rect(0, 0, 0, 0)
        self._folder = folder
        self._places: list[tuple[int, int, int, bool]] = []  # x, y, bytes, known throughout

    def __enter__(self) -> Spool:
        try:
            self._file = tempfile.TemporaryFile(dir=self._folder)
        except OSError as error:
            raise storage_error(error, self._folder) from error
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, piece: Piece) -> None:
        """Keep a piece; one without a known pixel is dropped."""
        known = bounding_rect(piece.valid, piece.x * TILE, piece.y * TILE)
        if known.empty:
            return
        whole = bool(piece.valid.all())
        image = codec.encode_image(piece.pixels, None if whole else piece.valid.astype(np.uint8) * 255)
        try:
            self._file.write(image)
        except OSError as error:
            raise storage_error(error, self._folder) from error
        self._places.append((piece.x, piece.y, len(image), whole))
        self.box = self.box.union(known)

    def __iter__(self) -> Iterator[tuple[int, int, bytes, bool]]:
        """(x, y, encoded image, whether it is known throughout) in the order of `add`; else it has alpha."""
        self._file.seek(0)
        for x, y, size, whole in self._places:
            yield x, y, self._file.read(size), whole
