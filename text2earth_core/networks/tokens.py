"""Prompts as tokens: training the vocabulary, and telling users what of a prompt counts."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import CLIPTokenizer

from text2earth_core.errors import Text2EarthError

WORDS_FILE = "words.txt"
"""Beside the tokenizer: the words that its model has seen in training, one a line."""


@dataclass(frozen=True)
class PromptReport:
    """What the model makes of a prompt.

    tokens, limit: length in tokens and the longest that fits (end marks not counted). cut: the text past the limit.
    unknown: words that never occurred in training (empty for a model that does not list its words). taken: (word, what
    it is taken as) for words that did not either, but are put into known ones first.
    """

    tokens: int
    limit: int
    cut: str
    unknown: tuple[str, ...]
    taken: tuple[tuple[str, str], ...] = ()


def train_tokenizer(texts: Iterable[str], length: int, size: int = 2500) -> CLIPTokenizer:
    """Train a byte-level BPE vocabulary in CLIP's conventions.

    The full byte alphabet is always part of it, so that a character never seen in training becomes bytes and not an
    end mark in mid-prompt.

    Args:
        length: tokens of a padded prompt, both end marks included.
        size: about how many tokens the vocabulary may hold.
    """
    plain = CLIPTokenizer().backend_tokenizer
    learner = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    learner.normalizer, learner.pre_tokenizer = plain.normalizer, plain.pre_tokenizer
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    learner.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=size,
            min_frequency=3,
            initial_alphabet=alphabet,
            # Given as special tokens, the last letters of words get fixed ids, and ties are always broken alike.
            special_tokens=[letter + "</w>" for letter in alphabet],
            end_of_word_suffix="</w>",
            show_progress=False,
        ),
    )
    merges = [tuple(pair) for pair in _merges(learner)]
    pieces = alphabet + [letter + "</w>" for letter in alphabet] + ["".join(pair) for pair in merges]
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    for mark in ("<|startoftext|>", "<|endoftext|>"):
        vocabulary[mark] = len(vocabulary)
    return CLIPTokenizer(vocabulary, merges, model_max_length=length)


def _merges(tokenizer: Tokenizer) -> list[list[str]]:
    pairs = json.loads(tokenizer.to_str())["model"]["merges"]
    return [pair.split(" ") if isinstance(pair, str) else pair for pair in pairs]


def count_words(texts: Iterable[str], at_least: int = 2) -> list[str]:
    """Return the words that occur at least so often, sorted."""
    counts = Counter(word for text in texts for word in split_words(text))
    return sorted(word for word, count in counts.items() if count >= at_least)


def split_words(text: str) -> list[str]:
    """Lower-case words of a text, letters and digits only."""
    return re.findall(r"[^\W_]+", text.lower())


def load_words(folder: Path) -> frozenset[str]:
    """Read the list of seen words beside a tokenizer; a model without one yields an empty set."""
    path = Path(folder) / WORDS_FILE
    try:
        return frozenset(path.read_text(encoding="utf-8").split()) if path.is_file() else frozenset()
    except (OSError, ValueError):
        raise Text2EarthError(f"{path} is not text in UTF-8: the model folder is damaged.") from None


def save_words(folder: Path, tokenizer: CLIPTokenizer, words: frozenset[str]) -> None:
    """Write a tokenizer, and the list of seen words beside it."""
    tokenizer.save_pretrained(folder)
    if words:
        (folder / WORDS_FILE).write_text("\n".join(sorted(words)) + "\n", encoding="utf-8")


def check_prompt(tokenizer: CLIPTokenizer, words: frozenset[str], text: str) -> PromptReport:
    """Report the length of a prompt, what does not fit, and which words the model has never seen."""
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    offsets = encoded["offset_mapping"]
    limit = tokenizer.model_max_length - 2
    cut = text[offsets[limit][0] :].strip() if len(offsets) > limit else ""
    unknown = tuple(dict.fromkeys(word for word in split_words(text) if word not in words)) if words else ()
    return PromptReport(len(offsets), limit, cut, unknown)
