"""How a class is put into words for a model that was never trained on it: one template, or ensembles of several."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from text2earth_core.data.captions import CLASSES
from text2earth_core.image_text.models import ImageTextModel

PAPER_TEMPLATE = "a remote sensing image of {}"
"""The wording of Git-RSCLIP's model card."""

TEMPLATES = (
    PAPER_TEMPLATE,
    "a satellite image of {}",
    "a satellite photo of {}",
    "an aerial image of {}",
    "an aerial photograph of {}",
    "{} seen from above",
    "a top-down view of {}",
)


def paper(name: str) -> list[str]:
    """The name in the paper's one template."""
    return [PAPER_TEMPLATE.format(name)]


def templates(name: str) -> list[str]:
    """The name in every template."""
    return [template.format(name) for template in TEMPLATES]


def wordings(name: str) -> list[str]:
    """The ways people ask for a class that this program knows, or its name."""
    return list(CLASSES.get(name, (name,)))


def everything(name: str) -> list[str]:
    """Every wording as it is and in every template."""
    return [text for said in wordings(name) for text in (said, *templates(said))]


WAYS: dict[str, Callable[[str], list[str]]] = {
    "paper": paper,
    "templates": templates,
    "wordings": wordings,
    "ensemble": everything,
}
"""Name of a way to put a class into words: a class to its texts, whose vectors are averaged."""


def embed_classes(model: ImageTextModel, names: Sequence[str], way: str) -> np.ndarray:
    """Unit vectors float32 (N, D): the middle of the texts of each class."""
    texts = [WAYS[way](name) for name in names]
    vectors = model.embed_texts([text for several in texts for text in several])
    parts = np.split(vectors, np.cumsum([len(several) for several in texts])[:-1])
    middles = np.stack([part.mean(0) for part in parts])
    return middles / np.linalg.norm(middles, axis=1, keepdims=True)
