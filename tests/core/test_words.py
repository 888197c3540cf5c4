"""Unseen words are taken as known ones: named rightly, said, and nothing else of the model changes."""

import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel

from app.work import SHIPPED_MODEL, make_request, prompt_notes
from canvas.prompt_json import reworded
from canvas.scene import Scene
from tests.app.command_line import result, run
from text2earth_core import Text2Earth, Text2EarthError
from text2earth_core.alignment import load_towers
from text2earth_core.data.captions import CLASSES, clean
from text2earth_core.data.landscape import LANDSCAPE
from text2earth_core.folder import fingerprints
from text2earth_core.networks.lexicon import EMPTY, LEXICON_FILE, Lexicon, load_lexicon
from text2earth_core.networks.tokens import load_words, split_words
from text2earth_core.sampling.settings import Sampling
from text2earth_core.training.words import read_vocabulary
from text2earth_core.training.words.vocabulary import Kind, Sense, plural_of

HOUSES = ("residential", "dense residential", "medium residential")
HELD_OUT = {
    "copse": ("forest",), "thicket": ("forest", "chaparral"), "timberland": ("forest",), "pinewood": ("forest",),
    "treetops": ("forest",), "arable land": ("farmland",), "ploughed acres": ("farmland",),
    "vegetable plots": ("farmland",), "barley": ("farmland",), "plantation": ("farmland", "permanent crop"),
    "vineyard": ("permanent crop", "farmland"), "orchard": ("permanent crop", "farmland"),
    "pastureland": ("pasture", "meadow"), "paddock": ("pasture", "meadow", "farmland"), "turfgrass": ("meadow",),
    "bog": ("wetland",), "fen": ("wetland",), "peatland": ("wetland",), "mangroves": ("wetland", "forest"),
    "sahara": ("desert",), "sandy wilderness": ("desert",), "dunefield": ("desert",), "alps": ("mountain",),
    "cliffs": ("mountain",), "a craggy summit": ("mountain",), "highlands": ("mountain",), "volcano": ("mountain",),
    "seashore": ("beach",), "shoreline with surfers": ("beach",), "seafront": ("beach",), "lagoon": ("lake", "pond"),
    "loch": ("lake",), "reservoirs": ("lake",), "creek": ("river",), "rivulet": ("river",), "canal": ("river",),
    "waterhole": ("pond",), "jetty": ("port",), "shipyard": ("port",), "quayside": ("port",),
    "ferry": ("ship", "port"), "trawler": ("ship",), "warship": ("ship",), "aerodrome": ("airport", "runway"),
    "airliner": ("airplane", "airport"), "jets": ("airplane", "airport"), "airstrip": ("runway", "airport"),
    "footbridge": ("bridge",), "aqueduct": ("bridge", "viaduct"), "expressway": ("freeway", "highway"),
    "autobahn": ("freeway", "highway"), "railroad": ("railway station",), "locomotives": ("railway station",),
    "garage for automobiles": ("parking",), "steelworks": ("industrial",), "foundry": ("industrial",),
    "skyscraper district": ("commercial",), "supermarket": ("commercial",), "slum": HOUSES[:2], "tenements": HOUSES,
}  # fmt: skip
"""Everyday words and phrasings that no list of the training has, with the class of each; where two classes of the data
sets are the same ground under other names (freeway and highway), either is right."""


@pytest.fixture(scope="module")
def shipped():
    """The towers, the words that they have seen, and the lexicon of the shipped model."""
    known = load_words(SHIPPED_MODEL / "tokenizer")
    return load_towers(SHIPPED_MODEL), known, load_lexicon(SHIPPED_MODEL, known)


@pytest.fixture(scope="module")
def worded_folder(tiny_folder, tmp_path_factory):
    """The tiny model with a lexicon of one word, and two words that it knows."""
    folder = shutil.copytree(tiny_folder, tmp_path_factory.mktemp("worded") / "tiny")
    words = "forest desert"
    (folder / "tokenizer" / "words.txt").write_text("\n".join(words.split()) + "\n")
    Lexicon({"copse": "forest"}, "somebody").save(folder)
    return folder


