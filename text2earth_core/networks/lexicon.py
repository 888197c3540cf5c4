"""Words that a model has never seen, and what each is taken as: words that it knows.

The text encoder stays as it is, and with it every picture of a prompt whose words it knows. A lexicon is learned by
`text2earth_core.training.words`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from transformers import CLIPTokenizer

from text2earth_core.errors import Text2EarthError
from text2earth_core.networks.tokens import PromptReport, check_prompt, split_words
from text2earth_core.prompts import take_level
from text2earth_core.whole_file import whole_file

LEXICON_FILE = "lexicon.json"
"""Beside a model's parts, and none of what its fingerprint is of: prompts are put into known words before they are
asked for."""

VERSION = 1
MAX_BYTES = 3_000_000
MAX_WORDING = 100
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Lexicon:
    """wordings: unseen word, in small letters, to known words. teacher: what it was learned from."""

    wordings: Mapping[str, str]
    teacher: str = ""

    def worded(self, text: str) -> str:
        """The text with every word of the lexicon replaced; the text itself where it has none of them.

        A Google level before it stays as it is.
        """
        words = take_level(text)[0]
        level = text[: len(text) - len(words)]
        return level + _WORD.sub(lambda found: self.wordings.get(found[0].lower(), found[0]), words)

    def taken(self, text: str) -> tuple[tuple[str, str], ...]:
        """(word, what it is taken as) for each word of the text that is replaced, in order."""
        words = dict.fromkeys(split_words(take_level(text)[0]))
        return tuple((word, self.wordings[word]) for word in words if word in self.wordings)

    def check(self, tokenizer: CLIPTokenizer, known: frozenset[str], text: str) -> PromptReport:
        """What the model makes of a prompt, `check_prompt`, once it is in known words, and what was taken as others."""
        return replace(check_prompt(tokenizer, known, self.worded(text)), taken=self.taken(text))

    def save(self, folder: Path) -> None:
        """Write it into a model folder, where an empty one leaves none."""
        if not self.wordings:
            (folder / LEXICON_FILE).unlink(missing_ok=True)
            return
        data = {"version": VERSION, "teacher": self.teacher, "words": dict(sorted(self.wordings.items()))}
        with whole_file(folder / LEXICON_FILE, durable=False) as part:
            part.write_text(json.dumps(data, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


EMPTY = Lexicon({})


def load_lexicon(folder: Path, known: frozenset[str]) -> Lexicon:
    """The lexicon of a model folder, an empty one where there is none.

    Args:
        known: the words that the model has seen. It never replaces one of them, and takes nothing as any other.

    Raises:
        Text2EarthError: it is damaged, too large, or of a model that has seen other words.
    """
    path = folder / LEXICON_FILE
    if not path.is_file():
        return EMPTY
    damaged = Text2EarthError(f"{path} is damaged: make it again with `text2earth train words`, or delete it.")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise damaged
        data = json.loads(path.read_bytes())
        version, teacher, wordings = data["version"], data["teacher"], data["words"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise damaged from None
    if version != VERSION:
        raise Text2EarthError(f"{path} has version {version}: update the program to use this model.")
    if not (isinstance(wordings, dict) and isinstance(teacher, str)):
        raise damaged
    for word, wording in wordings.items():
        if not (isinstance(wording, str) and 0 < len(wording) <= MAX_WORDING and split_words(word) == [word]):
            raise damaged
        if word in known or not known.issuperset(split_words(wording)):
            raise Text2EarthError(
                f'{path} was made for another model (it takes "{word}" as "{wording}"): make it again with '
                "`text2earth train words`, or delete it."
            )
    return Lexicon(wordings, teacher)
