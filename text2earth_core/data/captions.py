"""What is said about an image: its human captions, or its class in many wordings."""

from collections.abc import Sequence

import numpy as np

from text2earth_core.data.corpus import Picture
from text2earth_core.prompts import take_level

CLASSES: dict[str, tuple[str, ...]] = {
    "airplane": ("an airplane", "airplanes parked on the ground", "a plane on an apron", "aircraft", "several planes"),
    "airport": ("an airport", "an airport with a terminal and planes", "airport terminal", "an airfield"),
    "bare land": ("bare land", "bare soil", "barren ground", "brown bare earth", "wasteland"),
    "annual crop": ("annual crops", "fields of annual crops", "crop fields"),
    "baseball field": ("a baseball field", "baseball diamonds", "a baseball diamond", "a baseball ground"),
    "beach": ("a beach", "a sandy beach by the sea", "coast with beach", "shore with waves", "seaside", "sea and sand"),
    "bridge": ("a bridge", "a bridge over a river", "a long bridge across water", "a road bridge"),
    "center": ("a city center", "a large building in the center", "a cultural center", "a modern landmark building"),
    "chaparral": ("chaparral", "shrubs on dry ground", "bushland", "scattered bushes", "scrubland"),
    "church": ("a church", "a cathedral", "a church among houses", "a chapel"),
    "commercial": ("a commercial area", "tall commercial buildings", "a downtown business district", "city buildings",
                   "high-rise buildings", "skyscrapers", "shopping malls and streets"),
    "dense residential": ("a dense residential area", "dense housing", "many houses close together", "crowded houses",
                          "a densely built neighbourhood", "rows of houses", "a town with many roofs"),
    "desert": ("a desert", "sand dunes", "yellow desert", "sandy desert with dunes", "arid sand", "dunes"),
    "farmland": ("farmland", "agricultural fields", "crop fields", "fields of crops", "cropland", "cultivated land",
                 "green and brown fields", "a patchwork of fields", "agriculture"),
    "forest": ("a forest", "dense green forest", "dense forest", "woodland", "woods", "a thick jungle",
               "many green trees", "wood", "a dark green forest", "tree canopy", "rainforest"),
    "freeway": ("a freeway", "a highway with cars", "a motorway", "a straight road with cars", "a wide road"),
    "golf course": ("a golf course", "golf greens and bunkers", "a golf ground with sand traps"),
    "herbaceous vegetation": ("herbaceous vegetation", "grassland with shrubs", "wild green plants"),
    "highway": ("a highway", "a highway through fields", "a motorway"),
    "industrial": ("an industrial area", "factories", "a factory with large roofs", "warehouses", "industry",
                   "an industrial plant", "big flat roofs"),
    "intersection": ("an intersection", "crossroads", "a road junction", "crossing streets"),
    "island": ("an island", "a small island in the sea", "an island surrounded by water", "an islet"),
    "lake": ("a lake", "a blue lake", "a large lake", "a lake with green shores", "calm water of a lake",
             "a reservoir"),
    "meadow": ("a meadow", "green meadow", "grassland", "grass", "a green lawn", "pasture", "a green field of grass"),
    "medium residential": ("a medium residential area", "houses with gardens", "a suburb with trees and houses",
                           "a residential area with streets and trees", "suburban houses"),
    "mobile home park": ("a mobile home park", "rows of mobile homes", "trailers side by side"),
    "mountain": ("mountains", "a mountain", "mountain ridges", "rocky mountains", "hills", "snowy mountains",
                 "a mountain range"),
    "park": ("a park", "a city park with trees and paths", "a park with a pond", "a public garden"),
    "parking": ("a parking lot", "parking", "a car park", "many cars parked in rows", "parked cars",
                "a parking area full of cars"),
    "pasture": ("pasture", "a green pasture", "grazing land"),
    "permanent crop": ("permanent crops", "orchards and vineyards", "rows of fruit trees"),
    "playground": ("a playground", "a sports field", "a running track with a football field",
                   "basketball and tennis courts", "a soccer field"),
    "pond": ("a pond", "a small pond", "ponds", "fish ponds", "a green pond"),
    "port": ("a port", "a harbor with boats", "a harbour", "boats at a dock", "a marina", "ships at a wharf"),
    "railway station": ("a railway station", "a train station with tracks", "railway tracks", "a rail yard"),
    "residential": ("a residential area", "houses", "housing", "residential buildings", "a neighbourhood", "a village"),
    "resort": ("a resort", "a holiday resort with pools", "a hotel with swimming pools"),
    "river": ("a river", "a curved river", "a river through green land", "a river between green banks",
              "a winding river", "a river through farmland", "a stream", "a wide river with banks"),
    "river and lake": ("a river or lake", "water", "open water with a shore", "a water body"),
    "runway": ("a runway", "an airport runway", "a landing strip"),
    "school": ("a school", "school buildings with a playground", "a campus", "a university campus"),
    "sea or lake": ("a sea or lake", "open water", "deep blue water"),
    "ship": ("a ship", "ships on water", "a boat on the sea", "a vessel"),
    "sparse residential": ("a sparse residential area", "a few houses among trees", "scattered houses", "a lone house",
                           "houses in the countryside"),
    "square": ("a square", "a city square", "a plaza", "a public square with paving"),
    "stadium": ("a stadium", "a football stadium", "a large oval stadium", "an arena"),
    "storage tanks": ("storage tanks", "white oil tanks", "round oil tanks", "an oil depot", "a tank farm"),
    "tennis court": ("tennis courts", "a tennis court"),
    "viaduct": ("a viaduct", "an overpass", "a flyover junction", "an interchange of roads", "elevated roads"),
    "wetland": ("a wetland", "marsh", "swamp with water channels", "wetland with lakes", "marshland"),
}  # fmt: skip
"""Class name -> the wordings by which people ask for it."""

