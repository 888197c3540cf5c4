"""The eleven classes of ChatEarthNet, and the codes of ESA's WorldCover for the same."""

from __future__ import annotations

import numpy as np

from text2earth_core.errors import Text2EarthError

CLASSES = (
    "no data", "water", "developed area", "tree", "shrub", "grass", "crop", "bare land", "snow", "wetland", "mangroves",
    "moss",
)  # fmt: skip
"""By the number that a map of the paper's classes holds."""

WORLDCOVER = {80: 1, 50: 2, 10: 3, 20: 4, 30: 5, 40: 6, 60: 7, 70: 8, 90: 9, 95: 10, 100: 11, 0: 0, 255: 0}
"""Code of WorldCover (v100 and v200): number here."""

CODES = ("auto", "worldcover", "paper")


def table_of(values: set[int], codes: str) -> np.ndarray:
    """uint8 (256,): the class number of each value that a map holds.

    Args:
        values: all that are in the map, those that mean "no data" to the file left out.
        codes: one of `CODES`; "auto" takes the paper's where all values are class numbers.

    Raises:
        Text2EarthError: a value is in neither list, or all values are in both, so that nobody can know.
    """
    if codes == "auto":
        known = values - {0, 255}
        if known == {10}:
            raise Text2EarthError(
                "The map holds the value 10 alone, which is tree in WorldCover and mangroves in the paper: "
                "say --codes worldcover or --codes paper."
            )
        codes = "paper" if known <= set(range(len(CLASSES))) else "worldcover"
    numbers = {value: value for value in range(len(CLASSES))} | {255: 0} if codes == "paper" else WORLDCOVER
    foreign = sorted(values - set(numbers))
    if foreign:
        kind = "the paper's 11 classes" if codes == "paper" else "WorldCover's codes"
        raise Text2EarthError(f"The map holds {foreign[0]}, which is none of {kind}: give a map of land cover.")
    table = np.zeros(256, np.uint8)
    for value, number in numbers.items():
        table[value] = number
    return table
