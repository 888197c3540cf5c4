"""Everyday words for land, learned from a general sentence encoder: what each is taken as in words the model knows.

A word is given the wording of a class that the encoder puts nearest to it, by way of anchors (the wordings themselves
and `text2earth_core.data.landscape`), or else a known word that means nearly the same. The text encoder is not touched.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from tokenizers import Tokenizer
from torch.nn import functional as F
from transformers import AutoModel

from text2earth_core.alignment import AlignmentTowers
from text2earth_core.data.captions import CLASSES
from text2earth_core.data.corpus import read_rows, scene_sets
from text2earth_core.data.landscape import LANDSCAPE
from text2earth_core.device import pick_dtype
from text2earth_core.errors import Text2EarthError, reason_of
from text2earth_core.networks.lexicon import Lexicon
from text2earth_core.networks.tokens import split_words

PLAIN, SEEN_FROM_ABOVE = "{}", "an aerial photo of {}"
"""The two settings in which a word is read: alone, where its meaning is most its own, and where land is meant."""

NEAR = 0.5
"""Mean cosine to the nearest anchors of a class from which a word counts as one for land: of the anchors, asked without
themselves, nine in ten reach it, and most names of people and ideas do not."""

ALIKE = 0.75
"""Cosine to a known word from which any other word counts as meaning the same, such as gigantic and huge."""

NEAREST = 3
"""Anchors of a class whose mean cosine is its score, so that one odd neighbour does not decide."""

FILES = ("config.json", "model.safetensors", "tokenizer.json")
LENGTH = 32
BATCH = 256


class SentenceEncoder:
    """A BERT whose mean state is a sentence's vector, such as all-MiniLM-L6-v2.

    Args:
        source: folder with its `FILES`, or a zip of them.

    Raises:
        Text2EarthError: it is damaged, or lacks one.
    """

    def __init__(self, source: Path):
        try:
            if source.is_file():
                with TemporaryDirectory() as folder, zipfile.ZipFile(source) as archive:
                    for name in FILES:
                        (Path(folder) / name).write_bytes(archive.read(name))
                    self._load(Path(folder))
            else:
                self._load(source)
        except Exception as error:
            raise Text2EarthError(
                f"{source} cannot be loaded as a sentence encoder ({reason_of(error)}): give a folder or a zip that "
                f"holds {', '.join(FILES)}."
            ) from None

    def _load(self, folder: Path) -> None:
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(LENGTH)
        self.tokenizer.enable_padding()
        self.half = pick_dtype(torch.device("cpu")) is torch.bfloat16
        self.network = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True).eval().float()

    @torch.no_grad()
    def embed(self, texts: Sequence[str], progress: Callable[[int], None] = lambda done: None) -> np.ndarray:
        """Unit vectors float32 (N, D)."""
        order = np.argsort([len(text) for text in texts], kind="stable")
        found: np.ndarray | None = None
        for start in range(0, len(texts), BATCH):
            part = order[start : start + BATCH]
            encoded = self.tokenizer.encode_batch([texts[i] for i in part])
            ids, mask = (torch.tensor([getattr(one, name) for one in encoded]) for name in ("ids", "attention_mask"))
            with torch.autocast("cpu", torch.bfloat16, enabled=self.half):
                states = self.network(input_ids=ids, attention_mask=mask).last_hidden_state.float()
            vectors = F.normalize((states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True), dim=-1).numpy()
            found = np.empty((len(texts), vectors.shape[1]), np.float32) if found is None else found
            found[part] = vectors
            progress(min(start + BATCH, len(texts)))
        assert found is not None
        return found

    def own_words(self) -> list[str]:
        """The whole words of its vocabulary."""
        return [word for word in self.tokenizer.get_vocab() if re.fullmatch("[a-z]{3,}", word)]

    def embed_words(self, words: Sequence[str]) -> np.ndarray:
        """Unit vectors float32 (N, D): the middle of both settings."""
        both = sum(self.embed([setting.format(word) for word in words]) for setting in (PLAIN, SEEN_FROM_ABOVE))
        return both / np.linalg.norm(both, axis=1, keepdims=True)


def read_vocabulary(path: Path) -> list[str]:
    """The words of a text file, one a line, in small letters; Text2EarthError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8").lower().split()
    except (OSError, ValueError) as error:
        raise Text2EarthError(f"{path} cannot be read as a list of words: {reason_of(error)}.") from None


