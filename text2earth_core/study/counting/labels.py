"""Real images of which people told how many objects there are: counts that all captions of an image agree on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from text2earth_core.data.captions import class_of
from text2earth_core.data.corpus import Picture
from text2earth_core.study.counting.words import KINDS, Kind, numbers_in
from text2earth_core.study.training import fitted

EMPTY = ("bare land", "beach", "desert", "farmland", "forest", "meadow", "mountain")
"""Classes whose images hold none of an object that no caption speaks of."""

SINGLE = 2
"""So many captions must say "a pond" for it to be one: a single one may leave out the others."""

_ONE = {
    kind.name: re.compile(rf"\b(?:a|an|one)\s+(?:[a-z-]+\s+){{0,2}}?(?:{'|'.join(kind.names)})\b") for kind in KINDS
}
_SPOKEN = {kind.name: re.compile(rf"\b(?:{'|'.join(kind.names)})(?:e?s)?\b") for kind in KINDS}
_MANY = {kind.name: re.compile(rf"\b(?:{'|'.join(kind.names)})e?s\b") for kind in KINDS}


@dataclass(frozen=True)
class Labelled:
    """Images as a counter sees them: uint8 (N, side, side, 3), and float32 (N, kinds) counts, NaN where unknown."""

    pixels: np.ndarray
    counts: np.ndarray

    def __len__(self) -> int:
        return len(self.counts)


def counts_of(captions: Sequence[str], label: str = "") -> Mapping[str, int]:
    """How many of each kind the captions of an image tell, by the kind's name; kinds that nobody knows are left out."""
    texts = [caption.lower() for caption in captions]
    found = {}
    for kind in KINDS:
        number = _count(kind, texts)
        if number is not None:
            found[kind.name] = number
        elif class_of(label) in EMPTY and not any(_SPOKEN[kind.name].search(text) for text in texts):
            found[kind.name] = 0
    return found


def _count(kind: Kind, texts: Sequence[str]) -> int | None:
    told = [[number for which, number in numbers_in(text) if which == kind] for text in texts]
    numbers = {number for several in told for number in several if number > 1}
    if len(numbers) > 1 or any(len(several) > 1 for several in told):
        return None
    if numbers:
        return numbers.pop()
    if any(_MANY[kind.name].search(text) for text in texts):
        return None
    return 1 if sum(bool(_ONE[kind.name].search(text)) for text in texts) >= SINGLE else None


def labelled(pictures: Iterable[Picture], side: int) -> Labelled:
    """The pictures of which something is known, shrunk to `side` px."""
    pixels, counts = [], []
    for picture in pictures:
        told = counts_of(picture.captions, picture.label)
        if told:
            pixels.append(fitted(picture.pixels, side))
            counts.append([told.get(kind.name, np.nan) for kind in KINDS])
    shape = (len(counts), side, side, 3)
    return Labelled(np.array(pixels, np.uint8).reshape(shape), np.array(counts, np.float32).reshape(-1, len(KINDS)))
