"""Everyday words for land, learned from a general sentence encoder: what each is taken as in words the model knows.

A word is given the wording of a class that the encoder puts nearest to it, by way of anchors (the wordings themselves
and `text2earth_core.data.landscape`), or else a known word that means nearly the same. The text encoder is not touched.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

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

LAND = -2.0
"""How sure it must be that a word is for land and no other thing, where there are other words enough to tell by: of the
anchors, asked without themselves, 95 in 100 are."""

OTHERS = 3000
"""Senses of the vocabulary, spread over it, against which land is told."""

ALIKE = 0.75
"""Cosine to a known word from which any other word counts as meaning the same, such as gigantic and huge."""

NEAREST = 3
"""Anchors of a class whose mean cosine is its score, so that one odd neighbour does not decide."""

PLACE_FILES = ("15", "17")
LAND_FILES = ("06", "14", "19", "20", "27", *PLACE_FILES)
"""WordNet's lexicographer files in which land is: artefacts, groups (of trees), phenomena, plants, substances, places
and natural objects; of the last two, two words such as water hole may be written as one."""

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

    def embed_words(self, words: Sequence[str], meanings: np.ndarray | None = None) -> np.ndarray:
        """Unit vectors float32 (N, D): the middle of both settings, and of as much of the meanings (N, D) if given."""
        plain, above = (self.embed([setting.format(word) for word in words]) for setting in (PLAIN, SEEN_FROM_ABOVE))
        both = plain + above
        return _unit(both if meanings is None else both + 2 * meanings)


def read_vocabulary(path: Path) -> dict[str, list[str]]:
    """Words in small letters, and of each the senses that are known, such as "fen, marsh: low-lying wet land".

    Args:
        path: text file with a word a line, and after a tab what it means, if that is known; several lines for a word
            are its senses. Or a folder of WordNet, `dict`, of which `LAND_FILES` are read.

    Raises:
        Text2EarthError: it cannot be read.
    """
    found: dict[str, list[str]] = {}
    try:
        if path.is_dir():
            for word, sense in _wordnet((path / "data.noun").read_text(encoding="utf-8").splitlines()):
                found.setdefault(word, []).append(sense)
            if not found:
                raise ValueError("its data.noun lists no nouns for land")
            return found
        for line in path.read_text(encoding="utf-8").lower().splitlines():
            words, _, meaning = line.partition("\t")
            for word in words.split():
                found.setdefault(word, []).extend([f"{word}: {meaning.strip()}"] if meaning.strip() else [])
    except (OSError, ValueError, IndexError) as error:
        raise Text2EarthError(f"{path} cannot be read as a list of words: {reason_of(error)}.") from None
    return found


def _wordnet(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(word, sense) of the common nouns in WordNet's data.noun that may be land, one word each and two words as one.

    Names have a capital letter there, and are left out: most of them are places, which no picture of land is meant by.
    """
    for line in lines:
        if line.startswith(" "):  # the licence
            continue
        data, _, gloss = line.partition(" | ")
        fields = data.split()
        if fields[1] not in LAND_FILES:
            continue
        meaning = re.split('; "', gloss)[0].strip()  # without its examples
        lemmas = [fields[4 + 2 * index].replace("_", " ") for index in range(int(fields[3], 16))]
        for lemma in lemmas:
            if re.fullmatch("[a-z]{3,}" + "( [a-z]{3,})?" * (fields[1] in PLACE_FILES), lemma):
                alike = ", ".join([lemma, *(other for other in lemmas if other != lemma)])
                yield lemma.replace(" ", ""), f"{alike}: {meaning}"


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

    def lands(self, words: np.ndarray, others: np.ndarray) -> np.ndarray:
        """How much each word's vector (N, D) is as the anchors are, and not as words at random (M, D), around 0 (N,).

        Some of those are land as well, which moves where 0 lies and not which word comes before which.
        """
        told = [True] * len(self.phrases) + [False] * len(others)
        judge = LogisticRegression(C=3, class_weight="balanced", max_iter=500)
        return judge.fit(np.concatenate([self.vectors, others]), told).decision_function(words)


