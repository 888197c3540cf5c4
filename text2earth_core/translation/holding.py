"""What the source of a translation says of the target for certain, put into the pixels that were made of it.

A panchromatic picture is the luma of the colours that are asked for, and a coarse picture holds the means of the finer
one. A decoder knows neither to the last bit; pan-sharpening and super-resolution have long put it back afterwards
(component substitution, Carper et al. 1990; back-projection, Irani & Peleg 1991). Bands of light show the same borders
and textures, each in its own shade, which is what a guided filter carries over (He et al. 2013).
"""

from __future__ import annotations

import cv2
import numpy as np

from text2earth_core.modalities import LUMA, MODALITIES
from text2earth_core.networks.thumbnail_vae import CELL
from text2earth_core.translation.tasks import Task

ROUNDS = 3
"""Of back-projection: what is added between the centres of coarse pixels must not move their means."""

AROUND, FLAT = 5, 1e-4
"""Cells along the squares in which a target is taken for a line of its source, and the variance (of 1) below which
their means say nothing about it."""


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
        lines = _guided(pixels, source, known)
        return np.where(known[..., None], np.rint(lines).clip(0, 255), made).astype(np.uint8)
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


def _guided(pixels: np.ndarray, source: np.ndarray, known: np.ndarray) -> np.ndarray:
    """float32 (H, W, bands): around each cell the line of the source's brightness that its means lie on.

    As far as they do lie on one (the share of the variance that it explains); for the rest stands what was made. Means
    of cells are what the model is sure of, and lines are steeper than between pixels, of which those made are blurred.
    """
    height, width = known.shape
    whole = cv2.resize(known.astype(np.float32), (width // CELL, height // CELL), interpolation=cv2.INTER_AREA) == 1
    share = np.maximum(cv2.blur(whole.astype(np.float32), (AROUND, AROUND)), 1e-6)

    def mean(cells: np.ndarray) -> np.ndarray:
        return cv2.blur(np.where(whole, cells, 0).astype(np.float32), (AROUND, AROUND)) / share

    def spread(cells: np.ndarray) -> np.ndarray:
        return cv2.resize(cells, (width, height), interpolation=cv2.INTER_LINEAR)

    guide = (_luma(source) if source.shape[2] == 3 else source[..., 0]).astype(np.float32) / 255
    seen = _means(guide)
    middle = mean(seen)
    variance = np.maximum(mean(seen * seen) - middle * middle, 0) + FLAT
    lines = []
    for band in np.moveaxis(pixels / np.float32(255), 2, 0):
        wanted = _means(band)
        level = mean(wanted)
        together = mean(seen * wanted) - middle * level
        slope, whole_variance = together / variance, np.maximum(mean(wanted * wanted) - level * level, 0) + FLAT
        explained = spread((together * slope / whole_variance).clip(0, 1))
        line = spread(slope) * guide + spread(level - slope * middle)
        lines.append(explained * line + (1 - explained) * band)
    return 255 * np.stack(lines, -1)


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
