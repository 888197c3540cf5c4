"""Contact sheets: many images in one picture, for people to look at."""

from collections.abc import Sequence

import numpy as np
from PIL import Image


def tile_images(images: Sequence[np.ndarray], columns: int, gap: int = 4) -> Image.Image:
    """Lay out (H, W, 3) images of any size row by row on a white sheet."""
    height, width = max(i.shape[0] for i in images), max(i.shape[1] for i in images)
    rows = -(-len(images) // columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8)
    for index, image in enumerate(images):
        top, left = index // columns * (height + gap), index % columns * (width + gap)
        sheet[top : top + image.shape[0], left : left + image.shape[1]] = image
    return Image.fromarray(sheet)
