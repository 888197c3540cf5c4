"""Outpainting on held-back images: half of the window is masked, made anew and compared with what was there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from text2earth_core.data.captions import CLASSES, class_of
from text2earth_core.data.corpus import Picture
from text2earth_core.evaluation.classifier import SceneClassifier
from text2earth_core.evaluation.frechet import compare
from text2earth_core.evaluation.generated import make_missing, save_whole
from text2earth_core.evaluation.lines import SeamScene, lines_through
from text2earth_core.evaluation.reconstruction import middle
from text2earth_core.evaluation.seams import measure_seams
from text2earth_core.model import Text2Earth
from text2earth_core.sampling.feather import FEATHER
from text2earth_core.sampling.inpainting import finish, prepare
from text2earth_core.sampling.settings import Sampling
from text2earth_core.sampling.stepper import Stepper

SIDES = ("left", "right", "top", "bottom")

BORDERS = 500
"""Images whose borders are looked at: four lines each are more than enough."""


def half_mask(side: str, window: int) -> np.ndarray:
    """Boolean (window, window), True on the half that is made anew."""
    mask = np.zeros((window, window), bool)
    half = window // 2
    match side:
        case "left":
            mask[:, :half] = True
        case "right":
            mask[:, half:] = True
        case "top":
            mask[:half] = True
        case _:
            mask[half:] = True
    return mask


def half_of(image: np.ndarray, side: str) -> np.ndarray:
    """The masked half, turned so that halves of all sides have one shape (window, window / 2, 3)."""
    mask = half_mask(side, image.shape[0])
    rows, columns = mask.any(1), mask.any(0)
    half = image[rows][:, columns]
    return half if side in ("left", "right") else half.transpose(1, 0, 2)


def outpaint_set(
    model: Text2Earth,
    tasks: Sequence[tuple[Picture, str]],
    folder: Path,
    progress: Callable[[str, int, int], None],
    sampler: str = "quality",
) -> tuple[list[np.ndarray], list[np.ndarray], list[str]]:
    """Outpaint one half of each picture; what is in `folder` already is not made again.

    Args:
        tasks: pictures at least as large as the model's window, each with the side that is masked.

    Returns:
        Originals and results uint8 (window, window, 3), and the side that was made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:05d}.png" for number in range(len(tasks))]
    originals = [np.ascontiguousarray(middle(picture.pixels, model.info.window)) for picture, _ in tasks]

    def make(numbers: Sequence[int], stepper: Stepper) -> None:
        parts = []
        for number in numbers:
            mask = Image.fromarray(half_mask(tasks[number][1], model.info.window))
            parts.append(prepare(model, Image.fromarray(originals[number]), mask, FEATHER, number))
        noise, known = (torch.stack(tensors) for tensors in zip(*((p.noise, p.known) for p in parts), strict=True))
        masks = torch.stack([part.mask for part in parts])[:, None]
        painted = [part.masked for part in parts if part.masked is not None]
        masked = torch.stack(painted) if painted else None
        made = stepper.denoise(noise, known, masks, torch.eye(len(parts)), masked)
        for number, part, latents in zip(numbers, parts, made, strict=True):
            save_whole(finish(model, part, latents), paths[number])

    asked = [(prompt_for(picture), picture.resolution) for picture, _ in tasks]
    make_missing(model, asked, paths, make, progress, Sampling(sampler=sampler))
    results = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    return originals, results, [side for _, side in tasks]


def measure_outpainting(
    network: SceneClassifier,
    reference: Sequence[np.ndarray],
    originals: Sequence[np.ndarray],
    results: Sequence[np.ndarray],
    sides: Sequence[str],
) -> dict[str, Any]:
    """Distances in the masked region, and the border of the mask.

    Args:
        reference: other real images of the same kind and number, uint8 (window, window, 3): what masked halves of
            `results`, and as the reference those of `originals`, are compared with.
    """
    features = {
        name: network.features(half_of(image, side) for image, side in zip(images, sides, strict=True))
        for name, images in (("reference", reference), ("real", originals), ("made", results))
    }
    seams = {
        name: {metric: found.as_dict() for metric, found in measure_seams(border_scenes(images, sides)).items()}
        for name, images in (("real", originals[:BORDERS]), ("made", results[:BORDERS]))
    }
    return {
        "made": compare(features["reference"], features["made"]),
        "real": compare(features["reference"], features["real"]),
        "seams_made": seams["made"],
        "seams_real": seams["real"],
    }


def border_scenes(images: Sequence[np.ndarray], sides: Sequence[str]) -> list[SeamScene]:
    """Each image with the border of its mask as the seam."""
    return [
        SeamScene(image, lines_through(image, vertical=side in ("left", "right")))
        for image, side in zip(images, sides, strict=False)
    ]


def prompt_for(picture: Picture) -> str:
    """What the picture shows, in the wording by which people ask for its class."""
    return CLASSES.get(class_of(picture.label), (picture.label,))[0]
