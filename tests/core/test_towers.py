"""The towers beside a text encoder: they learn while it stays locked, and what they know is measured."""

import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from text2earth_core import Text2Earth, Text2EarthError
from text2earth_core.alignment import Named, load_towers, towers_fingerprint, zero_shot
from text2earth_core.data.corpus import load_corpus
from text2earth_core.evaluation.plots import plot_bars
from text2earth_core.evaluation.zero_shot import measure_towers
from text2earth_core.folder import load_text
from text2earth_core.networks.towers import text_states, tokens
from text2earth_core.training.text import LockedTexts, train_text

SAID = {
    "forest": ["many green trees stand close together", "a dark piece of wood"],
    "desert": ["yellow sand with soft ripples", "this is a piece of dry land"],
    "beach": ["white waves run up the sand", "blue water beside a bright strip"],
    "farmland": ["fields in green and brown", "straight rows of plants"],
}


@pytest.fixture(scope="module")
def captioned(few_images, tmp_path_factory):
    """The few images, in several files, with two captions each."""
    folder = tmp_path_factory.mktemp("captioned")
    for path in few_images.glob("*.parquet"):
        rows = pq.read_table(path).to_pylist()
        rows = [row | {"captions": [f"{caption} ." for caption in SAID[row["label"]]]} for row in rows]
        pq.write_table(pa.Table.from_pylist(rows[::2]), folder / f"{path.stem}-00000.parquet")
        pq.write_table(pa.Table.from_pylist(rows[1::2]), folder / f"{path.stem}-00001.parquet")
    return folder


@pytest.fixture(scope="module")
def locked(captioned, tmp_path_factory):
    """A model folder whose towers were trained beside its text encoder, and that encoder's files before it."""
    out = tmp_path_factory.mktemp("model")
    Text2Earth.from_preset("tiny", seed=0).save_pretrained(out)
    before = contents(out)
    train_text("tiny", captioned, out, samples=96 * 30, locked=True)
    return out, before


def contents(out):
    files = [path for part in ("text_encoder", "tokenizer") for path in sorted((out / part).iterdir())]
    return {path.relative_to(out): path.read_bytes() for path in files}


def test_a_locked_text_encoder_stays_as_it_is_while_the_towers_learn(locked, captioned):
    out, before = locked
    assert contents(out) == before
    assert zero_shot(load_towers(out), load_corpus(captioned, "val", ["rsicd"])).accuracy > 0.9


def test_towers_go_on_where_they_stopped(locked, captioned, tmp_path):
    out = shutil.copytree(locked[0], tmp_path / "model")
    with pytest.raises(Text2EarthError, match="--resume"):
        train_text("tiny", captioned, out, samples=96 * 60, locked=True)
    found = train_text("tiny", captioned, out, samples=96 * 60, locked=True, resume=True)
    assert found["samples"] == 96 * 60
    lines = [json.loads(line) for line in (out / "runs" / "towers" / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] < lines[0]["loss"]
    assert towers_fingerprint(out) != towers_fingerprint(locked[0])


def test_what_the_towers_know_is_measured_by_data_set(locked, captioned):
    found = measure_towers(load_towers(locked[0]), captioned)
    assert set(found["zero_shot"]) == {"rsicd", "resisc", "rsscn7", "ucm"}  # and no EuroSAT, which is not there
    assert found["zero_shot"]["rsicd"]["images"] == 16
    assert all(row["trained_on"] for row in found["zero_shot"].values())
    assert found["captions"]["captions"] == 32
    assert found["captions"]["accuracy"] > 0.7
    assert set(found["by_class"]) == set(found["captions"]["by_class"]) == set(SAID)


def test_a_data_set_that_was_left_out_is_named_as_such(locked, captioned, few_images, tmp_path):
    out = tmp_path / "model"
    for part in ("text_encoder", "tokenizer"):
        shutil.copytree(locked[0] / part, out / part)
    train_text("tiny", few_images, out, samples=96, locked=True, without=["resisc"])
    found = measure_towers(load_towers(out), few_images)
    assert found["zero_shot"]["rsicd"]["trained_on"]
    assert not found["zero_shot"]["resisc"]["trained_on"]
    assert "missing" in found["captions"]


def test_training_refuses_what_it_cannot_do(captioned, tmp_path):
    with pytest.raises(Text2EarthError, match="no text encoder to lock"):
        train_text("tiny", captioned, tmp_path, samples=96, locked=True)
    for without in (["imagenet"], ["rsicd", "resisc", "rsscn7", "ucm"]):
        with pytest.raises(Text2EarthError, match="--without takes"):
            train_text("tiny", captioned, tmp_path, samples=96, without=without)


def test_towers_for_another_text_encoder_are_refused(locked, tmp_path):
    out = shutil.copytree(locked[0], tmp_path / "model")
    config = json.loads((out / "image_encoder" / "config.json").read_text())
    (out / "image_encoder" / "config.json").write_text(json.dumps(config | {"towers": {"states": 8}}))
    with pytest.raises(Text2EarthError, match="--lock-text"):
        load_towers(out)


def test_the_states_of_a_text_do_not_depend_on_its_padding(locked):
    tokenizer, encoder = load_text(locked[0])
    texts = ["sand", "a river between green banks with many trees"]
    with torch.no_grad():
        alone = torch.cat([text_states(encoder, tokens(tokenizer, [text])) for text in texts])
        together = text_states(encoder, tokens(tokenizer, texts))
    torch.testing.assert_close(alone, together, rtol=1e-4, atol=1e-5)
    remembered = LockedTexts(tokenizer, encoder, texts)
    torch.testing.assert_close(remembered.address(texts), together, rtol=1e-4, atol=1e-5)


def test_shares_by_class_and_their_plot():
    named = Named(["lake", "lake", "forest"], ["lake", "forest", "forest"])
    assert named.accuracy == pytest.approx(2 / 3)
    assert named.by_class() == {"forest": 1.0, "lake": 0.5}
    svg = plot_bars({"images": named.by_class(), "captions": {"lake": 0.25}}, "share")
    assert svg.startswith("<svg")
    assert "lake" in svg
    assert 'href="http' not in svg
