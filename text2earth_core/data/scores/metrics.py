"""The metrics themselves, computed by the COCO tools (pycocoevalcap); what cannot run here is named.

BLEU, ROUGE-L and CIDEr are Python. METEOR is a Java program that comes with the tools; SPICE is one too, and needs
Stanford CoreNLP 3.6.0 with its models beside it, which the tools would fetch from the network: they are used where they
are, and never fetched.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from text2earth_core.data.scores.tokens import split
from text2earth_core.errors import Text2EarthError, reason_of

METRICS = ("bleu_1", "bleu_2", "bleu_3", "bleu_4", "meteor", "rouge_l", "cider", "spice")

STANFORD, OWN = "Stanford PTBTokenizer", "Penn Treebank rules without Java"
"""Which one made the tokens."""

_MODELS = ("stanford-corenlp-3.6.0.jar", "stanford-corenlp-3.6.0-models.jar")

Sentences = Mapping[str, Sequence[str]]
Tokens = dict[str, list[str]]


def score(references: Sentences, candidates: Sentences, java: str | None = shutil.which("java")) -> dict[str, Any]:
    """How near one sentence of each image comes to its references.

    Args:
        references: image: its sentences. candidates: image: its one sentence; only images that have one are looked at,
            as CIDEr also weighs words by how many of the images' references have them.
        java: the program, None where there is none.

    Returns:
        `METRICS`, None for what was not run; "images"; "tokens", who made them; "not_run" {metric: reason}.

    Raises:
        Text2EarthError: there is no candidate, one has no references or not one sentence, or no reference has a word.
    """
    _check(references, candidates)
    made_by, wanted, given = _tokens({image: references[image] for image in candidates}, candidates, java)
    if not any(tokens for several in wanted.values() for tokens in several):
        raise Text2EarthError("No reference has a word in it: there is nothing to compare with.")
    found: dict[str, Any] = dict.fromkeys(METRICS)
    found |= _in_python(wanted, given)
    not_run: dict[str, str] = {}
    for name, run in (("meteor", _meteor), ("spice", _spice)):
        reason = _missing(name, java)
        if reason is None:
            try:
                found[name] = run(wanted, given)
            except (OSError, ValueError, subprocess.SubprocessError) as error:
                reason = f"it failed ({reason_of(error)})"
        if reason is not None:
            not_run[name] = reason
    return found | {"images": len(given), "tokens": made_by, "not_run": not_run}


def _check(references: Sentences, candidates: Sentences) -> None:
    if not candidates:
        raise Text2EarthError("There are no candidates: give a sentence for one image at least.")
    for image, sentences in candidates.items():
        if not references.get(image):
            raise Text2EarthError(f'The candidates\' image "{image}" has no references.')
        if len(sentences) != 1:
            raise Text2EarthError(f'The candidates\' image "{image}" has {len(sentences)} sentences: give it one.')


def _in_python(wanted: Tokens, given: Tokens) -> dict[str, float]:
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    bleu, _ = Bleu(4).compute_score(wanted, given, verbose=0)
    named = {f"bleu_{number}": float(value) for number, value in enumerate(bleu, start=1)}
    rouge, _ = Rouge().compute_score(wanted, given)
    cider, _ = Cider().compute_score(wanted, given)
    return named | {"rouge_l": float(rouge), "cider": float(cider)}


def _tokens(references: Sentences, candidates: Sentences, java: str | None) -> tuple[str, Tokens, Tokens]:
    """Who made them, and the tokens of each sentence with spaces between them."""
    if java is not None:
        try:
            return STANFORD, _by_stanford(references), _by_stanford(candidates)
        except (OSError, ValueError):  # a Java that does not run, or a folder that nobody may write to
            pass
    return OWN, _by_rules(references), _by_rules(candidates)


def _by_rules(several: Sentences) -> Tokens:
    return {image: [" ".join(split(sentence)) for sentence in sentences] for image, sentences in several.items()}


def _by_stanford(several: Sentences) -> Tokens:
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    lines = {  # it takes one line for one sentence
        image: [{"caption": " ".join(sentence.split())} for sentence in sentences]
        for image, sentences in several.items()
    }
    made: Tokens = PTBTokenizer().tokenize(lines)
    if {image: len(sentences) for image, sentences in made.items()} != {
        image: len(sentences) for image, sentences in several.items()
    }:
        raise ValueError("it lost a sentence")
    return made


def _missing(name: str, java: str | None) -> str | None:
    """Why a program of Java cannot run, None where it can."""
    if java is None:
        return "it is a Java program, and there is no Java here"
    models = _folder() / "spice" / "lib"
    lacking = [model for model in _MODELS if not (models / model).is_file()]
    if name == "spice" and lacking:
        return f"it needs {' and '.join(lacking)} of Stanford CoreNLP in {models}"
    return None


def _folder() -> Path:
    found = importlib.util.find_spec("pycocoevalcap")
    assert found is not None  # it is declared
    assert found.submodule_search_locations is not None
    return Path(next(iter(found.submodule_search_locations)))


def _meteor(wanted: Tokens, given: Tokens) -> float:
    from pycocoevalcap.meteor.meteor import Meteor

    program = Meteor()
    try:  # its protocol has three bars between sentences
        found, _ = program.compute_score(
            *(_each(several, lambda s: s.replace("|||", "")) for several in (wanted, given))
        )
    finally:
        if program.lock.locked():  # it forgets to after an error, and would wait for ever when it ends
            program.lock.release()
    return float(found)


def _spice(wanted: Tokens, given: Tokens) -> float:
    from pycocoevalcap.spice.spice import Spice

    return float(Spice().compute_score(wanted, given)[0])


def _each(several: Tokens, change: Callable[[str], str]) -> Tokens:
    return {image: [change(sentence) for sentence in sentences] for image, sentences in several.items()}
