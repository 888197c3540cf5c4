"""Pictures that a model makes of other things than a user's, so that fine-tuning can hold it to what it knows.

Prior preservation (Ruiz et al. 2023, "DreamBooth"), for all that a model can make instead of for one class.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from rich.progress import track

from text2earth_core.data.captions import CLASSES, class_of, clean
from text2earth_core.data.corpus import Picture
from text2earth_core.model import Text2Earth
from text2earth_core.networks.tokens import split_words
from text2earth_core.sampling.settings import FAST, QUALITY
from text2earth_core.whole_file import whole_file

COUNT = 96
"""Most that are made: some of each class."""

STEPS = 20
"""Of a model without a student."""

INDEX = "pictures.json"


def pictures_to_hold(
    folder: Path, corpus: Sequence[Picture], place: Path, seconds: float, device: str | None = None
) -> list[Picture]:
    """Pictures of classes that the user's do not show, made once and kept in `place`.

    Args:
        folder: the model's. seconds: after which no further one is made, if time is short.
    """
    index = place / INDEX
    if not index.is_file():
        _make(folder, texts_of_others(corpus), place, seconds, device)
    lines = json.loads(index.read_text(encoding="utf-8"))
    return [
        Picture(
            np.asarray(Image.open(place / line["file"]).convert("RGB")), "", (line["text"],), line["resolution"], ""
        )
        for line in lines
    ]


def texts_of_others(corpus: Sequence[Picture]) -> list[str]:
    """Wordings of the classes that no picture of a corpus is said to show, class by class in turn."""
    labels = {class_of(picture.label) for picture in corpus}
    told = {word for picture in corpus for caption in picture.captions for word in _words(clean(caption))}
    others = [
        wordings
        for name, wordings in CLASSES.items()
        if name not in labels and not any(_words(wording) <= told for wording in (name, *wordings))
    ]
    others = others or list(CLASSES.values())
    longest = max(map(len, others))
    return [wordings[turn] for turn in range(longest) for wordings in others if turn < len(wordings)]


def _words(text: str) -> set[str]:
    """The words of a text that say what it is about, in the singular."""
    return {word.rstrip("s") for word in split_words(text)} - _LITTLE


_LITTLE = {"a", "an", "the", "of", "and", "with", "by", "in", "on", "many", "several", "some", "few"}


def _make(folder: Path, texts: Sequence[str], place: Path, seconds: float, device: str | None) -> None:
    model = Text2Earth.from_pretrained(folder, device=device)
    fast = FAST in model.info.samplers
    steps = None if fast or model.facts.thumbnail else STEPS
    rng = np.random.default_rng(0)
    place.mkdir(parents=True, exist_ok=True)
    lines: list[dict[str, object]] = []
    started = time.monotonic()
    for number in track(range(COUNT), "Pictures of what the model knows", transient=True):
        text = texts[number % len(texts)]
        # Half of them without a level: both ways of asking shall stay what they are.
        resolution = float(rng.choice(model.info.resolutions)) if model.info.resolutions and number % 2 else None
        sampler = FAST if fast else QUALITY
        (image,) = model.generate(text, resolution=resolution, seed=number, sampler=sampler, steps=steps)
        image.save(place / f"{number:03d}.png")
        lines.append({"file": f"{number:03d}.png", "text": text, "resolution": resolution})
        if time.monotonic() - started > seconds:
            break
    with whole_file(place / INDEX, durable=False) as part:
        part.write_text(json.dumps(lines), encoding="utf-8")
