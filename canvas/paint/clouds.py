"""A first guess where clouds and their shadows lie: brightness, whiteness and form, then one displacement.

Classical and without weights: it is there to be corrected by hand.  Pure: arrays in, array out.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

SEED = 55.0  # grey levels by which the core of a cloud is brighter and whiter than the ground
RIM = 24.0  # and its rim
LEAST = 120.0  # brightness of a core below which nothing is taken for a cloud
ROUGH = 9.0  # standard deviation of fine detail (grey levels) up to which a core is smooth; roofs have edges
CORE = 9  # px: a core is at least so wide
REACH = 20  # px from a core to the end of its rim
MARGIN = 3  # px around what was found: the last veil is not seen by a threshold
SEARCHED = 256  # px of the longer side at which the shadow's displacement is looked for
FAR = 0.3  # of the longer side: how far away a shadow may lie
DARKER = 0.06  # mean natural logarithm of the light that a shadow takes, from which it is believed
# What swells more than it is rough looks like a cloud; sand, surf and roofs are flat or rough.  In natural logarithms,
# fitted on images of clear ground and on others with simulated clouds.
ROUGHNESS_WEIGHT = 1.28
LIKE_ALONE = 0.78  # from which one bright spot makes an image a cloudy one
LIKE_WITH_SHADOW = 0.27  # the same where a shadow fits
LEAST_LIKE = -0.3  # what is rougher is none of the clouds of a cloudy image
CLEAR = 2.0  # standard deviations by which the best displacement exceeds the others


class CloudProposal(NamedTuple):
    """`mask`, uint8 (h, w), is 255 over clouds and shadows; `sure` tells whether shadows were found that fit them.

    Clouds whose shadows are out of sight are proposed as well, but ground may look like them.
    """

    mask: np.ndarray
    sure: bool


def find_clouds(pixels: np.ndarray, valid: np.ndarray | None = None) -> np.ndarray:
    """Propose a mask over the clouds of an image and their shadows.

    A cloud is smooth, brighter and whiter than most of the ground, and has a bright core; its rim is followed down to a
    lower threshold. An image in which nothing swells as clouds do is clear. All shadows lie in one direction and
    distance: the displacement of the cloud's shape that falls on the darkest ground, taken only if it stands out (the
    idea of Fmask, Zhu and Woodcock 2012, without its bands).

    Args:
        pixels: uint8 (h, w, 3) RGB. valid: bool (h, w), where pixels are known; None means everywhere.

    Returns:
        uint8 (h, w): 255 where a cloud or a shadow is, 0 elsewhere; all 0 where none is found.
    """
    return propose_clouds(pixels, valid).mask


def propose_clouds(pixels: np.ndarray, valid: np.ndarray | None = None) -> CloudProposal:
    """As `find_clouds`, and whether it is to be believed."""
    known = np.ones(pixels.shape[:2], bool) if valid is None else valid
    if not known.any():
        return CloudProposal(np.zeros(pixels.shape[:2], np.uint8), False)
    spots, like = _likeness(pixels, cloud_cover(pixels, known))
    cloud = (like > LEAST_LIKE)[spots]
    shadow = cloud_shadow(pixels, known, cloud)
    if like.max() <= (LIKE_WITH_SHADOW if shadow.any() else LIKE_ALONE):
        return CloudProposal(np.zeros(pixels.shape[:2], np.uint8), False)
    found = _grown((cloud | shadow) & known, MARGIN) & known
    return CloudProposal(np.where(found, np.uint8(255), np.uint8(0)), bool(shadow.any()))


def cloud_cover(pixels: np.ndarray, known: np.ndarray) -> np.ndarray:
    """bool (h, w) of what is bright, white and smooth enough for a cloud; see `find_clouds`."""
    values = pixels.astype(np.float32)
    darkest, brightest = values.min(2), values.max(2)
    whiteness = cv2.GaussianBlur(darkest - 0.5 * (brightest - darkest), (0, 0), 1.5)
    ground = float(np.median(whiteness[known]))
    luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    detail = luma - cv2.GaussianBlur(luma, (0, 0), 1.5)
    roughness = np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), 3))
    core = known & (whiteness > max(LEAST, ground + SEED)) & (roughness < ROUGH)
    core = cv2.morphologyEx(core.astype(np.uint8), cv2.MORPH_OPEN, _disc(CORE // 2)) > 0
    if not core.any():
        return core
    rim = known & (whiteness > ground + RIM) & (_distance_to(core) <= REACH)
    rim = cv2.morphologyEx((rim | core).astype(np.uint8), cv2.MORPH_OPEN, _disc(2)) > 0
    return _connected_to(rim | core, core)


def _likeness(pixels: np.ndarray, cover: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Connected spots of a cover as labels, int32 (h, w) from 1 on, and by label how much each looks like a cloud.

    ln(spread) - 1.28 ln(roughness): standard deviation of the spot's brightness, and of its detail finer than 1.5 px.
    """
    count, spots = cv2.connectedComponents(cover.astype(np.uint8))
    luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    detail = luma - cv2.GaussianBlur(luma, (0, 0), 1.5)
    # Without the rim, which is steep where sand meets water.
    inside = np.where(cv2.erode(cover.astype(np.uint8), _disc(2)) > 0, spots, 0).ravel()
    size = np.bincount(inside, minlength=count)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(inside, values.ravel(), count) / np.maximum(size, 1)

    spread = np.sqrt(np.maximum(mean(luma * luma) - mean(luma) ** 2, 1))
    like = np.log(spread) - ROUGHNESS_WEIGHT * np.log(np.sqrt(mean(detail * detail) + 0.25))
    like[size == 0] = like[0] = -np.inf  # 0 is what is not covered
    return spots, like


