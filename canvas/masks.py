"""Masks: as pictures in requests, and around what is to be made."""

from __future__ import annotations

import base64
import io
import warnings
from functools import lru_cache

import numpy as np
from PIL import Image

from canvas.errors import SceneError
from canvas.geometry import CELL, LIMIT, Rect, bounding_rect
from text2earth_core.pictures import as_mask

MAX_FRAME = 2048  # px of a mask's painted part: a frame is held in memory, a scene is not
MAX_PICTURE = 16384  # px along a side of the file a mask comes in; its white part may be far smaller
MAX_BYTES = 2 * 2**20  # of a mask's PNG: it is kept in the history for good

_DAMAGED = "The mask is not a PNG picture that can be read: save it as an 8-bit PNG and try again."


def read_mask(data: bytes) -> np.ndarray:
    """uint8 (h, w) of a PNG: 255 = make anew, 0 = keep, between = change by a degree (see `as_mask`)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the size is looked at before decoding
            image = Image.open(io.BytesIO(data), formats=["PNG"])
        if max(image.size) > MAX_PICTURE or image.width * image.height > 2 * MAX_PICTURE * MAX_FRAME:
            raise Image.DecompressionBombError
        return as_mask(image)
    except Image.DecompressionBombError as error:
        raise SceneError("The mask has more pixels than can be read: cut it to its white part.") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise SceneError(_DAMAGED) from error


def placed(mask: np.ndarray, x: int, y: int) -> tuple[Rect, np.ndarray]:
    """A mask whose top left pixel lies at (x, y) of the scene, cut to what is painted.

    Returns the frame (px, on the 8 px grid) and uint8 (frame.h, frame.w). Raises SceneError for an empty mask, and for
    one that is too large to be edited at once.
    """
    if max(abs(x), abs(y)) > LIMIT:
        raise SceneError(f"The mask lies more than {LIMIT} px from the origin: move it closer.")
    box = bounding_rect(mask > 0, x, y)
    if box.empty:
        raise SceneError("The mask is empty: paint where the scene should change.")
    frame = box.snap_out(CELL)
    if max(frame.w, frame.h) > MAX_FRAME:
        raise SceneError(
            f"The mask is {box.w} x {box.h} px: at most {MAX_FRAME} px a side can be changed at once, so paint less."
        )
    whole = np.zeros((frame.h, frame.w), np.uint8)
    whole[box.slices(frame)] = mask[box.slices(Rect(x, y, mask.shape[1], mask.shape[0]))]
    return frame, whole


def encode_mask(mask: np.ndarray) -> str:
    """A mask as it stands in a request: PNG in base64, one bit a pixel where it is hard."""
    hard = np.isin(mask, (0, 255)).all()
    out = io.BytesIO()
    (Image.fromarray(mask > 0) if hard else Image.fromarray(mask)).save(out, "PNG", optimize=True)
    if len(out.getvalue()) > MAX_BYTES:
        raise SceneError("The mask has too many details to be kept in the history: smooth it, or paint less.")
    return base64.b64encode(out.getvalue()).decode("ascii")


@lru_cache(maxsize=4)
def decode_mask(text: str, frame: Rect) -> np.ndarray:
    """uint8 (frame.h, frame.w) of `encode_mask`, not to be written to; SceneError where the text is not such a mask.

    The latest ones are remembered: all variations of an edit and the job that makes them have one.
    """
    try:
        mask = read_mask(base64.b64decode(text, validate=True))
    except ValueError as error:
        raise SceneError(_DAMAGED) from error
    if mask.shape != (frame.h, frame.w):
        raise SceneError(f"The mask is {mask.shape[1]} x {mask.shape[0]} px and its frame {frame.w} x {frame.h}.")
    mask.setflags(write=False)
    return mask


def dilate(mask: np.ndarray, by: int = 1) -> np.ndarray:
    """A mask grown by `by` elements in all eight directions: each takes the largest value around it."""
    grown = mask.copy()
    for _ in range(by):
        step = grown.copy()
        np.maximum(step[1:], grown[:-1], out=step[1:])
        np.maximum(step[:-1], grown[1:], out=step[:-1])
        grown = step.copy()
        np.maximum(grown[:, 1:], step[:, :-1], out=grown[:, 1:])
        np.maximum(grown[:, :-1], step[:, 1:], out=grown[:, :-1])
    return grown


def spread(values: np.ndarray, known: np.ndarray, reach: int) -> np.ndarray:
    """(c, h, w) values carried from the known cells outwards, up to `reach` cells: each takes its neighbours' mean.

    For cells in which nothing is: what stands there must not pull a decoder's output at the edge anywhere.
    """
    values, known = np.where(known, values, 0).astype(np.float32), known.copy()
    for _ in range(reach):
        total, count = np.zeros_like(values), np.zeros(known.shape, np.float32)
        for axis, sign in ((1, 1), (1, -1), (2, 1), (2, -1)):
            source: list[slice] = [slice(None)] * 3
            target: list[slice] = [slice(None)] * 3
            source[axis], target[axis] = (slice(None, -1), slice(1, None))[::sign]
            total[tuple(target)] += (values * known)[tuple(source)]
            count[tuple(target[1:])] += known[tuple(source[1:])]
        new = ~known & (count > 0)
        values[:, new] = total[:, new] / count[new]
        known |= new
    return values
