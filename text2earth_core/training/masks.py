"""Training masks in the geometry of the canvas: whole windows, extensions from sides and corners, brush strokes."""

import cv2
import numpy as np


def random_mask(side: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a mask in latent cells.

    40 % full (text to image), 40 % extension (one or two known sides, a known corner, or all but a hole), 20 % brush.

    Returns:
        float32 (side, side), 1 = regenerate.
    """
    kind = rng.random()
    if kind < 0.4:
        return np.ones((side, side), np.float32)
    mask = extension_mask(side, rng) if kind < 0.8 else brush_mask(side, rng)
    return np.rot90(mask, int(rng.integers(4))).astype(np.float32).copy()


def extension_mask(side: int, rng: np.random.Generator) -> np.ndarray:
    """Known strips along sides: what a window sees that extends a scene right, left, up, down or into a corner."""
    mask = np.ones((side, side), np.float32)
    depth, other = rng.integers(2, side - 1, size=2)
    match rng.integers(4):
        case 0:  # one known side
            mask[:, :depth] = 0
        case 1:  # two known sides: an inner corner of the scene
            mask[:, :depth] = 0
            mask[:other] = 0
        case 2:  # only a corner is known
            mask[:other, :depth] = 0
        case _:  # known on two opposite sides: closing a gap
            mask[:, : max(2, depth // 2)] = 0
            mask[:, side - max(2, other // 2) :] = 0
            if mask.sum() == 0:
                mask[:, side // 3 : 2 * side // 3] = 1
    return mask


def brush_mask(side: int, rng: np.random.Generator) -> np.ndarray:
    """A few free strokes, as a person paints them."""
    mask = np.zeros((side, side), np.uint8)
    for _ in range(rng.integers(1, 4)):
        points = rng.integers(0, side, size=(rng.integers(2, 5), 2))
        cv2.polylines(mask, [points.astype(np.int32)], False, 1, thickness=int(rng.integers(2, max(3, side // 3))))
    return mask.astype(np.float32)
