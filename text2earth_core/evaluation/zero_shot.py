"""How well the model's own towers know images and wordings: zero-shot classification, and what captions are about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from text2earth_core.alignment import AlignmentTowers, nearest_class, zero_shot
from text2earth_core.data.captions import class_of, clean
from text2earth_core.data.corpus import NEVER_TRAINED, SCENES, has_data_set, load_corpus

FILES = (*SCENES, NEVER_TRAINED)
"""Data sets whose held-back images are named, as far as the data folder holds them."""

CAPTIONED = "rsicd"


def measure_towers(towers: AlignmentTowers, data: Path, limit: int | None = None) -> dict[str, Any]:
    """Name held-back images data set by data set, and the classes of images whose human captions are given.

    Args:
        limit: at most so many held-back images of each data set.

    Returns:
        {"zero_shot": {data set: {"accuracy", "images", "classes", "trained_on"}}, "by_class": {class: share, for
        images of RSICD}, "captions": {"accuracy", "captions", "by_class"} or {"missing"}}.
    """
    found: dict[str, Any] = {"zero_shot": {}, "captions": {"missing": f"{CAPTIONED} has no captions"}}
    for name in FILES:
        if not has_data_set(data, name):
            continue
        pictures = load_corpus(data, "val", [name], limit, side=2 * towers.side)
        named = zero_shot(towers, pictures)
        found["zero_shot"][name] = {
            "accuracy": named.accuracy,
            "images": len(pictures),
            "classes": len(set(named.truth)),
            "trained_on": name in towers.data,
        }
        if name != CAPTIONED:
            continue
        found["by_class"] = named.by_class()
        said = [(clean(caption), class_of(p.label)) for p in pictures for caption in p.captions]
        if said:
            vectors = towers.embed_texts([text for text, _ in said])
            about = nearest_class(towers, vectors, [label for _, label in said])
            found["captions"] = {"accuracy": about.accuracy, "captions": len(said), "by_class": about.by_class()}
    return found
