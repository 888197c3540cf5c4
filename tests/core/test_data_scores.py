"""Captions are scored as the COCO tools score them, with Java and without it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.app.command_line import run
from text2earth_core.data.scores.metrics import METRICS, OWN, STANFORD, score
from text2earth_core.data.scores.tokens import split
from text2earth_core.errors import Text2EarthError

CAPTIONS = Path(__file__).parent / "data" / "scored_captions.json"
"""50 images with one candidate and two or three references each, invented for this test."""

FIGURES = {
    "bleu_1": 0.72598, "bleu_2": 0.47165, "bleu_3": 0.25793, "bleu_4": 0.13083, "meteor": 0.32395, "rouge_l": 0.43663,
    "cider": 1.84895,
}  # fmt: skip
"""What pycocoevalcap 1.2 says of them: PTBTokenizer of stanford-corenlp-3.4.1.jar, METEOR 1.5, on OpenJDK 17."""

NOT_RUN = "it is a Java program, and there is no Java here"


def captions() -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    both = json.loads(CAPTIONS.read_text("utf-8"))
    return both["references"], both["candidates"]


def test_without_java_the_figures_are_those_of_the_reference_tools() -> None:
    found = score(*captions(), java=None)
    for name in ("bleu_1", "bleu_2", "bleu_3", "bleu_4", "rouge_l", "cider"):
        assert found[name] == pytest.approx(FIGURES[name], abs=1e-4), name
    assert (found["images"], found["tokens"]) == (50, OWN)
    assert found["not_run"] == {"meteor": NOT_RUN, "spice": NOT_RUN}
    assert found["meteor"] is found["spice"] is None


@pytest.mark.skipif(shutil.which("java") is None, reason="METEOR is a Java program")
def test_with_java_meteor_is_there_too(tmp_path: Path) -> None:
    references, candidates = captions()
    (tmp_path / "r.json").write_text(json.dumps(references | {"more": ["A lake."]}))
    (tmp_path / "c.json").write_text(json.dumps(candidates))
    done = run("data", "score", tmp_path / "r.json", tmp_path / "c.json", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {name: found[name] for name in FIGURES} == pytest.approx(FIGURES, abs=1e-4)
    assert found["tokens"] == STANFORD
    assert set(METRICS) <= set(found)
    assert "1 images with references have no candidate" in done.stderr
    assert list(found["not_run"]) == ([] if found["spice"] is not None else ["spice"])
    if found["spice"] is None:
        assert "spice was not run: it needs stanford-corenlp-3.6.0.jar" in done.stderr


@pytest.mark.parametrize(
    ("caption", "tokens"),
    [
        ('It\'s a farm; there\'s a "round" lake (left), isn\'t it?',
         "it 's a farm there 's a round lake -lrb- left -rrb- is n't it"),
        ("The farmers' fields can't be seen, cannot be reached.",
         "the farmers fields ca n't be seen can not be reached"),
        ("About 3,000 trees, 25% bare, 1.5 km² of water... and 10-12 houses.",
         "about 3,000 trees 25 % bare 1.5 km ² of water and 10-12 houses"),
        ("A well-planned, U.S.-style town e.g. near St. Louis. The end",
         "a well-planned u.s.-style town e.g. near st. louis the end"),
        ("roads/paths and grey–green parts — or not", "roads/paths and grey green parts or not"),
        ("$5 at 12:30 p.m. on 3/4 of it, 5 ft. wide etc.", "$ 5 at 12:30 p.m. on 3/4 of it 5 ft. wide etc."),
        ("1990s '90s O'Brien it’s 30°C, ½ [of] {it} -",
         "1990s '90s o'brien it 's 30 ° c 1/2 -lsb- of -rsb- -lcb- it -rcb-"),
        ("", ""),
    ],
)  # fmt: skip
def test_tokens_are_those_of_stanfords_program(caption: str, tokens: str) -> None:
    """Right sides: what stanford-corenlp-3.4.1.jar printed, without what the COCO tools call punctuation."""
    assert " ".join(split(caption)) == tokens


def test_a_perfect_caption_has_the_highest_figures_and_a_foreign_one_the_lowest() -> None:
    references = {"a": ["a river between green fields"], "b": ["a white house on a hill"], "c": ["ships in a port"]}
    best = score(references, references, java=None)
    worst = score(references, {image: ["nothing"] for image in references}, java=None)
    assert best["bleu_4"] == pytest.approx(1)
    assert best["rouge_l"] == pytest.approx(1)
    assert worst["cider"] == worst["rouge_l"] == 0
    assert worst["bleu_1"] < 1e-6
    assert score(references, {"a": [""]}, java=None)["bleu_1"] < 1e-6


def test_a_java_that_does_not_run_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "java"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    found = score(*captions(), java=str(broken))
    assert found["tokens"] == OWN
    assert found["bleu_1"] == pytest.approx(FIGURES["bleu_1"], abs=1e-4)
    assert found["not_run"]["meteor"].startswith("it failed")


@pytest.mark.parametrize(
    ("references", "candidates", "words"),
    [
        ({"a": ["x"]}, {}, "There are no candidates"), ({"a": ["x"]}, {"b": ["x"]}, '"b" has no references'),
        ({"a": []}, {"a": ["x"]}, '"a" has no references'), ({"a": ["x"]}, {"a": ["x", "y"]}, "has 2 sentences"),
        ({"a": "x"}, {"a": ["x"]}, 'no list of sentences for "a"'), (["x"], {"a": ["x"]}, "no names of images"),
    ],
)  # fmt: skip
def test_mistakes_are_one_sentence(tmp_path: Path, references: Any, candidates: Any, words: str) -> None:
    (tmp_path / "r.json").write_text(json.dumps(references))
    (tmp_path / "c.json").write_text(json.dumps(candidates))
    done = run("data", "score", tmp_path / "r.json", tmp_path / "c.json")
    assert (done.returncode, words in done.stderr) == (1, True), done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_references_without_words_are_told() -> None:
    with pytest.raises(Text2EarthError, match="No reference has a word"):
        score({"a": ["", "."], "b": [" "]}, {"a": ["A lake."], "b": ["A wood."]}, java=None)


def test_a_file_that_is_no_json_is_told(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("{")
    assert "cannot be read as JSON" in run("data", "score", tmp_path / "r.json", tmp_path / "r.json").stderr
