"""What is wrong with a caption that a model wrote, found without another model: reasons that can be counted.

A duplicate of another caption is found by the journal (`Journal.settle`), which knows them all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache

from text2earth_core.data.annotation.items import Item
from text2earth_core.data.landcover.instructions import MENTIONS

DUPLICATE = "duplicate"
MISCOUNTED = "not one description for each image"

GRAVE = ("empty", "refusal", "other language", MISCOUNTED)
"""After these there is no caption that a person could mend."""

LANGUAGES = ("en", "pcm", "sco")
"""English, and what the identifier takes short English for."""

MARGIN = 5.0
"""Nats by which another language must be likelier. Of 3,000 captions of RSICD, four words upwards, none comes near it;
sentences of four words in French, German or Spanish are 28 or more beyond."""


@dataclass(frozen=True)
class Rules:
    """What a protocol asks of a caption.

    Args:
        words: least and most.
        forbidden: words that may not occur, in any of their forms.
        numbers: whether numbers that were told to the model may be said; others never may.
    """

    words: tuple[int, int]
    forbidden: tuple[str, ...] = ()
    numbers: bool = True

    def with_forbidden(self, words: tuple[str, ...]) -> Rules:
        """The same with more forbidden words."""
        return replace(self, forbidden=(*self.forbidden, *words))


@dataclass(frozen=True)
class Fault:
    """reason: one of a few, to be counted. detail: what it is in this caption, for the model that is asked again."""

    reason: str
    detail: str


_REFUSAL = re.compile(
    r"\b(?:i(?:'m| am) (?:\w+ )?sorry|i apologi[sz]e|as an ai|i(?:'m| am) (?:not able|unable)|"
    r"i (?:can't|cannot|can not|do not|don't) (?:\w+ )?(?:assist|help|provide|describe|see|view|access|have|identify|"
    r"analy[sz]e|comply|determine)|no image (?:was|is|has been|attached|provided)|"
    r"unable to (?:assist|help|provide|describe|see|view|process))\b",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"^\W*(?:sure|certainly|of course|absolutely|okay|ok)\b\W|^\W*here(?:'s| is| are) (?:a|an|the|your|my|one|some)\b|"
    r"^\W*(?:description|caption|answer|paragraph)\W*:|\b(?:let me know|as requested|feel free to|hope this helps)\b",
    re.IGNORECASE,
)
_PICTURE = r"(?:image|map|picture|scene|tile|photo|photograph|description|paragraph)s?"
_COMPARISON = re.compile(
    rf"\b(?:first|second|third|fourth|other|previous|preceding|next|former|latter|both|all|two|three|four|these|those|"
    rf"each|another|different)\s+(?:of\s+the\s+)?(?:\w+\s+)?{_PICTURE}\b|\b{_PICTURE}\s+(?:number\s+)?(?:\d+|one|two|"
    rf"three|four|[A-D])\b|\b(?:unlike|like|than|compared\s+(?:to|with)|in\s+contrast\s+(?:to|with)|similar\s+to|"
    rf"same\s+as|differs?\s+from)\s+(?:(?:the|that|those|this|in|of|any)\s+){{0,3}}(?:\w+\s+){{0,2}}{_PICTURE}\b|"
    rf"^\W*(?:similarly|likewise|in\s+contrast|by\s+contrast|in\s+comparison|conversely|again|once\s+more)\b|"
    rf"\b(?:former|latter|previous)\s+ones?\b|\bthe\s+(?:first|second|third|fourth)\s+(?:one|shows?|has|depicts?)\b",
    re.IGNORECASE,
)  # fmt: skip
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_WORD = re.compile(r"\w+(?:['-]\w+)*")


def audit(caption: str, item: Item, rules: Rules, cut: bool = False) -> list[Fault]:
    """All faults of a caption, at most one for each reason; none where it passes.

    Args:
        caption: as the model wrote it.
        item: what it was told.
        cut: it stopped at the limit of tokens.
    """
    text = caption.replace("’", "'").strip()
    words = _WORD.findall(text)
    if not words:
        return [Fault("empty", "there are no words")]
    if _REFUSAL.search(text):
        return [Fault("refusal", f'it refuses ("{_shown(_REFUSAL, text)}")')]
    if not is_english(text):  # the other checks know English alone
        return [Fault("other language", "it is not in English")]
    found = []
    least, most = rules.words
    if cut:
        found.append(Fault("cut off", "it is cut off in the middle"))
    if len(words) < least:
        found.append(Fault("too short", f"it has {len(words)} words, and needs {least} or more"))
    if len(words) > most:
        found.append(Fault("too long", f"it has {len(words)} words, and may have {most}"))
    if _ADDRESS.search(text):
        found.append(Fault("speaks to the asker", f'it speaks to the reader ("{_shown(_ADDRESS, text)}")'))
    forbidden = sorted({hit.group().lower() for hit in _forms(rules.forbidden).finditer(text)})
    if forbidden:
        found.append(Fault("forbidden word", f"it uses {', '.join(forbidden)}"))
    if _COMPARISON.search(text):
        found.append(Fault("comparison between images", f'it refers to other images ("{_shown(_COMPARISON, text)}")'))
    numbers = _unsourced(text, item.text if rules.numbers else "")
    if numbers:
        found.append(Fault("number without source", f"nobody told it the number {numbers[0]}"))
    foreign = [name for name in item.absent if re.search(rf"\b(?:{MENTIONS[name]})\b", text, re.IGNORECASE)]
    if foreign:
        found.append(Fault("land cover that is not there", f"there is no {foreign[0]}"))
    if _repeats(text):
        found.append(Fault("repeats itself", "it says a sentence twice"))
    return found


def weight(faults: list[Fault]) -> tuple[bool, int]:
    """By which the best of several attempts is chosen, the least one first."""
    return any(fault.reason in GRAVE for fault in faults), len(faults)


def is_english(text: str) -> bool:
    """Whether no other language is clearly likelier."""
    import py3langid  # some tenths of a second

    scores = dict(py3langid.rank(text))
    best = max(scores, key=lambda language: float(scores[language]))
    english = max(float(scores[language]) for language in LANGUAGES if language in scores)
    return best in LANGUAGES or float(scores[best]) - english <= MARGIN


def plain(caption: str) -> str:
    """A caption's words alone, by which duplicates are found."""
    return " ".join(_WORD.findall(caption.lower()))


