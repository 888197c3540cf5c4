"""A number and its object in a prompt: "an aerial image of twelve white storage tanks on bare land"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from text2earth_core.errors import Text2EarthError

NUMBERS = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip
MOST = len(NUMBERS)


@dataclass(frozen=True)
class Kind:
    """An object that is counted.

    names: what people call it, in the singular, the first one ours. ground: what is around it where nobody says.
    """

    names: tuple[str, ...]
    ground: str

    @property
    def name(self) -> str:
        return self.names[0]


KINDS = (
    Kind(("storage tank", "oil tank", "tank"), "bare land"),
    Kind(("airplane", "plane", "aircraft"), "bare land"),
    Kind(("boat", "ship", "vessel"), "open water"),
    Kind(("tennis court",), "green meadow"),
    Kind(("basketball court",), "green meadow"),
    Kind(("baseball field", "baseball diamond", "baseball ground"), "green meadow"),
    Kind(("playground", "football field", "soccer field"), "green meadow"),
    Kind(("house", "villa"), "green meadow"),
    Kind(("building",), "bare land"),
    Kind(("pond",), "green meadow"),
    Kind(("swimming pool", "pool"), "green meadow"),
    Kind(("island", "islet"), "open water"),
    Kind(("bridge",), "a river"),
)
"""Those of which captions of real images tell how many there are."""

_ADJECTIVES = r"(?P<how>(?:(?!and\b|or\b|with\b|of\b|in\b|on\b|by\b|near\b)[a-z-]+\s+){0,3}?)"
_NAMES = {name: kind for kind in KINDS for name in kind.names}
_OBJECTS = "|".join(sorted(map(re.escape, _NAMES), key=len, reverse=True))
_COUNTED = re.compile(
    rf"(?<![\w.-])(?P<number>{'|'.join(NUMBERS)}|[1-9]\d?)\s+{_ADJECTIVES}(?P<name>{_OBJECTS})(?P<many>e?s)?(?![\w-])",
    re.IGNORECASE,
)
_AFTER_OTHERS = re.compile(r"(?:^|[\s,])(?:and|with|of|there (?:are|is)|show(?:s|ing)?|contain(?:s|ing)?|,)\s*$", re.I)
_BEFORE_OTHERS = re.compile(
    r"^\s*(?:,|(?:that |which )?(?:is|are)\b|parked\b|surrounded by\b|next to\b|on\b|in\b|at\b|near\b|beside\b|by\b|"
    r"along\b|around\b|and\b|with\b|between\b|among\b)\s*",
    re.IGNORECASE,
)
_VIEW = re.compile(r"\b(?:image|picture|photo|view)\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Counted:
    """What a prompt asks for. one: the prompt of a single object. ground: the prompt without the number's object."""

    number: int
    kind: Kind
    one: str
    ground: str


def read_count(prompt: str) -> Counted:
    """The first number of a prompt, in words or digits, and what there shall be so many of.

    Raises:
        Text2EarthError: there is none from one to twenty with an object of `KINDS`.
    """
    found = next(iter(_found(prompt)), None)
    if found is None:
        raise Text2EarthError(
            f'"{prompt[:60]}" does not say how many of what: write a number from one to twenty and one of '
            f"{', '.join(kind.name + 's' for kind in KINDS)}."
        )
    number, kind, match = found
    how = " ".join(match["how"].lower().split())
    name = f"{how} {match['name'].lower()}".strip()
    return Counted(number, kind, f"{'an' if name[0] in 'aeiou' else 'a'} {name}", _ground(prompt, match, kind))


def numbers_in(text: str) -> Iterator[tuple[Kind, int]]:
    """Every number from one to twenty in a sentence and what it counts."""
    for number, kind, _ in _found(text):
        yield kind, number


def phrase(number: int, kind: Kind) -> str:
    """ "twelve storage tanks"."""
    plural = {"aircraft": "aircraft"}.get(kind.name, f"{kind.name}s")
    return f"{NUMBERS[number - 1]} {kind.name if number == 1 else plural}"


def _found(text: str) -> Iterator[tuple[int, Kind, re.Match[str]]]:
    for match in _COUNTED.finditer(text):
        told, name = match["number"].lower(), match["name"].lower()
        number = NUMBERS.index(told) + 1 if told in NUMBERS else int(told)
        if number <= MOST and (number == 1) != (bool(match["many"]) or (name == "aircraft" and number > 1)):
            yield number, _NAMES[name], match


def _ground(prompt: str, match: re.Match[str], kind: Kind) -> str:
    """A prompt without its counted object: "a meadow with three ponds beside a road" is "a meadow beside a road"."""
    before, after = prompt[: match.start()].rstrip(), prompt[match.end() :].strip(" .")
    while shorter := _AFTER_OTHERS.sub("", before).rstrip():
        if shorter == before:
            break
        before = shorter
    if _AFTER_OTHERS.fullmatch(before):
        before = ""
    looks = bool(_VIEW.search(before))
    if not before or looks:
        while (shorter := _BEFORE_OTHERS.sub("", after)) != after:
            after = shorter
        after = after or kind.ground
        return f"{before} of {after}" if looks else after
    return f"{before} {after}".strip()
