"""Who decides what grows beside known ground: the ground, or the prompt.

A network that has only seen windows whose known part and text come from one picture believes the ground: beside a
forest, "desert" grows more forest. So it is asked twice: to go on with the ground, without a prompt, and to follow the
prompt, without sight of the ground that disagrees with it. The predictions are blended: the first next to that ground,
the second further away, with a border that wanders. Only in the first half of the steps: they decide what is there, the
others, which see and hear everything, draw it. Known ways to mend this are training with tasks for both (PowerPaint,
Zhuang et al. 2023) and changing attention while sampling (HD-Painter, Manukyan et al. 2023); this one needs neither.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from text2earth_core.sampling.noise import world_noise

FAR = 8.0
"""Latent cells from the ground over which the lead passes to the prompt."""

LED = 0.5
"""Share of the steps, from the first on, in which the prompt may lead."""

START, WANDER, SCALE = 2.5, 3.0, 4.0
"""Latent cells from the ground at which that begins on average, by which the border moves to and fro (standard
deviation), and along which it does (of a Gaussian)."""

COURSE_SEED = 0x636F757273  # apart from the noise that pictures are made of


@dataclass(frozen=True)
class Lead:
    """How a batch of windows follows its prompt.

    weight: float32 (B, 1, h, w), share of the prediction that does not see `foreign`. foreign: float32 (B, 1, h, w), 1
    for known ground that the prompt disagrees with, also where it is going to be made anew.
    """

    weight: Tensor
    foreign: Tensor

    def in_step(self, step: int, steps: int) -> bool:
        """Whether step `step` (from 0) of `steps` needs the second prediction."""
        return step < LED * steps and bool((self.weight > 0).any())


def lead_in(made: np.ndarray, foreign: np.ndarray, follow: float, seed: int, x: int, y: int) -> Lead | None:
    """The lead in one window whose top left cell lies at (x, y) of the world; None where the ground decides alone.

    Args:
        made: bool (h, w), cells that are made. foreign: bool (h, w), see `Lead`. follow: 0 continues the ground, 1
        follows the prompt.
    """
    if follow == 0 or not foreign.any():
        return None
    h, w = made.shape
    weight = lead_weight(made, foreign, follow, course_at(seed, x, y, w, h))
    return Lead(torch.from_numpy(weight)[None, None], torch.from_numpy(foreign.astype(np.float32))[None, None])


def lead_weight(made: np.ndarray, foreign: np.ndarray, follow: float, course: np.ndarray) -> np.ndarray:
    """Weight of the prompt's own prediction in one window, float32 (h, w).

    Args:
        made: bool (h, w), cells that are made. foreign: bool (h, w), see `Lead`. follow: 0 continues the ground, 1
            follows the prompt. course: float32 (h, w), see `course_at`.
    """
    beside = foreign & ~made
    if not beside.any():  # all that there is gets made anew
        return np.where(made, np.float32(follow), np.float32(0))
    distance = cv2.distanceTransform((~beside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    depth = float(distance[made].max(initial=0))
    if depth < 2 * FAR:  # a mask too narrow for a border of its own: it lies where it was drawn
        way = (distance / max(2.0, depth / 3)).clip(0, 1)
    else:
        way = ((distance - START + WANDER * course) / FAR).clip(0, 1)
    return np.where(made, follow * way * way * (3 - 2 * way), 0).astype(np.float32)


def course_at(seed: int, x: int, y: int, w: int, h: int) -> np.ndarray:
    """How borders wander, keyed by seed and place: float32 (h, w), smooth, mean 0 and variance 1 over the plane."""
    reach = round(3 * SCALE)
    noise = world_noise(seed ^ COURSE_SEED, x - reach, y - reach, w + 2 * reach, h + 2 * reach, channels=1)[0].numpy()
    smooth = cv2.GaussianBlur(noise, (2 * reach + 1, 2 * reach + 1), SCALE)[reach:-reach, reach:-reach]
    return smooth * np.float32(2 * SCALE * np.pi**0.5)  # a blur leaves 1 / (4 pi SCALE²) of the variance
