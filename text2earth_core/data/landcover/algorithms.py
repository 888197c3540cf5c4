"""ChatEarthNet's Algorithms 1, 2 and 3 (Yuan et al., 2025): what a language model is told of a land-cover map.

1 says by words how large classes are (for a model that sees nothing), 2 which share of a patch each class has, and 3
which share of a class lies in each patch (2 and 3 together for a model that sees the map).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from text2earth_core.data.landcover.classes import CLASSES

COUNTS_FROM = 20
"""Pixels of a class below this are not mentioned."""

TOP = 3
"""Classes of a patch that Algorithm 1 names."""

SIZES = ((80, "extra large"), (50, "large"), (20, "medium"), (10, "small"), (0, "extra small"))
"""From so many whole percent."""

NOUNS = ("fraction", "part", "portion", "amount", "quantity")
"""The paper varies the noun by chance."""


def patches_of(classes: np.ndarray) -> dict[str, np.ndarray]:
    """Four quarters, and the middle over them: rows and columns 64..191 of 256."""
    rows, columns = classes.shape
    top, left, down, right = slice(rows // 2), slice(columns // 2), slice(rows // 2, None), slice(columns // 2, None)
    middle = slice(rows // 4, 3 * rows // 4), slice(columns // 4, 3 * columns // 4)
    return {
        "top left": classes[top, left], "top right": classes[top, right],
        "bottom left": classes[down, left], "bottom right": classes[down, right], "middle": classes[middle],
    }  # fmt: skip


def percent(part: int, whole: int) -> int:
    """Whole percent, halves up."""
    return (200 * part + whole) // (2 * whole)


def size_word(percents: int) -> str:
    """The size of 0 to 100 whole percent in words."""
    return next(word for least, word in SIZES if percents >= least)


def counts_of(classes: np.ndarray) -> np.ndarray:
    """int (12,): pixels of each class, those without data first."""
    return np.bincount(classes.ravel(), minlength=len(CLASSES))


def largest(counts: np.ndarray) -> list[int]:
    """The classes that count, largest first, equal ones by their number; never "no data"."""
    there = [number for number in range(1, len(CLASSES)) if counts[number] >= COUNTS_FROM]
    return sorted(there, key=lambda number: -int(counts[number]))


@dataclass(frozen=True)
class Share:
    """A class of a patch, and how many whole percent of the patch's known pixels it covers."""

    name: str
    percent: int


def overall(classes: np.ndarray) -> list[str]:
    """Names of the classes of a map, largest first."""
    return [CLASSES[number] for number in largest(counts_of(classes))]


def shares(classes: np.ndarray) -> dict[str, list[Share]]:
    """The `TOP` largest classes of each patch, by which Algorithm 1 and captions without a language model speak."""
    found = {}
    for name, patch in patches_of(classes).items():
        counts = counts_of(patch)
        known = int(counts[1:].sum())
        found[name] = [Share(CLASSES[one], percent(int(counts[one]), known)) for one in largest(counts)[:TOP]]
    return found


def algorithm_1(classes: np.ndarray, seed: int = 0) -> str:
    """All classes from most to least, then the largest three of each patch with words for their sizes.

    Args:
        classes: uint8 (H, W), numbers of `CLASSES`.
        seed: decides the nouns.
    """
    rng = np.random.default_rng(seed)
    lines = [f"The overall land cover distributions from most to least are: {'; '.join(overall(classes)) or 'none'}."]
    for name, several in shares(classes).items():
        told = [f"{one.name} ({size_word(one.percent)} {NOUNS[rng.integers(len(NOUNS))]})" for one in several]
        if told:
            lines.append(
                f"The {name} mainly contains the following land cover types, in descending order of content: "
                f"{joined(told)}."
            )
    return "\n".join(lines)


def algorithm_2(classes: np.ndarray, as_code: bool = False) -> str:
    """For each patch the share of every class in it, two digits.

    Args:
        as_code: as the authors' program, which mentions every pixel, and counts those without data in the whole.
    """
    lines = []
    for name, patch in patches_of(classes).items():
        counts = counts_of(patch)
        whole = max(1, int(counts.sum() if as_code else counts[1:].sum()))
        told = [f"{CLASSES[one]}: {counts[one] / whole:.2f}" for one in _mentioned(counts, as_code)]
        lines.append(f"{name} distribution: {'; '.join(told) or 'none'}")
    return "\n".join(lines)


def algorithm_3(classes: np.ndarray, as_code: bool = False) -> str:
    """For each class j its shares n_ji / N_j over the patches i; N_j: all its pixels in the map.

    The middle overlaps the quarters, so that only the four quarters add up to 100 %.

    Args:
        as_code: as the authors' program, which divides by the pixels of a patch instead, and mentions every pixel.
    """
    patches = patches_of(classes)
    whole = counts_of(classes)
    counted = {name: counts_of(patch) for name, patch in patches.items()}
    lines = []
    for one in _mentioned(whole, as_code):
        told = []
        for name, counts in counted.items():
            of = max(1, patches[name].size) if as_code else int(whole[one])
            told.append(f"{name} part: {counts[one] / of:.2%}")
        lines.append(f"{CLASSES[one]}: {'; '.join(told)}")
    return "\n".join(lines) or "none"


def prompt(classes: np.ndarray, algorithm: int, as_code: bool = False, seed: int = 0) -> str:
    """The text of Algorithm 1, 2 or 3."""
    if algorithm == 1:
        return algorithm_1(classes, seed)
    return (algorithm_2 if algorithm == 2 else algorithm_3)(classes, as_code)


def _mentioned(counts: np.ndarray, as_code: bool) -> list[int]:
    if not as_code:
        return largest(counts)
    there = [number for number in range(1, len(CLASSES)) if counts[number]]
    return sorted(there, key=lambda number: -int(counts[number]))


def joined(words: list[str]) -> str:
    """ "a", "a and b", "a, b, and c"."""
    if len(words) < 3:
        return " and ".join(words)
    return f"{', '.join(words[:-1])}, and {words[-1]}"
