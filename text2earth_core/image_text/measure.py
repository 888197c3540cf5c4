"""What a model knows of one set of images without having been trained on it: classes, and captions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from text2earth_core.errors import Text2EarthError
from text2earth_core.image_text.images import ImageSet
from text2earth_core.image_text.models import ImageTextModel
from text2earth_core.image_text.naming import Naming, name_images
from text2earth_core.image_text.retrieval import recall
from text2earth_core.image_text.wordings import WAYS, embed_classes

NEEDED = 2
"""Classes, or captioned images, below which there is nothing to choose from."""


def measure(
    model: ImageTextModel, images: ImageSet, way: str, progress: Callable[[int], None] = lambda seen: None
) -> tuple[dict[str, Any], Naming | None]:
    """Name every image in each of `WAYS`, and find captioned ones by their captions.

    Args:
        way: the one whose confusion is told. progress: called with the number of images seen.

    Returns:
        JSON-ready {"images", "classes", "accuracy": {way: {"value", "low", "high"}}, "by_class": {class: share},
        "retrieval": {...}}, without what the set does not tell; and the naming behind `by_class`.

    Raises:
        Text2EarthError: nothing is said about the images, or they are damaged.
    """
    vectors = model.embed_images(_watched(images, progress))
    found: dict[str, Any] = {"images": len(vectors)}
    labels = [known.label for known in images.known]
    classes = sorted(set(labels) - {""})
    told: Naming | None = None
    if len(classes) >= NEEDED:
        named = np.array([bool(label) for label in labels])
        labels = [label for label in labels if label]
        namings = {
            name: name_images(vectors[named], labels, classes, embed_classes(model, classes, name)) for name in WAYS
        }
        told, sizes = namings[way], Counter(labels)
        right = told.confusion.diagonal()
        found["classes"] = len(classes)
        found["accuracy"] = {name: naming.accuracy.as_dict() for name, naming in namings.items()}
        found["by_class"] = {name: float(right[i]) / sizes[name] for i, name in enumerate(classes)}
    captions = [(caption, i) for i, known in enumerate(images.known) for caption in known.captions]
    captioned = sorted({i for _, i in captions})
    if len(captioned) >= NEEDED:
        place = {image: number for number, image in enumerate(captioned)}
        texts = model.embed_texts([caption for caption, _ in captions])
        owner = np.array([place[i] for _, i in captions])
        found["retrieval"] = recall(vectors[captioned], texts, owner) | {
            "captions": len(captions), "captioned_images": len(captioned),
        }  # fmt: skip
    if told is None and "retrieval" not in found:
        raise Text2EarthError(
            f"{images.path} tells neither two classes nor captions of two images: there is nothing to choose from."
        )
    return found, told


def _watched(images: ImageSet, progress: Callable[[int], None]) -> Iterator[np.ndarray]:
    for number, pixels in enumerate(images.images(), 1):
        yield pixels
        progress(number)