def shares(shipped, lexicon):
    towers, _, _ = shipped
    names = sorted(CLASSES)
    vectors = towers.embed_texts([lexicon.worded(text) for text in HELD_OUT])
    found = [names[i] for i in (vectors @ towers.embed_classes(names).T).argmax(1)]
    return np.mean([name in right for name, right in zip(found, HELD_OUT.values(), strict=True)])


def test_listed_words_are_named_rightly_and_held_out_ones_are_none_of_them(shipped):
    towers, known, lexicon = shipped
    names = sorted(CLASSES)
    listed = [(word, name) for name, texts in LANDSCAPE.items() for word in texts if word in lexicon.wordings]
    vectors = towers.embed_texts([lexicon.worded(word) for word, _ in listed])
    found = [names[i] for i in (vectors @ towers.embed_classes(names).T).argmax(1)]
    assert len(listed) > 100
    assert np.mean([name == own for name, (_, own) in zip(found, listed, strict=True)]) > 0.95
    assert len(HELD_OUT) == 60
    assert shares(shipped, EMPTY) < 0.2, "without a lexicon these words say nothing"
    unseen = {word for text in HELD_OUT for word in split_words(text)} - known
    assert not unseen & {word for texts in LANDSCAPE.values() for text in texts for word in split_words(text)}


@pytest.mark.needs_data
def test_captions_of_known_words_stay_and_all_together_hardly_move(shipped, training_data):
    towers, known, lexicon = shipped
    rows = pq.read_table(training_data / "rsicd.parquet", columns=["captions", "split"]).to_pylist()
    texts = Counter(clean(text) for row in rows if row["split"] == "train" for text in row["captions"])
    moved = [text for text in texts if lexicon.worded(text) != text]
    assert not any(known.issuperset(split_words(text)) for text in moved)
    both = (towers.embed_texts(list(wordings)) for wordings in (moved, map(lexicon.worded, moved)))
    change = np.linalg.norm(np.subtract(*both), axis=1)  # of vectors of length 1
    assert change @ [texts[text] for text in moved] / texts.total() < 0.01


def test_only_unseen_words_are_replaced_and_the_fingerprint_stays(worded_folder, tiny_folder):
    bare = shutil.copytree(worded_folder, worded_folder.with_name("bare"))
    (bare / LEXICON_FILE).unlink()
    assert fingerprints(worded_folder) == fingerprints(bare)
    model, before = Text2Earth.from_pretrained(worded_folder, "cpu"), Text2Earth.from_pretrained(bare, "cpu")
    options = {"steps": 1, "seed": 3, "resolution": 1.0}
    for text in ("forest", "Desert, 2 forests; xyzzy"):
        assert model.lexicon.worded(text) is text or model.lexicon.worded(text) == text
        np.testing.assert_array_equal(*(one.generate(text, **options)[0] for one in (model, before)))
    (taken,), (plain,) = model.generate("a Copse", **options), before.generate("a forest", **options)
    np.testing.assert_array_equal(taken, plain)
    assert (np.asarray(taken) != np.asarray(before.generate("a copse", **options)[0])).any()
    assert model.lexicon.worded("17_GOOGLE_LEVEL_copse") == "17_GOOGLE_LEVEL_forest"
    report = model.check_prompt("a copse by a lagoon")
    assert report.taken == (("copse", "forest"),)
    assert report.unknown == ("a", "by", "lagoon")
    assert prompt_notes(model, "copse", 1.0) == ["Taken as: copse → forest."]


def test_a_copy_of_the_model_keeps_the_lexicon(worded_folder, tmp_path):
    model = Text2Earth.from_pretrained(worded_folder, "cpu")
    model.save_pretrained(tmp_path)
    assert load_lexicon(tmp_path, model.words) == model.lexicon
    Text2Earth.from_preset("tiny", seed=0).save_pretrained(tmp_path)
    assert not (tmp_path / LEXICON_FILE).exists(), "that of a model which stood here before"


