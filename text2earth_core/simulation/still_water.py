"""Still water by what people say and by how smooth it is: what colours alone do not tell from a meadow.

A green pond has the colour of grass, and a network that sees colours makes it as bright in near infrared as grass. But
pictures of ponds and ports show water, and in them nothing else is as large and as smooth.
"""

from __future__ import annotations

import cv2
import numpy as np

SHOWING = ("pond", "port")
"""Classes whose smooth areas are water: looked at, in 12 of 12 pictures each. Fields beside rivers are as smooth, and
forests around lakes."""

BLUR, REACH = 1.0, 9
"""Standard deviation (px) of what takes grain and compression away, and the side of the squares that are judged, px."""

SMOOTH = 4.0
"""Standard deviation of 255 in such a square, below which it is smooth."""

LARGE = 0.06
"""Share of a picture from which a smooth area counts."""

BRIGHTNESS = {"nir": 9, "sar": 15}
"""Mean of open water in real pairs, of 255: near infrared by NDVI, and radar where it is darkest."""


def still_water(picture: np.ndarray) -> np.ndarray:
    """bool (H, W): where a picture uint8 (H, W, 3) of one of the classes `SHOWING` is water."""
    seen = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), BLUR)
    mean = cv2.blur(seen, (REACH, REACH))
    spread = np.sqrt(np.maximum(cv2.blur(seen * seen, (REACH, REACH)) - mean * mean, 0)).mean(2)
    half = REACH // 2 + 1
    smooth = cv2.morphologyEx((spread < SMOOTH).astype(np.uint8), cv2.MORPH_OPEN, np.ones((half, half), np.uint8))
    count, areas, facts, _ = cv2.connectedComponentsWithStats(smooth)
    large = [n for n in range(1, count) if facts[n, cv2.CC_STAT_AREA] >= LARGE * smooth.size]
    # What the squares at a shore miss, because they see the shore as well.
    return cv2.dilate(np.isin(areas, large).astype(np.uint8), np.ones((REACH - 2, REACH - 2), np.uint8)) > 0
