"""Images made for an evaluation, kept as PNG files so that an interrupted run goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from text2earth_core.data.corpus import Picture
from text2earth_core.model import Text2Earth

Progress = Callable[[str, int, int], None]
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
    progress: Progress,
    guidance: float | None = None,
    sampler: str = "quality",
    size: int | None = None,
) -> list[Picture]:
    """Make the images that are not in `folder` yet, and return all of them in order.

    Args:
        folder: of this model, sampler and guidance alone; file `n` holds `wanted[n]`. size: see `Text2Earth.generate`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number, want in enumerate(wanted):
        path = folder / f"{number:05d}.png"
        if not path.is_file():
            (image,) = model.generate(
                want.prompt, resolution=want.resolution, seed=want.seed, guidance=guidance, sampler=sampler, size=size
            )
            save_whole(image, path)
        made.append(Picture(np.asarray(Image.open(path).convert("RGB")), want.label, (want.prompt,), None, "generated"))
        progress(f"generating {folder.name}", number + 1, len(wanted))
    return made


def save_whole(image: Image.Image, path: Path) -> None:
    """Write under another name first: a file that is there is a whole one."""
    part = path.with_suffix(".part")
    image.save(part, format="PNG")
    part.replace(path)