def test_a_scene_records_what_the_model_was_asked(worded_folder, tmp_path):
    model = Text2Earth.from_pretrained(worded_folder, "cpu")
    with Scene.create(tmp_path / "a.t2e", 1.0) as scene:
        made = make_request(scene, model, (0, 0, 64, 64), "a copse", Sampling(negative_prompt="copse", seed=1))
        plain = make_request(scene, model, (0, 0, 64, 64), "a forest", Sampling(negative_prompt="forest", seed=1))
    assert made == plain
    prompts = [{"text": "copse", "feather": 8}, {"text": None}, {}]
    assert reworded(prompts, model.lexicon.worded) == [{"text": "forest", "feather": 8}, {"text": None}, {}]
    assert prompts[0]["text"] == "copse"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "damaged"),
        ('{"version": 1, "teacher": "", "words": []}', "damaged"),
        ('{"version": 1, "teacher": "", "words": {"two words": "forest"}}', "damaged"),
        ('{"version": 1, "teacher": "", "words": {"copse": 3}}', "damaged"),
        ('{"version": 2, "teacher": "", "words": {}}', "update the program"),
        ('{"version": 1, "teacher": "", "words": {"forest": "desert"}}', "another model"),
        ('{"version": 1, "teacher": "", "words": {"copse": "wood"}}', "another model"),
        (" " * 3_000_001, "damaged"),
    ],
)
def test_a_lexicon_that_does_not_fit_is_refused(tmp_path, content, says):
    (tmp_path / LEXICON_FILE).write_text(content)
    with pytest.raises(Text2EarthError, match=says):
        load_lexicon(tmp_path, frozenset({"forest", "desert"}))


@pytest.fixture(scope="module")
def sentence_encoder(tmp_path_factory) -> Path:
    """A small random BERT that knows letters, in the layout of all-MiniLM-L6-v2."""
    folder = tmp_path_factory.mktemp("encoder") / "letters"
    letters = "abcdefghijklmnopqrstuvwxyz"
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *(f"##{letter}" for letter in letters), "lagoon"]
    tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 16}
    BertModel(BertConfig(vocab_size=len(pieces), **sizes)).save_pretrained(folder)
    return folder


def test_a_lexicon_is_learned_and_leaves_every_weight_as_it_was(sentence_encoder, tmp_path):
    folder, vocabulary = shutil.copytree(SHIPPED_MODEL, tmp_path / "model"), tmp_path / "words.txt"
    vocabulary.write_text("lagoon\nforest\nco-op\nTarn\n")
    before = fingerprints(folder)
    found = result("train", "words", "--out", folder, "--encoder", sentence_encoder, "--vocabulary", vocabulary)
    assert fingerprints(folder) == before
    known = load_words(folder / "tokenizer")
    lexicon = load_lexicon(folder, known)
    assert len(lexicon.wordings) == found["words"]
    assert lexicon.teacher == "letters"
    assert lexicon.wordings["tarn"] in CLASSES["lake"] + tuple(text.removeprefix("a ") for text in CLASSES["lake"])
    assert "forest" not in lexicon.wordings
    archive = shutil.make_archive(str(tmp_path / "letters"), "zip", sentence_encoder)
    again = result("train", "words", "--out", folder, "--encoder", archive, "--vocabulary", vocabulary)
    assert again["words"] == found["words"]
    stored = json.loads((folder / LEXICON_FILE).read_text())
    assert stored["words"] == dict(lexicon.wordings)
    (tmp_path / "empty").mkdir()
    wrong = run("train", "words", "--out", folder, "--encoder", tmp_path / "empty")
    assert wrong.returncode == 1
    assert "cannot be loaded as a sentence encoder" in wrong.stderr


NOUNS = """\
  1 This software and database is being provided to you, the LICENSEE
00001000 14 n 02 bosket 0 small_grove 0 001 @ 00002000 n 0000 | a clump of bushes; "they hid in the bosket"
00002000 15 n 01 Ruritania 0 001 @i 00003000 n 0000 | a country in a novel
00002500 15 n 01 Gobi 0 002 @i 00005000 n 0000 #p 00002000 n 0000 | a desert in Asia
00003000 06 n 02 weir 0 mill_dam 0 001 @ 00004000 n 0000 | a low dam across a stream
00003500 17 n 01 water_hole 0 001 @ 00004000 n 0000 | a natural hole with water
00004000 18 n 02 forester 0 weir 0 001 @ 00005000 n 0000 | someone who looks after woods
00005000 15 n 01 desert 0 001 @ 00003000 n 0000 | arid land
"""
ADJECTIVES = "00006000 00 s 02 arable(a) 0 cultivable 0 001 & 00007000 a 0000 | capable of being farmed\n"


