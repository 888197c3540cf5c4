"""Everyday words for land, learned from a general sentence encoder: what each is taken as in words the model knows.

A word is given the wording of a class that the encoder puts nearest to it, by way of anchors (the wordings themselves
and `text2earth_core.data.landscape`), or else a known word that means nearly the same. The text encoder is not touched.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from text2earth_core.alignment import AlignmentTowers
from text2earth_core.data.landscape import LANDSCAPE
from text2earth_core.errors import Text2EarthError
from text2earth_core.networks.lexicon import Lexicon
from text2earth_core.networks.tokens import split_words
from text2earth_core.training.words.anchors import anchors_of, told_apart, understood_wordings
from text2earth_core.training.words.encoder import SentenceEncoder, unit
from text2earth_core.training.words.vocabulary import Kind, Sense, Vocabulary, plural_of

NEAR = 0.5
"""Mean cosine to the nearest anchors of a class from which a word counts as one for land: of the anchors, asked without
themselves, nine in ten reach it, and most names of people and ideas do not."""

LIKELY = 0.4
"""Cosine to the nearest anchor, read in one setting alone, under which a word is not looked at further."""

LAND = {Kind.NOUN: -2.0, Kind.ADJECTIVE: -1.0, Kind.COMPOUND: 1.0}
"""How sure it must be that a word is for land and no other thing, where there are other words enough to tell by: of the
anchors, asked without themselves, 95 in 100 are as sure as a noun must be. The less is known of a word the surer."""

SHARE = {Kind.NOUN: 0.3, Kind.ADJECTIVE: 0.5, Kind.COMPOUND: 1.0}
"""Of all that a word means that must be land, or a gown would be a university, and level ground mountains: 98 of 100
anchors' nouns reach it."""

DENIED = re.compile("(un|non).+|.+less")
"""Adjectives that say what is not there lie near it, and are not taken as land: treeless."""

NAME = 1.0
"""How sure it must be that a compound is a name, such as Kirkland, for it to be left out."""

OTHERS = 3000
"""Senses of the vocabulary, spread over it, against which land is told, and names against words."""

ALIKE = 0.75
"""Cosine to a known word from which any other word counts as meaning the same, such as gigantic and huge."""

STEP = 256
"""Words between two calls for progress."""

Progress = Callable[[str, int, int], None]


