"""Words that are counted by themselves: land covers, sizes and shapes, as ChatEarthNet's analysis counts them."""

from __future__ import annotations

WORD = r"\p{L}+(?:['’-]\p{L}+)*"
"""A word, for RE2."""

LAND_COVER = {
    "water": "water waters river rivers lake lakes pond ponds sea ocean reservoir stream streams canal canals",
    "developed area": "developed urban built-up building buildings residential city town village industrial houses",
    "tree": "tree trees forest forests forested woodland woodlands woods wooded",
    "shrub": "shrub shrubs shrubland shrublands bush bushes scrub",
    "grass": "grass grasses grassland grasslands grassy meadow meadows lawn pasture pastures",
    "crop": "crop crops cropland croplands farmland farmlands field fields agricultural agriculture",
    "bare land": "bare bareland barren desert sand sandy rock rocks rocky soil",
    "snow": "snow snowy ice icy glacier glaciers",
    "wetland": "wetland wetlands marsh marshes swamp swamps bog bogs",
    "mangroves": "mangrove mangroves",
    "moss": "moss mosses lichen lichens tundra",
}
"""ChatEarthNet's classes, and the words that speak of them."""

SIZES = """
tiny small little minor limited medium moderate large larger largest big major significant substantial extensive
considerable huge vast wide narrow broad long short tall high low small-scale large-scale
"""

SHAPES = """
square rectangular rectangle circular circle round oval triangular triangle linear straight curved curving winding
meandering irregular regular elongated strip strips patch patches patchy grid radial ring crossed parallel diagonal
"""


def stop_words() -> frozenset[str]:
    """Words that say nothing of a picture."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS)


def land_cover_of() -> dict[str, str]:
    """Word: the class that it speaks of."""
    return {word: name for name, words in LAND_COVER.items() for word in words.split()}