_ALIASES = {
    "commercial area": "commercial", "industrial area": "industrial", "industry": "industrial", "grass": "meadow",
    "field": "farmland", "agricultural": "farmland", "parking lot": "parking", "baseball diamond": "baseball field",
    "buildings": "commercial", "harbor": "port", "overpass": "viaduct", "playfields": "playground",
}  # fmt: skip

_TEMPLATES = (
    "{}",
    "{}",
    "{}",
    "an aerial image of {}",
    "a satellite image of {}",
    "{} seen from above",
    "remote sensing image of {}",
)


def class_of(label: str) -> str:
    """Return the common class name of a data set's label (the data sets name some classes differently)."""
    return _ALIASES.get(label, label)


def clean(text: str) -> str:
    """Strip a Git-10M level prefix, white space runs and the closing full stop."""
    return " ".join(take_level(text)[0].split()).rstrip(" .")


def describe(picture: Picture, rng: np.random.Generator, human: float = 0.6) -> str:
    """Draw one text for an image: "" where nothing is said about it.

    Args:
        human: probability of a human caption for an image that has a label too.
    """
    if picture.captions and (not picture.label or rng.random() < human):
        return clean(picture.captions[rng.integers(len(picture.captions))])
    return name_class(class_of(picture.label), rng) if picture.label else ""


def name_class(name: str, rng: np.random.Generator) -> str:
    """Draw one of the ways to ask for a class."""
    wordings = CLASSES.get(name, (name,))
    return _TEMPLATES[rng.integers(len(_TEMPLATES))].format(wordings[rng.integers(len(wordings))])


def all_texts(corpus: list[Picture]) -> list[str]:
    """Every caption and every wording once: what the tokenizer's vocabulary is trained on."""
    texts = {clean(caption) for picture in corpus for caption in picture.captions}
    own = {name: (name,) for name in {class_of(picture.label) for picture in corpus if picture.label}}
    wordings = [wording for several in (own | CLASSES).values() for wording in several]
    texts |= {template.format(wording) for wording in wordings for template in _TEMPLATES}
    return sorted(texts)


def caption_of(picture: Picture) -> str:
    """The first human caption, or a wording of the class."""
    if picture.captions:
        return clean(picture.captions[0])
    return CLASSES.get(class_of(picture.label), (picture.label,))[0]


def spread_classes(pictures: Sequence[Picture]) -> list[Picture]:
    """The first picture of every class, then the second of every class, and so on."""
    turn: dict[str, int] = {}
    keys = []
    for picture in pictures:
        label = class_of(picture.label)
        turn[label] = turn.get(label, -1) + 1
        keys.append((turn[label], label))
    return [pictures[i] for i in sorted(range(len(pictures)), key=keys.__getitem__)]