def _shown(pattern: re.Pattern[str], text: str) -> str:
    hit = pattern.search(text)
    return " ".join(hit.group().split())[:40] if hit else ""


@cache
def _forms(words: tuple[str, ...]) -> re.Pattern[str]:
    """The words with the endings of English; a final e or y may give way to one."""
    if not words:
        return re.compile(r"(?!)")
    several = []
    for word in words:
        stem = re.escape(word.strip())
        ending = r"(?:s|es|d|ed|ing|r|rs|ance|ances|al|ally|ally|ly|ish)?"
        several.append(rf"{stem[:-1]}(?:{stem[-1]}{ending}|ing|ies|ied|able)" if stem[-1:] in "ey" else stem + ending)
    return re.compile(rf"\b(?:{'|'.join(several)})\b", re.IGNORECASE)


def _unsourced(text: str, told: str) -> list[str]:
    known = {_value(number) for number in _NUMBER.findall(told)}
    return [number for number in _NUMBER.findall(text) if _value(number) not in known]


def _value(number: str) -> str:
    digits = number.replace(",", ".")
    try:
        return f"{float(digits):g}"
    except ValueError:
        return digits


def _repeats(text: str) -> bool:
    sentences = [plain(one) for one in re.split(r"[.!?]+\s", text)]
    long = [one for one in sentences if one.count(" ") >= 3]
    return len(set(long)) < len(long)
