"""Lines in pictures, where windows met or where none did, and the strips of pixels around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from text2earth_core.sampling.feather import FEATHER

LENGTH = 64
"""Pixels along one piece of a line: long seams are cut into pieces of this length."""

HALF = 32
"""Pixels on each side of a line that belong to its strip."""

CLEARANCE = HALF + FEATHER
"""Pixels that an off-seam line keeps from every seam: its strip lies clear of the feather, and of what was remade."""

GRID = 8
"""Latent cells: seams lie on their borders, so off-seam lines are taken there as well."""


class Line(NamedTuple):
    """A piece of a straight border between two rows or columns of pixels, `LENGTH` px long.

    vertical: it runs from top to bottom. at: the first pixel beyond it (x if vertical, else y). start: where the
    piece begins along the line.
    """

    vertical: bool
    at: int
    start: int


@dataclass(frozen=True)
class SeamScene:
    """A picture uint8 (H, W, 3) and where windows met in it."""

    pixels: np.ndarray
    seams: tuple[Line, ...]


def pieces(vertical: bool, at: int, start: int, stop: int) -> list[Line]:
    """Cut the line at `at` from `start` to `stop` into pieces of `LENGTH` px; a shorter rest is left out."""
    return [Line(vertical, at, begin) for begin in range(start, stop - LENGTH + 1, LENGTH)]


def usable(lines: Sequence[Line], shape: tuple[int, ...]) -> list[Line]:
    """The lines whose strips lie within a picture of this shape."""
    return [line for line in lines if _inside(line, shape)]


def off_seam_lines(scene: SeamScene, each: int = 2, seed: int = 0) -> list[Line]:
    """Lines of the same scene on which no windows met, parallel to its seams and on the same 8 px grid.

    Args:
        each: how many for every seam, as far as the scene has room.

    Returns:
        Lines at least `CLEARANCE` px from every parallel seam, drawn without repetition.
    """
    height, width = scene.pixels.shape[:2]
    rng = np.random.default_rng(seed)
    found: list[Line] = []
    for vertical in (True, False):
        seams = [line for line in scene.seams if line.vertical == vertical]
        if not seams:
            continue
        across, along = (width, height) if vertical else (height, width)
        taken = {line.at for line in seams}
        clear = [
            at
            for at in range(-(-HALF // GRID) * GRID, across - HALF + 1, GRID)
            if all(abs(at - seam) >= CLEARANCE for seam in taken)
        ]
        places = [Line(vertical, at, start) for at in clear for start in range(0, along - LENGTH + 1, LENGTH)]
        order = rng.permutation(len(places))[: each * len(seams)]
        found += [places[i] for i in order]
    return found


def lines_through(pixels: np.ndarray, vertical: bool, place: float = 0.5) -> tuple[Line, ...]:
    """Pieces of one line right through a picture, as if windows had met there: the calibration of every metric.

    Args:
        place: where, from 0 (as far left or up as a strip fits) to 1; snapped to the 8 px grid.
    """
    across, along = (pixels.shape[1], pixels.shape[0]) if vertical else pixels.shape[:2]
    at = round((HALF + place * (across - 2 * HALF)) / GRID) * GRID
    return tuple(pieces(vertical, at, 0, along))


def cut_strips(pixels: np.ndarray, lines: Sequence[Line]) -> np.ndarray:
    """The surroundings of lines, turned so that each line runs from top to bottom through the middle.

    Args:
        pixels: uint8 (H, W, 3). lines: such that `usable` keeps them.

    Returns:
        uint8 (N, LENGTH, 2 * HALF, 3); the line lies between columns HALF - 1 and HALF.
    """
    strips = np.empty((len(lines), LENGTH, 2 * HALF, 3), np.uint8)
    turned = pixels.transpose(1, 0, 2)
    for index, line in enumerate(lines):
        source = pixels if line.vertical else turned
        strips[index] = source[line.start : line.start + LENGTH, line.at - HALF : line.at + HALF]
    return strips


def _inside(line: Line, shape: tuple[int, ...]) -> bool:
    across, along = (shape[1], shape[0]) if line.vertical else (shape[0], shape[1])
    return HALF <= line.at <= across - HALF and 0 <= line.start <= along - LENGTH
