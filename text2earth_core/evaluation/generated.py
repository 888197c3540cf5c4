"""Images made for an evaluation, kept as PNG files so that an interrupted run goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from text2earth_core.data.corpus import Picture
from text2earth_core.model import Text2Earth
from text2earth_core.networks.thumbnail_vae import CELL
from text2earth_core.pictures import picture_of
from text2earth_core.sampling.noise import world_noise
from text2earth_core.sampling.settings import DEFAULTS, Sampling
from text2earth_core.sampling.stepper import Stepper
from text2earth_core.whole_file import whole_file

TOGETHER = 8
"""Images denoised at a time: on a CPU each costs 60 % of what it does alone; more gain nothing there."""

NamedReport = Callable[[str, int, int], None]
"""(what is being done, how many are done, of how many); 0 of 0 announces what comes next."""


@dataclass(frozen=True)
class Wanted:
    """One image to be made: everything that determines it besides the model."""

    prompt: str
    label: str
    seed: int
    resolution: float | None = None


def generate_set(
    model: Text2Earth,
    wanted: Sequence[Wanted],
    folder: Path,
    progress: NamedReport,
    sampling: Sampling = DEFAULTS,
    size: int | None = None,
) -> list[Picture]:
    """Make the images that are not in `folder` yet, and return all of them in order.

    Args:
        folder: of this model and `sampling` alone; file `n` holds `wanted[n]`. size: see `Text2Earth.generate`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    side = (size or model.info.window) // CELL
    paths = [folder / f"{number:05d}.png" for number in range(len(wanted))]

    def make(numbers: Sequence[int], stepper: Stepper) -> None:
        noise = torch.stack([world_noise(wanted[number].seed, 0, 0, side, side) for number in numbers])
        known, mask = torch.zeros_like(noise), torch.ones_like(noise[:, :1])
        made = stepper.denoise(noise, known, mask, torch.eye(len(noise)), None)
        for number, latents in zip(numbers, made, strict=True):
            save_whole(picture_of(model.decode(latents, sampling.layer, wanted[number].seed)), paths[number])

    asked = [(want.prompt, want.resolution) for want in wanted]
    make_missing(model, asked, paths, make, progress, sampling)
    return [
        Picture(np.asarray(Image.open(path).convert("RGB")), want.label, (want.prompt,), None, "generated")
        for want, path in zip(wanted, paths, strict=True)
    ]


def make_missing(
    model: Text2Earth,
    asked: Sequence[tuple[str, float | None]],
    paths: Sequence[Path],
    make: Callable[[Sequence[int], Stepper], None],
    progress: NamedReport,
    sampling: Sampling,
) -> None:
    """Call `make` for images whose files are not there yet, several at a time: together they cost less than one by one.

    Args:
        asked: prompt and m/px of each image. make: given numbers of images of one resolution and a stepper whose
            prompts are theirs, in this order, writes their files. sampling: seed and resolution apart, which are each
            image's own.
    """
    missing = [number for number, path in enumerate(paths) if not path.is_file()]
    done = len(paths) - len(missing)
    name = paths[0].parent.name if paths else ""
    progress(f"generating {name}", done, len(paths))
    for resolution in sorted({asked[number][1] for number in missing}, key=lambda metres: metres or 0.0):
        scaled = replace(sampling, resolution=resolution)
        alike = [number for number in missing if asked[number][1] == resolution]
        for start in range(0, len(alike), TOGETHER):
            numbers = alike[start : start + TOGETHER]
            make(numbers, Stepper(model, [asked[n][0] for n in numbers], scaled))
            done += len(numbers)
            progress(f"generating {name}", done, len(paths))


def save_whole(image: Image.Image, path: Path) -> None:
    """Write a PNG such that a file that is there is a whole one."""
    with whole_file(path, durable=False) as part:
        image.save(part, format="PNG")
