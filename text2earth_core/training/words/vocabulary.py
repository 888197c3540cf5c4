"""The words that may be learned, and what a dictionary knows of each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from text2earth_core.errors import Text2EarthError, reason_of

PLACE_FILES = ("15", "17")
LAND_FILES = ("06", "14", "19", "20", "27", *PLACE_FILES)
"""WordNet's lexicographer files of nouns in which land is: artefacts, groups (of trees), phenomena, plants, substances,
places and natural objects; of the last two, two words such as water hole may be written as one."""

NATURE = frozenset(
    ("canyon", "desert", "glacier", "lake", "mountain peak", "mountain range", "river", "swamp", "volcano", "waterfall")
)
"""Kinds of places whose names are pictures of land: Sahara, Alps. Of a town or a country no picture shows it."""

PARTS = ("noun", "adj", "verb", "adv")
SHORTEST = 3
"""Letters of the parts of a compound."""


class Kind(Enum):
    """Of a word, for how sure it must be that land is meant."""

    NOUN = "noun"
    ADJECTIVE = "adjective"
    COMPOUND = "compound"


KINDS = {"noun": Kind.NOUN, "adj": Kind.ADJECTIVE}
"""Of WordNet's parts of speech."""


@dataclass(frozen=True)
class Sense:
    """One meaning of a word. text: such as "fen, marsh: low-lying wet land", or the word alone."""

    word: str
    text: str
    kind: Kind = Kind.NOUN

    @property
    def head(self) -> str:
        """The word as it is written in running text."""
        return self.alike[0]

    @property
    def alike(self) -> list[str]:
        """The word and all others that have this meaning, as far as they are told."""
        return self.text.partition(":")[0].split(", ")


@dataclass(frozen=True)
class Vocabulary:
    """senses: word in small letters to its meanings that may be land. meanings: how many a word has in all as a noun or
    an adjective, where that is known. names: of people, places and other things that have a capital letter, in small
    ones.
    """

    senses: Mapping[str, Sequence[Sense]] = field(default_factory=dict)
    meanings: Mapping[tuple[str, Kind], int] = field(default_factory=dict)
    names: frozenset[str] = frozenset()

    def share(self, word: str, kind: Kind, count: int) -> float:
        """Which part of a word's meanings some of them are."""
        return count / self.meanings.get((word, kind), max(1, len(self.senses.get(word, ()))))

    def explains(self, word: str) -> bool:
        """Whether it says what the word means."""
        return any(sense.text != word for sense in self.senses.get(word, ()))


def of_words(words: Iterable[str]) -> Vocabulary:
    """Words of which nothing is known."""
    return Vocabulary({word: [Sense(word, word)] for word in words})


def read_vocabulary(*paths: Path) -> Vocabulary:
    """What some files list.

    Args:
        paths: text files with a word a line, and after a tab what it means, if that is known; several lines for a word
            are its senses. Or a folder of WordNet, `dict`: its nouns that may be land and its adjectives, with their
            meanings. Of the words that are only in files beside it, compounds of its words are learned: peatland.

    Raises:
        Text2EarthError: one cannot be read.
    """
    senses: dict[str, list[Sense]] = {}
    listed: dict[str, list[Sense]] = {}
    meanings: Counter[tuple[str, Kind]] = Counter()
    names: frozenset[str] = frozenset()
    common: frozenset[str] = frozenset()
    for path in paths:
        try:
            if path.is_dir():
                synsets = list(_synsets(path))
                for sense in _senses(synsets):
                    senses.setdefault(sense.word, []).append(sense)
                meant = (one for one in synsets if one.part in KINDS)
                meanings.update(
                    (lemma.lower().replace(" ", ""), KINDS[one.part]) for one in meant for lemma in one.lemmas
                )
                lemmas = {lemma for one in synsets for lemma in one.lemmas}
                common = common | {lemma for lemma in lemmas if re.fullmatch("[a-z]{3,}", lemma)}
                names = names | {lemma.lower() for lemma in lemmas if re.fullmatch("[A-Z][a-z]{2,}", lemma)} - common
                if not senses:
                    raise ValueError("its data.noun lists no nouns for land")
            else:
                for word, text in _lines(path):
                    listed.setdefault(word, []).append(Sense(word, text))
        except (OSError, ValueError, IndexError) as error:
            raise Text2EarthError(f"{path} cannot be read as a list of words: {reason_of(error)}.") from None
    if common:
        new = listed.keys() - common - names - {plural_of(word) for word in common} - senses.keys()
        compounds = {word: _parts(word, common) for word in new}
        listed = {w: [Sense(w, f"{w}: {parts}", Kind.COMPOUND)] for w, parts in compounds.items() if parts is not None}
    return Vocabulary(listed | senses, meanings, names)


