"""Phrases for land whose class is known, by which words are told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from sklearn.linear_model import LogisticRegression

from text2earth_core.alignment import AlignmentTowers
from text2earth_core.data.captions import CLASSES
from text2earth_core.data.landscape import LANDSCAPE
from text2earth_core.networks.tokens import split_words
from text2earth_core.training.words.encoder import SentenceEncoder
from text2earth_core.training.words.vocabulary import Vocabulary

NEAREST = 3
"""Anchors of a class whose mean cosine is its score, so that one odd neighbour does not decide."""


@dataclass(frozen=True)
class Anchors:
    """Phrases for land with the class of each and their vectors (N, D)."""

    phrases: list[str]
    classes: list[str]
    vectors: np.ndarray

    @cached_property
    def judge(self) -> LogisticRegression:
        """Tells the classes apart by all anchors together, where the nearest ones alone may be odd."""
        return LogisticRegression(C=10, max_iter=500).fit(self.vectors, self.classes)

    def classes_of(self, words: np.ndarray) -> tuple[list[str], np.ndarray]:
        """The class of each word's vector (N, D), by the nearest anchors and the judge in equal parts, and the mean
        cosine (N,) to the `NEAREST` of whichever class lies nearest.
        """
        names, labels, cosines = self.judge.classes_, np.array(self.classes), words @ self.vectors.T
        near = np.stack([np.sort(cosines[:, labels == name])[:, -NEAREST:].mean(1) for name in names], 1)
        both = _even(near) + _even(self.judge.decision_function(words))
        return [str(names[i]) for i in both.argmax(1)], near.max(1)

    def lands(self, words: np.ndarray, others: np.ndarray) -> np.ndarray:
        """How much each word's vector (N, D) is as the anchors are, and not as words at random (M, D), around 0 (N,).

        Some of those are land as well, which moves where 0 lies and not which word comes before which.
        """
        return told_apart(self.vectors, others).decision_function(words)


def told_apart(ours: np.ndarray, others: np.ndarray) -> LogisticRegression:
    """What says whether a vector is one of ours (N, D), and not of others (M, D)."""
    told = [True] * len(ours) + [False] * len(others)
    judge = LogisticRegression(C=3, class_weight="balanced", max_iter=500)
    return judge.fit(np.concatenate([ours, others]), told)


def anchors_of(encoder: SentenceEncoder, classes: Iterable[str], vocabulary: Vocabulary) -> Anchors:
    """The wordings of some classes, the everyday words for them, and of these the sense nearest to the class."""
    pairs = [(bare(text), name) for name in classes for text in (*CLASSES[name], *LANDSCAPE.get(name, ()))]
    pairs = list(dict.fromkeys(pairs))
    phrases, names = [text for text, _ in pairs], [name for _, name in pairs]
    vectors = encoder.embed_words(phrases)
    senses = [
        (i, sense.text)
        for i, text in enumerate(phrases) if vocabulary.explains(text) for sense in vocabulary.senses[text]
    ]  # fmt: skip
    if not senses:
        return Anchors(phrases, names, vectors)
    of, labels = [i for i, _ in senses], np.array(names)
    read = encoder.embed_words([phrases[i] for i in of], encoder.embed([text for _, text in senses]))
    middles = {name: vectors[labels == name].mean(0) for name in set(names)}
    best: dict[int, tuple[float, int]] = {}
    for row, i in enumerate(of):
        best[i] = max(best.get(i, (-2.0, row)), (float(read[row] @ middles[names[i]]), row))
    rows = [row for _, row in best.values()]
    return Anchors(
        phrases + [phrases[i] for i in best], names + [names[i] for i in best], np.concatenate([vectors, read[rows]])
    )


def understood_wordings(towers: AlignmentTowers, classes: Sequence[str], known: frozenset[str]) -> dict[str, list[str]]:
    """Of each class the wordings in known words by which the model itself finds that class, without their article."""
    middles, found = towers.embed_classes(classes), {}
    for index, name in enumerate(classes):
        texts = [bare(text) for text in CLASSES[name]]
        nearest = (towers.embed_texts(texts) @ middles.T).argmax(1)
        pairs = zip(texts, nearest, strict=True)
        found[name] = [text for text, best in pairs if best == index and known.issuperset(split_words(text))]
    return {name: texts for name, texts in found.items() if texts}


def bare(text: str) -> str:
    """A wording without its article, for the word that it stands for may have its own."""
    return re.sub(r"^(a|an|the|several|many) ", "", text)


def _even(scores: np.ndarray) -> np.ndarray:
    """Scores (N, classes) around 0 for each word, and of variance 1 over all."""
    return (scores - scores.mean(1, keepdims=True)) / max(float(scores.std()), 1e-6)
