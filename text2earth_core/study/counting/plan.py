"""How much a study of counting does."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from text2earth_core.errors import Text2EarthError
from text2earth_core.study.counting.words import KINDS, MOST, Kind, phrase


@dataclass(frozen=True)
class Plan:
    """Counts of one study.

    kinds: names of what is asked for. numbers: how many of it. seeds: pictures of each prompt. size: px of the
    pictures, None the model's window. side: px that the counter sees. steps, batch: of the counter's training.
    """

    kinds: tuple[str, ...] = (
        "storage tank", "airplane", "boat", "tennis court", "baseball field", "house", "pond", "island",
    )  # fmt: skip
    numbers: tuple[int, ...] = tuple(range(1, MOST + 1))
    seeds: int = 5
    size: int | None = None
    side: int = 128
    steps: int = 8000
    batch: int = 32

    @classmethod
    def reduced(cls) -> Plan:
        """What two cores do within an hour."""
        return cls(kinds=("storage tank", "airplane", "tennis court", "pond"), numbers=(1, 2, 3, 5, 8, 12, 20), seeds=1,
                   side=96, steps=800, batch=16)  # fmt: skip

    def wanted(self) -> list[tuple[Kind, int, int]]:
        """(object, number, seed) of every prompt, the first seed of all of them first."""
        kinds = [kind_of(name) for name in self.kinds]
        return [(kind, number, seed) for seed in range(self.seeds) for number in self.numbers for kind in kinds]

    def prompts(self) -> list[str]:
        """The different prompts, in words."""
        return list(dict.fromkeys(phrase(number, kind) for kind, number, _ in self.wanted()))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def kind_of(name: str) -> Kind:
    """The object of a name, the singular; Text2EarthError where there is none."""
    found = next((kind for kind in KINDS if name in kind.names), None)
    if found is None:
        raise Text2EarthError(f'"{name}" is not counted here: use {", ".join(kind.name for kind in KINDS)}.')
    return found


def read_numbers(text: str) -> tuple[int, ...]:
    """What somebody wrote as "1,2,12"; Text2EarthError where it is not that."""
    parts = text.split(",")
    if not all(part.strip().isdecimal() and 1 <= int(part) <= MOST for part in parts):
        raise Text2EarthError(f'"{text}" are no numbers to count: write some from 1 to {MOST}, such as 1,2,12.')
    return tuple(dict.fromkeys(int(part) for part in parts))