def plural_of(noun: str) -> str:
    """Its regular plural."""
    if re.search("[^aeiou]y$", noun):
        return noun[:-1] + "ies"
    return noun + ("es" if re.search("(s|x|z|ch|sh)$", noun) else "s")


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """(word, sense or the word itself) of a text file."""
    for line in path.read_text(encoding="utf-8").lower().splitlines():
        words, _, meaning = line.partition("\t")
        for word in words.split():
            yield word, f"{word}: {meaning.strip()}" if meaning.strip() else word


def _parts(word: str, common: frozenset[str]) -> str | None:
    """The two common words of which a compound is made, the last one also as a plural; None where it is none."""
    for cut in range(SHORTEST, len(word) - SHORTEST + 1):
        first, last = word[:cut], word[cut:]
        if first in common and (last in common or (last.endswith("s") and last[:-1] in common)):
            return f"{first} {last}"
    return None


@dataclass(frozen=True)
class _Synset:
    """One meaning in WordNet. part: of speech. file: number of its lexicographer file. above: the synsets of which it
    is an instance."""

    key: tuple[str, str]
    part: str
    file: str
    lemmas: list[str]
    above: list[tuple[str, str]]
    meaning: str


def _synsets(folder: Path) -> Iterator[_Synset]:
    """Every meaning in a folder of WordNet, of which only the nouns must be there."""
    for part in PARTS:
        path = folder / f"data.{part}"
        if part != PARTS[0] and not path.is_file():
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith(" "):  # the licence
                continue
            data, _, gloss = line.partition(" | ")
            fields = data.split()
            count = int(fields[3], 16)
            lemmas = [re.sub(r"\([a-z]+\)$", "", fields[4 + 2 * i]).replace("_", " ") for i in range(count)]
            pointers = fields[4 + 2 * count :]
            above = [
                (part, target) for sign, target in zip(pointers[1::4], pointers[2::4], strict=False) if sign == "@i"
            ]
            meaning = re.split('; "', gloss)[0].strip()  # without its examples
            yield _Synset((part, fields[0]), part, fields[1], lemmas, above, meaning)


def _senses(synsets: Sequence[_Synset]) -> Iterator[Sense]:
    """What may be land: nouns of some files, names of nature, and adjectives."""
    natural = {one.key for one in synsets if one.part == "noun" and not NATURE.isdisjoint(one.lemmas)}
    for one in synsets:
        if not (one.part == "adj" or (one.part == "noun" and one.file in LAND_FILES)):
            continue
        places = one.part == "noun" and one.file in PLACE_FILES
        named = not natural.isdisjoint(one.above)
        for lemma in one.lemmas:
            word = lemma.lower() if named and re.fullmatch("[A-Z][a-z]{2,}", lemma) else lemma
            if re.fullmatch("[a-z]{3,}" + "( [a-z]{3,})?" * places, word):
                alike = ", ".join([lemma, *(other for other in one.lemmas if other != lemma)])
                yield Sense(word.replace(" ", ""), f"{alike}: {one.meaning}", KINDS[one.part])