def anchors_of(
    encoder: SentenceEncoder, classes: Iterable[str], vocabulary: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> Anchors:
    """The wordings of some classes, the everyday words for them, and of these the sense nearest to the class."""
    pairs = [(bare(text), name) for name in classes for text in (*CLASSES[name], *LANDSCAPE.get(name, ()))]
    pairs = list(dict.fromkeys(pairs))
    phrases, names = [text for text, _ in pairs], [name for _, name in pairs]
    vectors = encoder.embed_words(phrases)
    senses = [(i, sense) for i, text in enumerate(phrases) for sense in vocabulary.get(text, ())]
    if not senses:
        return Anchors(phrases, names, vectors)
    of, labels = [i for i, _ in senses], np.array(names)
    read = encoder.embed_words([phrases[i] for i in of], encoder.embed([sense for _, sense in senses]))
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


def learn_words(
    towers: AlignmentTowers,
    known: frozenset[str],
    encoder: SentenceEncoder,
    vocabulary: Mapping[str, Sequence[str]],
    teacher: str,
    seen: frozenset[str] = frozenset(),
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Lexicon:
    """What the unseen words among a vocabulary are taken as; words that are near nothing known are left out.

    Args:
        towers: of the model. known: the words that it has seen. vocabulary: words in small letters and their senses;
            those of the anchors are added. teacher: the encoder's name, to be noted.
        seen: further words that stay as they are, such as rare ones of captions.

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
    unseen = sorted(word for word in {*vocabulary, *own} - known - seen if split_words(word) == [word])
    senses = [(word, sense) for word in unseen for sense in vocabulary.get(word) or [word]]
    heads = [re.split("[,:]", sense)[0] for _, sense in senses]
    alone = encoder.embed(heads, lambda done: progress("Reading words", done, len(heads)))
    meant = encoder.embed([sense for _, sense in senses], lambda done: progress("Reading senses", done, len(heads)))
    meant[[word == sense for word, sense in senses]] = 0  # read alone, nothing is known of it
    spread = range(0, len(senses), max(1, len(senses) // OTHERS))
    others = encoder.embed_words([heads[i] for i in spread], meant[spread])
    likely = (_unit(alone + meant) @ anchors.vectors.T).max(1) >= NEAR
    chosen = [i for i, (word, _) in enumerate(senses) if likely[i] or word in own]
    read = np.empty((len(chosen), alone.shape[1]), np.float32)
    for start in range(0, len(chosen), BATCH):
        part = chosen[start : start + BATCH]
        read[start : start + BATCH] = encoder.embed_words([heads[i] for i in part], meant[part])
        progress("Learning words for land", start + len(part), len(chosen))
    land = anchors.lands(read, others) if len(others) >= OTHERS else np.full(len(read), np.inf)
    taken: dict[str, tuple[float, str]] = {}
    for i, vector, name, score, sure in zip(chosen, read, *anchors.classes_of(read), land, strict=True):
        word = senses[i][0]
        if (word in own or (score >= NEAR and sure >= LAND)) and score > taken.get(word, (-1.0, ""))[0]:
            texts = wordings[own.get(word, name)]
            taken[word] = score, texts[int((vectors_of[own.get(word, name)] @ vector).argmax())]
    found = _synonyms(encoder, senses, alone, meant, known) | {word: wording for word, (_, wording) in taken.items()}
    return Lexicon(_with_plurals(found, vocabulary, known, seen), teacher)


def _synonyms(
    encoder: SentenceEncoder,
    senses: Sequence[tuple[str, str]],
    alone: np.ndarray,
    meant: np.ndarray,
    known: frozenset[str],
) -> dict[str, str]:
    """Of each word that means nearly the same as a known one, that known word: by its letters alone a cutter cuts.

    Misspellings of captions explain nothing: only what the encoder has as a whole word does.
    """
    common = sorted(word for word in known.intersection(encoder.own_words()) if len(word) > 2)
    if not common:
        return {}
    vectors = encoder.embed(common)
    cosines = alone @ vectors.T
    best, most = cosines.argmax(1), cosines.max(1)
    fits = ((meant * vectors[best]).sum(1) >= NEAR) | ~meant.any(1)
    return {word: common[best[i]] for i, (word, _) in enumerate(senses) if most[i] >= ALIKE and fits[i]}


def _with_plurals(
    found: dict[str, str], vocabulary: Mapping[str, Sequence[str]], known: frozenset[str], seen: frozenset[str]
) -> dict[str, str]:
    """A lexicon with the plurals of its nouns, and of known nouns, which are taken as their singular.

    Only words that a sense is known of are nouns for sure.
    """
    wordings = {word: word for word in known} | found
    nouns = [word for word in wordings if vocabulary.get(word) and not word.endswith("s")]
    plurals = {plural_of(word): wordings[word] for word in nouns}
    new = plurals.keys() - known - seen - vocabulary.keys()
    return {word: plurals[word] for word in new} | found


def plural_of(noun: str) -> str:
    """Its regular plural."""
    if re.search("[^aeiou]y$", noun):
        return noun[:-1] + "ies"
    return noun + ("es" if re.search("(s|x|z|ch|sh)$", noun) else "s")


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _even(scores: np.ndarray) -> np.ndarray:
    """Scores (N, classes) around 0 for each word, and of variance 1 over all."""
    return (scores - scores.mean(1, keepdims=True)) / max(float(scores.std()), 1e-6)


def bare(text: str) -> str:
    """A wording without its article, for the word that it stands for may have its own."""
    return re.sub(r"^(a|an|the|several|many) ", "", text)
