"""What a language model is asked to do with a map's facts, for both versions of ChatEarthNet.

The rules are those of the paper's two prompts (Yuan et al., 2025, Sect. 3.2 and 3.3), in words of our own. Version 35
sees nothing and is told Algorithm 1; version 4v sees coloured maps, one or four a request, with Algorithms 3 and 2.
"""

from __future__ import annotations

import numpy as np

from text2earth_core.data.landcover.algorithms import algorithm_1, algorithm_2, algorithm_3
from text2earth_core.data.landcover.classes import CLASSES
from text2earth_core.data.landcover.colours import COLOURS

FORBIDDEN_35 = ("possibly", "likely", "perhaps", "context", "segmentation", "appear", "change", "transition", "dynamic")
FORBIDDEN_4V = ("possibly", "likely", "perhaps", "color dictionary", "appear", "change", "transition", "dynamic")
COLOUR_WORDS = ("color", "colour", "blue", "red", "green", "brown", "yellow", "grey", "gray", "white", "cyan", "pink",
                "purple", "black")  # fmt: skip
"""Version 4v names land covers, never the colours that stand for them."""

MENTIONS = {
    "water": r"water|lakes?|rivers?|ponds?", "developed area": r"developed|built-up|urban",
    "tree": r"trees?|forests?|woodlands?", "shrub": r"shrubs?|shrublands?", "grass": r"grass(?:es|lands?)?|meadows?",
    "crop": r"crops?|croplands?|farmlands?", "bare land": r"bare|barren", "snow": r"snow|ice|glaciers?",
    "wetland": r"wetlands?|marsh(?:es)?", "mangroves": r"mangroves?", "moss": r"moss(?:es)?|lichens?",
}  # fmt: skip
"""Patterns of the words by which a description names a class."""

SYSTEM_35 = f"""You write what a satellite image shows, from facts about its land cover. \
Answer with one paragraph of English prose and with nothing else.
Rules:
- Keep to the order of the parts in the facts, and join the parts so that they read as one text.
- Say which land cover dominates the image, and where in it.
- In each part go from the land cover with the largest area to the one with the smallest.
- Vary the words that say how large something is, and write no digits.
- Let the last sentence sum up the main theme of the image.
- State what is there. Do not guess, do not mention these facts, and use no word like: {", ".join(FORBIDDEN_35)}."""

_KEY = "; ".join(
    f"{name} ({', '.join(map(str, rgb))}): {CLASSES[one]}" for one, (rgb, name) in enumerate(COLOURS[1:], 1)
)

_SYSTEM_4V = """You look at maps of land cover and write what the ground looks like there. \
Each colour is a land cover: {key}.
You get {maps}, with two tables for each. {answer}
Rules:
- Name the land cover, never its colour.
- {alone}
- Say what shape water, developed area and crop have.
- Name only land covers that the tables list for that map. Check this again before you answer.
- State what is there. Do not guess, and use no word like: {forbidden}.
- Look again at shape and place of developed area, water, grass, tree, shrub, wetland and crop where they are there.
- Take the tables as facts of one whole picture: repeat neither their figures nor their division into parts.
- Go through the land covers one by one, then say what the main theme is."""


def system_4v(maps: int) -> str:
    """The instruction of version 4v for a request with so many maps."""
    one = maps == 1
    return _SYSTEM_4V.format(
        key=_KEY,
        maps="one map" if one else f"{maps} maps that have nothing to do with each other",
        answer=(
            "Answer with one paragraph of long English sentences and with nothing else."
            if one
            else f"Answer with {maps} paragraphs of long English sentences, one for each map in their order, with an "
            "empty line between them, without headings and with nothing else."
        ),
        alone=(
            "Speak of this map alone."
            if one
            else "Each paragraph stands alone: do not link, compare or number the maps."
        ),
        forbidden=", ".join(FORBIDDEN_4V),
    )


def facts_35(classes: np.ndarray, seed: int = 0) -> str:
    """What version 35 is told of a map; `seed` decides the nouns of Algorithm 1."""
    return f"Describe the image that these facts are about.\n{algorithm_1(classes, seed)}"


def facts_4v(classes: np.ndarray) -> str:
    """What version 4v is told of a map beside its picture: Algorithm 3, then Algorithm 2."""
    return (
        f"Where each land cover lies:\n{algorithm_3(classes)}\nWhat each part of the map consists of:\n"
        f"{algorithm_2(classes)}"
    )
