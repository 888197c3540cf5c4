"""What the source of a translation says of the target for certain, put into the pixels that were made of it.

A panchromatic picture is the luma of the colours that are asked for, and a coarse picture holds the means of the finer
one. A decoder knows neither to the last bit; pan-sharpening and super-resolution have long put it back afterwards
(component substitution, Carper et al. 1990; back-projection, Irani & Peleg 1991). Bands of light show the same
textures, each in its own shade, as high-pass filters of pan-sharpening have it (Chavez et al. 1991).
"""

from __future__ import annotations

import cv2
import numpy as np

from text2earth_core.modalities import LUMA, MODALITIES
from text2earth_core.networks.thumbnail_vae import CELL
from text2earth_core.translation.tasks import Task

ROUNDS = 3
"""Of back-projection: what is added between the centres of coarse pixels must not move their means."""

AROUND, FLAT = 5, 1e-5
"""Cells along the squares over which contrast is compared, and what is added to a variance (of 1)."""

STRONGEST, UNVEILED = 1.5, 8.0
"""By how much the texture of a source is made stronger at most: of another modality, and under haze."""


def hold(task: Task, made: np.ndarray, source: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Pixels of a target, uint8 (H, W, bands), corrected by what the source says of them.

    Args:
        source: uint8 (H, W, bands of the source). known: bool (H, W), where it is known and corrects anything.
            Sides are multiples of the task's `finer`, and coarse pixels begin at the upper left corner.
    """
    if not task.holds or not known.any():
        return made
    pixels, wanted = made.astype(np.float32), source.astype(np.float32)
    if task.holds == "detail":
        textured = _textured(task, pixels, source, known)
        return np.where(known[..., None], np.rint(textured).clip(0, 255), made).astype(np.uint8)
    if task.holds == "luma":
        missed = np.where(known, wanted[..., 0] - _luma(pixels), 0)[..., None]
        return np.rint(pixels + missed).clip(0, 255).astype(np.uint8)
    for _ in range(ROUNDS):
        missed = np.where(known[..., None], wanted - pixels, 0)
        pixels = (pixels + _coarse(missed, task.finer)).clip(0, 255)
    return np.rint(pixels).astype(np.uint8)


def coarsen(pixels: np.ndarray, factor: int) -> np.ndarray:
    """A picture uint8 (H, W, 3) as a sensor with pixels `factor` times as wide sees it, enlarged to its own size again.

    Means, and the cubic enlargement with which a picture is put onto a finer scene.
    """
    height, width = pixels.shape[:2]
    small = cv2.resize(pixels, (width // factor, height // factor), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def luma(rgb: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 1) of colours, as the latent's thumbnail has it."""
    return MODALITIES["pan"].to_bands(rgb)


def _textured(task: Task, pixels: np.ndarray, source: np.ndarray, known: np.ndarray) -> np.ndarray:
    """float32 (H, W, bands): the means of cells as they were made, with what the source shows within them.

    As strong as the cells' own contrast says. Where bands run against each other, a regression over cells would have
    to turn the texture around; held-back pairs say that it is better left as it is. Each band takes the source's own
    texture where that has the same bands, all of them by the same strength, as haze weakens them; else its light.
    """
    height, width = known.shape
    whole = cv2.resize(known.astype(np.float32), (width // CELL, height // CELL), interpolation=cv2.INTER_AREA) == 1
    if not whole.any():
        return pixels
    nearest = _nearest(whole)
    share = np.maximum(cv2.blur(whole.astype(np.float32), (AROUND, AROUND)), 1e-6)

    def variance(cells: np.ndarray) -> np.ndarray:
        mean, square = (
            cv2.blur(np.where(whole, part, 0).astype(np.float32), (AROUND, AROUND)) / share
            for part in (cells, cells * cells)
        )
        return np.maximum(square - mean * mean, 0) + FLAT

    def spread(cells: np.ndarray) -> np.ndarray:
        return cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC)

    def means(values: np.ndarray) -> np.ndarray:
        return _means(values).ravel()[nearest]  # a cell at an edge shows less than its mean: its neighbour's goes on

    bands = list(np.moveaxis(pixels / np.float32(255), 2, 0))
    made = [means(band) for band in bands]
    if task.in_place:
        guides = list(np.moveaxis(source / np.float32(255), 2, 0))
    else:
        guides = [(_luma(source) if source.shape[2] == 3 else source[..., 0]).astype(np.float32) / 255] * len(bands)
    seen = [means(guide) for guide in guides]
    asked, given = [variance(cells) for cells in made], [variance(cells) for cells in seen]
    if task.in_place:
        asked, given = ([np.sum(part, 0)] * len(bands) for part in (asked, given))
    most = UNVEILED if task.in_place else STRONGEST
    gains = [np.sqrt(wanted / there).clip(0, most) for wanted, there in zip(asked, given, strict=True)]
    textured = [
        spread(cells) + spread(gain) * (guide - spread(under))
        for cells, gain, guide, under in zip(made, gains, guides, seen, strict=True)
    ]
    return 255 * np.stack(textured, -1)


def _nearest(whole: np.ndarray) -> np.ndarray:
    """For each cell the number of the nearest one that is set, itself if it is; at least one is."""
    _, labels = cv2.distanceTransformWithLabels(
        (~whole).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    number = np.zeros(labels.max() + 1, int)
    number[labels[whole]] = np.flatnonzero(whole)
    return number[labels]


def _means(values: np.ndarray) -> np.ndarray:
    """Means of cells, (H/8, W/8)."""
    height, width = values.shape
    return cv2.resize(values, (width // CELL, height // CELL), interpolation=cv2.INTER_AREA)


def _luma(rgb: np.ndarray) -> np.ndarray:
    return rgb @ (np.array(LUMA, np.float32) / 1000)


def _coarse(values: np.ndarray, factor: int) -> np.ndarray:
    """Means over squares, enlarged smoothly."""
    height, width = values.shape[:2]
    means = cv2.resize(values, (width // factor, height // factor), interpolation=cv2.INTER_AREA)
    return cv2.resize(means, (width, height), interpolation=cv2.INTER_LINEAR).reshape(values.shape)
