"""A caption of a land-cover map without a language model, from the facts that Algorithm 1 tells one."""

from __future__ import annotations

import numpy as np

from text2earth_core.data.landcover.algorithms import joined, overall, shares, size_word

_WORDS = {
    "water": "water", "developed area": "developed area", "tree": "trees", "shrub": "shrubs", "grass": "grass",
    "crop": "cropland", "bare land": "bare land", "snow": "snow", "wetland": "wetland", "mangroves": "mangroves",
    "moss": "moss",
}  # fmt: skip


def caption_of(classes: np.ndarray) -> str:
    """Some sentences: the main class, the largest of each patch with their sizes, and what else there is.

    Args:
        classes: uint8 (H, W), numbers of `CLASSES`.

    Returns:
        "" where no class counts.
    """
    everything = overall(classes)
    if not everything:
        return ""
    main, *others = [_WORDS[name] for name in everything]
    sentences = [
        f"A satellite image of {main}." if not others else f"A satellite image of mainly {main}, with {joined(others)}."
    ]
    groups: dict[str, list[str]] = {}
    for patch, several in shares(classes).items():
        told = [
            f"a{'n' * (size_word(one.percent)[0] == 'e')} {size_word(one.percent)} part of {_WORDS[one.name]}"
            for one in several
        ]
        if told and others:
            groups.setdefault(joined(told), []).append(f"the {patch}")
    for words, where in groups.items():
        place = joined(where)
        sentences.append(f"{place[0].upper()}{place[1:]} {'shows' if len(where) == 1 else 'show'} {words}.")
    return " ".join(sentences)