def cloud_shadow(pixels: np.ndarray, known: np.ndarray, cloud: np.ndarray) -> np.ndarray:
    """bool (h, w) of the ground in the shadow of given clouds; empty where no displacement stands out."""
    nothing = np.zeros_like(cloud)
    ground = known & ~_grown(cloud, MARGIN)
    if not cloud.any() or not ground.any():
        return nothing
    height, width = cloud.shape
    scale = min(1.0, SEARCHED / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    darkness = cv2.resize(_darkness(pixels, ground), size, interpolation=cv2.INTER_AREA)
    small = cv2.resize(cloud.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    seen = cv2.resize(ground.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    found = _displacement(small, darkness, seen)
    if found is None:
        return nothing
    move = np.array([[1, 0, found[0] / scale], [0, 1, found[1] / scale]], np.float32)
    return (cv2.warpAffine(cloud.astype(np.uint8), move, (width, height)) > 0) & known


def _darkness(pixels: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """float32 (h, w): natural logarithm by which the ground is darker than the ground around it, 0 elsewhere."""
    light = np.log(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32) + 8)
    sigma = max(ground.shape) / 10
    weight = cv2.GaussianBlur(ground.astype(np.float32), (0, 0), sigma)
    around = cv2.GaussianBlur(np.where(ground, light, 0), (0, 0), sigma) / np.maximum(weight, 1e-3)
    return np.where(ground, np.clip(around - light, -1, 1), 0).astype(np.float32)


def _displacement(cloud: np.ndarray, darkness: np.ndarray, ground: np.ndarray) -> tuple[int, int] | None:
    """(x, y) px by which the cloud's shape lies on the darkest ground; None where that is no darker than elsewhere."""
    height, width = cloud.shape
    shape = (2 * height, 2 * width)
    spectrum = np.conj(np.fft.rfft2(cloud, shape))
    total = np.fft.irfft2(np.fft.rfft2(darkness * ground, shape) * spectrum, shape)
    covered = np.fft.irfft2(np.fft.rfft2(ground, shape) * spectrum, shape)
    y, x = (np.fft.fftfreq(n, 1 / n) for n in shape)
    distance = np.hypot(y[:, None], x[None])
    possible = (distance >= 3) & (distance <= FAR * max(height, width)) & (covered >= 0.25 * cloud.sum())
    if not possible.any():
        return None
    # The mean darkness, trusted less where much of the shape falls outside or on cloud.
    score = np.where(possible, total / np.maximum(covered, 1) * np.sqrt(np.clip(covered / cloud.sum(), 0, 1)), -1)
    row, column = np.unravel_index(int(score.argmax()), shape)
    others = score[possible]
    if score[row, column] < max(DARKER, others.mean() + CLEAR * others.std()):
        return None
    return int(x[column]), int(y[row])


def _connected_to(mask: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """The connected parts of a mask that hold a seed."""
    _, labels = cv2.connectedComponents(mask.astype(np.uint8))
    held = np.zeros(labels.max() + 1, bool)
    held[labels[seeds & mask]] = True
    held[0] = False
    return held[labels]


def _distance_to(mask: np.ndarray) -> np.ndarray:
    return cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)


def _grown(mask: np.ndarray, by: int) -> np.ndarray:
    return cv2.dilate(mask.astype(np.uint8), _disc(by)) > 0


def _disc(radius: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
