"""How new pixels fade into known ones."""

import cv2
import numpy as np


def feather_weight(mask: np.ndarray, feather: int) -> np.ndarray:
    """Weight of new pixels, float32 (H, W): 1 inside a boolean mask, falling to exactly 0 beyond `feather` px of it.

    The distance is Euclidean and the fall a smoothstep: no direction is preferred, and neither end of the fade shows.
    """
    if feather == 0 or not mask.any():
        return mask.astype(np.float32)
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # A pixel just beyond the feather would keep a rounding error's worth of weight.
    ramp = np.where(distance <= feather, 1 - distance / (feather + 1), 0)
    return np.where(mask, 1, ramp * ramp * (3 - 2 * ramp)).astype(np.float32)