def learn_words(
    towers: AlignmentTowers,
    known: frozenset[str],
    encoder: SentenceEncoder,
    vocabulary: Vocabulary,
    teacher: str,
    progress: Progress = lambda what, done, total: None,
) -> Lexicon:
    """What the unseen words among a vocabulary are taken as; words that are near nothing known are left out.

    Args:
        towers: of the model. known: the words that it has seen often enough. vocabulary: the anchors' words are added.
        teacher: the encoder's name, to be noted.

    Raises:
        Text2EarthError: the model does not list its words.
    """
    if not known:
        raise Text2EarthError("This model does not say which words it has seen: train its text encoder here first.")
    wordings = understood_wordings(towers, sorted(LANDSCAPE), known)
    anchors = anchors_of(encoder, wordings, vocabulary)
    vectors_of = {
        name: anchors.vectors[[anchors.phrases.index(text) for text in texts]] for name, texts in wordings.items()
    }
    own = {text: name for name in wordings for text in LANDSCAPE[name] if split_words(text) == [text]}
    unseen = sorted(word for word in {*vocabulary.senses, *own} - known if split_words(word) == [word])
    senses = [sense for word in unseen for sense in vocabulary.senses.get(word) or [Sense(word, word)]]
    heads = [sense.head for sense in senses]
    alone = encoder.embed(heads, lambda done: progress("Reading words", done, len(heads)))
    meant = encoder.embed([sense.text for sense in senses], lambda done: progress("Reading senses", done, len(heads)))
    meant[[sense.word == sense.text for sense in senses]] = 0  # read alone, nothing is known of it
    nouns = [i for i, sense in enumerate(senses) if sense.kind is Kind.NOUN]
    spread = nouns[:: max(1, len(nouns) // OTHERS)]
    others = encoder.embed_words([heads[i] for i in spread], meant[spread])
    likely = (unit(alone + meant) @ anchors.vectors.T).max(1) >= LIKELY
    chosen = [i for i, sense in enumerate(senses) if likely[i] or sense.word in own]
    read = np.empty((len(chosen), alone.shape[1]), np.float32)
    for start in range(0, len(chosen), STEP):
        part = chosen[start : start + STEP]
        read[start : start + STEP] = encoder.embed_words([heads[i] for i in part], meant[part])
        progress("Learning words for land", start + len(part), len(chosen))
    classes, scores = anchors.classes_of(read)
    land = anchors.lands(read, others) if len(others) >= OTHERS else np.full(len(read), np.inf)
    fits = [score >= NEAR and sure >= LAND[senses[i].kind] for i, score, sure in zip(chosen, scores, land, strict=True)]
    doubted = _doubted([senses[i] for i in chosen], fits, vocabulary) | _names(encoder, senses, alone, vocabulary)
    taken: dict[str, tuple[float, str]] = {}
    for i, vector, name, score, fit in zip(chosen, read, classes, scores, fits, strict=True):
        word = senses[i].word
        if (word in own or (fit and word not in doubted)) and score > taken.get(word, (-1.0, ""))[0]:
            texts = wordings[own.get(word, name)]
            taken[word] = score, texts[int((vectors_of[own.get(word, name)] @ vector).argmax())]
    found = _synonyms(encoder, senses, alone, meant, known, vocabulary) | {
        word: wording for word, (_, wording) in taken.items()
    }
    return Lexicon(_with_plurals(found, vocabulary, known), teacher)


def _doubted(senses: Sequence[Sense], fits: Sequence[bool], vocabulary: Vocabulary) -> set[str]:
    """Words of which less than a `SHARE` of all meanings are land, and adjectives that deny it."""
    right = Counter((sense.word, sense.kind) for sense, fit in zip(senses, fits, strict=True) if fit)
    sure = {
        word
        for (word, kind), count in right.items()
        if vocabulary.share(word, kind, count) >= SHARE[kind]
        and not (kind is Kind.ADJECTIVE and DENIED.fullmatch(word))
    }
    return {word for word, _ in right} - sure


def _names(
    encoder: SentenceEncoder, senses: Sequence[Sense], alone: np.ndarray, vocabulary: Vocabulary
) -> set[str]:  # fmt: skip
    """Compounds that are names by their sound, told by the names and the words of the vocabulary."""
    asked = [i for i, sense in enumerate(senses) if sense.kind is Kind.COMPOUND]
    if not (asked and vocabulary.names):
        return set()
    common = [i for i, sense in enumerate(senses) if sense.kind is not Kind.COMPOUND]
    names = sorted(vocabulary.names)
    spread = [names[i] for i in range(0, len(names), max(1, len(names) // OTHERS))]
    others = alone[common[:: max(1, len(common) // OTHERS)]]
    sure = told_apart(encoder.embed(spread), others).decision_function(alone[asked])
    return {senses[i].word for i, name in zip(asked, sure, strict=True) if name >= NAME}


def _synonyms(
    encoder: SentenceEncoder,
    senses: Sequence[Sense],
    alone: np.ndarray,
    meant: np.ndarray,
    known: frozenset[str],
    vocabulary: Vocabulary,
) -> dict[str, str]:
    """Of each word that means nearly the same as a known one, that known word: by its letters alone a cutter cuts.

    Of adjectives it must be among those of the same meaning, since thirteen is near twelve, and rimless near rim, and
    this of `SHARE` of their senses. Compounds are near their parts and mean something else.
    Misspellings of captions explain nothing: only what the encoder has as a whole word does.
    """
    common = sorted(word for word in known.intersection(encoder.own_words()) if len(word) > 2)
    if not common:
        return {}
    vectors = encoder.embed(common)
    found: dict[str, list[str]] = {}
    place = {word: i for i, word in enumerate(common)}
    for sense, vector, meaning in zip(senses, alone, meant, strict=True):
        if sense.kind is Kind.COMPOUND:
            continue
        cosines = vectors @ vector
        if sense.kind is Kind.ADJECTIVE:
            places = [place[word] for word in sense.alike if word in place]
        else:
            places = [int(cosines.argmax())] if cosines.max() >= ALIKE else []
        best = max(places, key=lambda i: cosines[i], default=None)
        if best is not None and (not meaning.any() or vectors[best] @ meaning >= NEAR):
            found.setdefault(sense.word, []).append(common[best])
    adjectives = {sense.word for sense in senses if sense.kind is Kind.ADJECTIVE}
    return {
        word: texts[-1]
        for word, texts in found.items()
        if word not in adjectives or vocabulary.share(word, Kind.ADJECTIVE, len(texts)) >= SHARE[Kind.ADJECTIVE]
    }


def _with_plurals(found: dict[str, str], vocabulary: Vocabulary, known: frozenset[str]) -> dict[str, str]:
    """A lexicon with the plurals of its nouns, and of known nouns, which are taken as their singular.

    Only words that a sense is known of are nouns for sure.
    """
    wordings = {word: word for word in known} | found
    nouns = [word for word in wordings if vocabulary.explains(word) and not word.endswith("s")]
    nouns = [word for word in nouns if any(sense.kind is Kind.NOUN for sense in vocabulary.senses[word])]
    plurals = {plural_of(word): wordings[word] for word in nouns}
    new = plurals.keys() - known - vocabulary.senses.keys()
    return {word: plurals[word] for word in new} | found