def caption_words(data: Path) -> frozenset[str]:
    """Every word of the training captions in a data folder, rare ones too; see `read_rows` for what is raised."""
    rows = (row for name in scene_sets(data) for row in read_rows(data, name) if row["split"] == "train")
    return frozenset(word for row in rows for caption in row["captions"] for word in split_words(caption))


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


def anchors_of(encoder: SentenceEncoder, classes: Iterable[str]) -> Anchors:
    """The wordings of some classes, and the everyday words for them."""
    pairs = [(bare(text), name) for name in classes for text in (*CLASSES[name], *LANDSCAPE.get(name, ()))]
    pairs = list(dict.fromkeys(pairs))
    phrases = [text for text, _ in pairs]
    return Anchors(phrases, [name for _, name in pairs], encoder.embed_words(phrases))


def understood_wordings(towers: AlignmentTowers, classes: Sequence[str], known: frozenset[str]) -> dict[str, list[str]]:
    """Of each class the wordings in known words by which the model itself finds that class, without their article."""
    middles, found = towers.embed_classes(classes), {}
    for index, name in enumerate(classes):
        texts = [bare(text) for text in CLASSES[name]]
        nearest = (towers.embed_texts(texts) @ middles.T).argmax(1)
        pairs = zip(texts, nearest, strict=True)
        found[name] = [text for text, best in pairs if best == index and known.issuperset(split_words(text))]
    return {name: texts for name, texts in found.items() if texts}


def learn_words(
    towers: AlignmentTowers,
    known: frozenset[str],
    encoder: SentenceEncoder,
    vocabulary: Iterable[str],
    teacher: str,
    seen: frozenset[str] = frozenset(),
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Lexicon:
    """What the unseen words among a vocabulary are taken as; words that are near nothing known are left out.

    Args:
        towers: of the model. known: the words that it has seen. vocabulary: words in small letters; those of the
            anchors are added. teacher: the encoder's name, to be noted.
        seen: further words that stay as they are, such as rare ones of captions.

    Raises:
        Text2EarthError: the model does not list its words.
    """
    if not known:
        raise Text2EarthError("This model does not say which words it has seen: train its text encoder here first.")
    wordings = understood_wordings(towers, sorted(LANDSCAPE), known)
    anchors = anchors_of(encoder, wordings)
    vectors_of = {
        name: anchors.vectors[[anchors.phrases.index(text) for text in texts]] for name, texts in wordings.items()
    }
    own = {text: name for name in wordings for text in LANDSCAPE[name] if split_words(text) == [text]}
    unseen = sorted(word for word in {*vocabulary, *own} - known - seen if split_words(word) == [word])
    plain = [PLAIN.format(word) for word in unseen]
    vectors = encoder.embed(plain, lambda done: progress("Reading words", done, len(plain)))
    likely = (vectors @ encoder.embed(anchors.phrases).T).max(1) >= NEAR
    common = sorted(word for word in known if len(word) > 2)
    words_known = encoder.embed(common)
    alike = vectors @ words_known.T
    synonyms = {
        word: common[best] for word, best, cosine in zip(unseen, alike.argmax(1), alike.max(1), strict=True)
        if cosine >= ALIKE
    }  # fmt: skip
    chosen = [word for word, near in zip(unseen, likely, strict=True) if near or word in own]
    taken: dict[str, str] = {}
    for start in range(0, len(chosen), BATCH):
        part = chosen[start : start + BATCH]
        read = encoder.embed_words(part)
        for word, vector, name, score in zip(part, read, *anchors.classes_of(read), strict=True):
            if word in own or score >= NEAR:
                texts = wordings[own.get(word, name)]
                taken[word] = texts[int((vectors_of[own.get(word, name)] @ vector).argmax())]
        progress("Learning words for land", min(start + BATCH, len(chosen)), len(chosen))
    return Lexicon(synonyms | taken, teacher)


def _even(scores: np.ndarray) -> np.ndarray:
    """Scores (N, classes) around 0 for each word, and of variance 1 over all."""
    return (scores - scores.mean(1, keepdims=True)) / max(float(scores.std()), 1e-6)


def bare(text: str) -> str:
    """A wording without its article, for the word that it stands for may have its own."""
    return re.sub(r"^(a|an|the|several|many) ", "", text)