def test_wordnet_is_read_as_what_may_be_land_and_lists_beside_it_as_compounds(tmp_path):
    (tmp_path / "data.noun").write_text(NOUNS)
    (tmp_path / "data.adj").write_text(ADJECTIVES)
    found = read_vocabulary(tmp_path)
    assert {word: [sense.text for sense in senses] for word, senses in found.senses.items()} == {
        "bosket": ["bosket, small grove: a clump of bushes"],
        "gobi": ["Gobi: a desert in Asia"],
        "weir": ["weir, mill dam: a low dam across a stream"],
        "waterhole": ["water hole: a natural hole with water"],
        "desert": ["desert: arid land"],
        "arable": ["arable, cultivable: capable of being farmed"],
        "cultivable": ["cultivable, arable: capable of being farmed"],
    }
    assert found.names == {"ruritania", "gobi"}
    assert found.share("weir", Kind.NOUN, 1) == 0.5
    assert {sense.kind for sense in found.senses["arable"]} == {Kind.ADJECTIVE}
    words = tmp_path / "words.txt"
    words.write_text("Desertweir\nboskets ruritania\nweirdesertx\nforester\nweirboskets\n")
    both = read_vocabulary(tmp_path, words)
    new = {word: both.senses[word] for word in both.senses.keys() - found.senses.keys()}
    assert new == {
        "desertweir": [Sense("desertweir", "desertweir: desert weir", Kind.COMPOUND)],
        "weirboskets": [Sense("weirboskets", "weirboskets: weir boskets", Kind.COMPOUND)],
    }


def test_lists_of_words_are_read_with_what_they_say(tmp_path):
    (tmp_path / "words.txt").write_text("Tarn\ta lake in mountains\nTARN\ta stain\nweir\n")
    found = read_vocabulary(tmp_path / "words.txt")
    assert [sense.text for sense in found.senses["tarn"]] == ["tarn: a lake in mountains", "tarn: a stain"]
    assert found.senses["weir"] == [Sense("weir", "weir")]
    assert found.explains("tarn")
    assert not found.explains("weir")
    (tmp_path / "data.noun").write_text("no line of WordNet\n")
    for wrong in (tmp_path, tmp_path / "absent"):
        with pytest.raises(Text2EarthError, match="cannot be read as a list of words"):
            read_vocabulary(wrong)


def test_nouns_are_learned_with_their_plurals(sentence_encoder, tmp_path):
    folder, words = shutil.copytree(SHIPPED_MODEL, tmp_path / "model"), tmp_path / "words.txt"
    words.write_text("tarn\ta lake in mountains\nreservoir\ta lake behind a dam\nabbey\n")
    result("train", "words", "--out", folder, "--encoder", sentence_encoder, "--vocabulary", words)
    wordings = load_lexicon(folder, load_words(folder / "tokenizer")).wordings
    assert wordings["tarns"] == wordings["tarn"]
    assert wordings["reservoirs"] == "reservoir", "a known noun"
    assert "abbey" in wordings
    assert "abbeys" not in wordings, "of this word nothing is known"
    assert [plural_of(noun) for noun in ("ferry", "bay", "marsh", "fen")] == ["ferries", "bays", "marshes", "fens"]


def test_the_shipped_lexicon_is_wide_and_takes_no_name_as_land(shipped):
    lexicon = shipped[2]
    assert shares(shipped, lexicon) >= 0.8
    assert len(lexicon.wordings) > 1000
    assert (SHIPPED_MODEL / LEXICON_FILE).stat().st_size < 500_000
    names = "england london napoleon monday shakespeare europe january microsoft happiness software trousers"
    names += " gown platform crown thirteen uninhabited roadless america"
    assert [word for word in names.split() if word in lexicon.wordings] == []
