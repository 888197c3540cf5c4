"""Does the border of a mask show in what was filled? Seam figures for borders of any shape.

As in `seams`, each figure compares the border with other lines of the same picture: borders of the same shape, which
the mask has when it is turned, mirrored and moved, as far as they lie on known ground clear of the true one. (On what
was filled, a blurred filling would excuse a blurred border.) Where nothing was filled each ratio is 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from canvas.request import EDIT_FEATHER
from text2earth_core.evaluation.bootstrap import Interval
from text2earth_core.evaluation.lines import LENGTH
from text2earth_core.evaluation.patch_distance import PATCH, laplacian_pyramid, sliced_wasserstein
from text2earth_core.evaluation.seams import ratio_of

SIDE = EDIT_FEATHER
"""Pixels on each side of a border within which both sides are compared: as far as the feather of a change reaches."""

CLEARANCE = 24
"""Pixels that another border keeps from the mask: more than a feather reaches."""

LEAST = 16
"""Contour pixels of a shortest piece; shorter ones say too little."""

Figure = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""(pixels uint8 (H, W, 3), mask bool (H, W), pieces as `border_pieces` gives them) -> a figure for each piece."""


def border_pieces(mask: np.ndarray, away_from: np.ndarray | None = None) -> np.ndarray:
    """int (H, W): the piece of a mask's border, about `LENGTH` px long, that each pixel near the border belongs to.

    Numbers begin at 1; 0 is further than `SIDE` px from the border, or nearest to where the picture cuts the mask off.

    Args:
        away_from: another mask of the same shape; pieces with a point within `CLEARANCE` px of it are left out.
    """
    forbidden = np.zeros(mask.shape, bool)
    forbidden[[0, -1]], forbidden[:, [0, -1]] = True, True
    too_near = np.zeros(mask.shape, bool) if away_from is None else _distance_to(away_from) <= CLEARANCE
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    numbers = np.zeros(mask.shape, np.int32)
    count = 0
    for contour in contours:
        points = contour[:, 0]
        for begin in range(0, len(points), LENGTH):
            x, y = points[begin : begin + LENGTH].T
            inside = ~forbidden[y, x]
            if inside.sum() >= LEAST and not too_near[y, x].any():
                count += 1
                numbers[y[inside], x[inside]] = count
    if not contours:
        return numbers
    line = np.ones(mask.shape, np.uint8)
    for contour in contours:
        line[contour[:, 0, 1], contour[:, 0, 0]] = 0
    distance, nearest = cv2.distanceTransformWithLabels(
        line, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    of_label = np.zeros(nearest.max() + 1, np.int32)
    of_label[nearest[line == 0]] = numbers[line == 0]
    return np.where(distance <= SIDE, of_label[nearest], 0)


def roughness(pixels: np.ndarray, mask: np.ndarray, pieces: np.ndarray) -> np.ndarray:
    """Absolute second difference across the border, at the two pixels that touch it: grey levels, (pieces,)."""
    total, count = np.zeros(pieces.max() + 1), np.zeros(pieces.max() + 1)
    for axis in (0, 1):
        image = np.moveaxis(pixels.astype(np.float32), axis, 0)
        inside, piece = np.moveaxis(mask, axis, 0), np.moveaxis(pieces, axis, 0)
        bend = np.abs(np.diff(image, n=2, axis=0)).mean(2)  # of rows 1 .. H - 2
        across = inside[1:-2] != inside[2:-1]
        number = piece[1:-2][across]
        total += np.bincount(number, ((bend[:-1] + bend[1:]) / 2)[across], len(total))
        count += np.bincount(number, minlength=len(total))
    return (total / np.maximum(count, 1))[1:]


def colour_steps(pixels: np.ndarray, mask: np.ndarray, pieces: np.ndarray) -> np.ndarray:
    """CIELAB distance between the mean colours of the `SIDE` px on both sides of each piece: (pieces,)."""
    lab = cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    inside, outside = (_means(lab, side, pieces) for side in (mask, ~mask))
    return np.linalg.norm(inside - outside, axis=1)


def texture_steps(pixels: np.ndarray, mask: np.ndarray, pieces: np.ndarray) -> np.ndarray:
    """Absolute natural logarithm of the ratio of fine detail on both sides of each piece: (pieces,).

    Detail is the mean absolute Laplacian of luma within `SIDE` px: a blurred filling steps down, an over-sharp one up.
    """
    luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    detail = np.abs(cv2.Laplacian(luma, cv2.CV_32F))[..., None]
    # One grey level more: between two smooth sides noise is no step.
    inside, outside = (_means(detail, side, pieces) + 1 for side in (mask, ~mask))
    return np.abs(np.log(inside / outside))[:, 0]


def _means(values: np.ndarray, side: np.ndarray, pieces: np.ndarray) -> np.ndarray:
    """Mean of values (H, W, C) over the pixels of each piece on one side: (pieces, C)."""
    number = np.where(side, pieces, 0).ravel()
    count = np.bincount(number, minlength=pieces.max() + 1)
    channels = values.reshape(-1, values.shape[2]).T
    sums = np.stack([np.bincount(number, channel, pieces.max() + 1) for channel in channels], 1)
    return (sums / np.maximum(count, 1)[:, None])[1:]


def border_ratio(figure: Figure, pictures: Sequence[np.ndarray], masks: Sequence[np.ndarray]) -> Interval:
    """Mean of a figure on the borders of masks over that on other borders in the known ground; 1 is invisible.

    Args:
        pictures: uint8 (H, W, 3). masks: bool (H, W), one for each.

    Raises:
        ValueError: no picture has both a border and room for another one.
    """
    seams, others, seam_owner, other_owner = [], [], [], []
    for number, (pixels, mask) in enumerate(zip(pictures, masks, strict=True)):
        here = figure(pixels, mask, border_pieces(mask))
        elsewhere = np.concatenate([figure(pixels, m, border_pieces(m, away_from=mask)) for m in _elsewhere(mask)])
        if len(here) and len(elsewhere):
            seams.append(here)
            others.append(elsewhere)
            seam_owner.append(np.full(len(here), number))
            other_owner.append(np.full(len(elsewhere), number))
    if not seams:
        raise ValueError("no picture has a border of its mask and room for another one beside it")
    groups = np.concatenate(seam_owner), np.concatenate(other_owner)
    return ratio_of(np.concatenate(seams), np.concatenate(others), groups)


def masked_patch_distance(
    a: Sequence[np.ndarray], b: Sequence[np.ndarray], masks: Sequence[np.ndarray], levels: int = 3, each: int = 64,
    seed: int = 0,
) -> float:  # fmt: skip
    """Sliced Wasserstein distance between the patches that two sets of pictures have under masks, mean over octaves.

    Patches are centred under the mask, at places drawn anew for each set: the distance of a set to itself is what
    chance leaves.

    Args:
        a, b: uint8 (H, W, 3), as many as masks. masks: bool (H, W), none empty. each: patches of a picture and octave.
    """
    rng = np.random.default_rng(seed)
    found: list[list[np.ndarray]] = []
    for pictures in (a, b):
        octaves: list[list[np.ndarray]] = [[] for _ in range(levels)]
        for picture, mask in zip(pictures, masks, strict=True):
            for level, image in enumerate(laplacian_pyramid(picture, levels)):
                octaves[level].append(_patches_under(image, mask[:: 2**level, :: 2**level], each, rng))
        found.append([np.concatenate(octave) for octave in octaves])
    return float(np.mean([sliced_wasserstein(x, y) for x, y in zip(*found, strict=True)]))


def _patches_under(image: np.ndarray, mask: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    half = PATCH // 2
    padded = np.pad(image, ((half, half), (half, half), (0, 0)), mode="reflect")
    y, x = np.nonzero(mask[: image.shape[0], : image.shape[1]])
    chosen = rng.integers(len(y), size=count)
    return np.stack([padded[y[i] : y[i] + PATCH, x[i] : x[i] + PATCH].ravel() for i in chosen])


def _distance_to(mask: np.ndarray) -> np.ndarray:
    """Distance (px) of each pixel to a mask; 0 under it."""
    return cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)


def _elsewhere(mask: np.ndarray) -> list[np.ndarray]:
    """The mask mirrored, turned where the picture is square, and moved by a third and a half of the picture."""
    found = [mask[::-1], mask[:, ::-1], mask[::-1, ::-1]]
    if mask.shape[0] == mask.shape[1]:
        found += [mask.T, mask.T[::-1], mask.T[:, ::-1], mask.T[::-1, ::-1]]
    height, width = mask.shape
    for part in (3, 2):
        for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)):
            move = np.array([[1, 0, x * (width // part)], [0, 1, y * (height // part)]], np.float32)
            found.append(cv2.warpAffine(mask.astype(np.uint8), move, (width, height)) > 0)
    return [np.ascontiguousarray(m) for m in found]
