"""Packs: small files that a machine without network trains from, killed and resumed, into weights that load."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file

from text2earth_core import Text2Earth, Text2EarthError
from text2earth_core.data import pack as packing
from text2earth_core.data.corpus import load_corpus
from text2earth_core.data.pack import LADDER, Setting, encode_row, pack, size_of
from text2earth_core.training.loop import prefetch
from text2earth_core.training.progressive import ShardedObjective, train_progressive

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    Text2Earth.from_preset("tiny", seed=0).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def packed(few_images, tiny_model, tmp_path_factory):
    out = tmp_path_factory.mktemp("packs") / "pack"
    return out, pack(few_images, tiny_model, out, megabytes=50)


def test_with_room_enough_a_pack_holds_the_same_images(packed, few_images):
    out, found = packed
    assert found["stored"] == "as they are"
    ours, theirs = load_corpus(out), load_corpus(few_images)
    assert found["images"] == len(ours) == len(theirs)
    assert 0 < len(load_corpus(out, "val")) <= 4 * packing.HELD_BACK
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a.pixels, b.pixels)
        assert (a.label, a.captions, a.resolution, a.source) == (b.label, b.captions, b.resolution, b.source)


def test_a_pack_keeps_the_frozen_parts_byte_by_byte(packed, tiny_model):
    for part in ("vae", "text_encoder", "tokenizer"):
        for path in (tiny_model / part).iterdir():
            assert (packed[0] / "model" / part / path.name).read_bytes() == path.read_bytes()


def test_a_small_budget_shrinks_the_images_and_a_smaller_one_is_refused(few_images, tiny_model, tmp_path):
    parts = sum(size_of(tiny_model / part) for part in ("vae", "text_encoder", "tokenizer"))
    megabytes = parts / 1e6 + 0.09
    found = pack(few_images, tiny_model, tmp_path / "pack", megabytes)
    assert found["stored"] != "as they are"
    assert size_of(tmp_path / "pack") <= megabytes * 1e6
    with pytest.raises(Text2EarthError, match="allow more"):
        pack(few_images, tiny_model, tmp_path / "less", parts / 1e6 + 0.001)
    assert not (tmp_path / "less").exists()
    with pytest.raises(Text2EarthError, match="not empty"):
        pack(few_images, tiny_model, tmp_path / "pack", 50)
    with pytest.raises(Text2EarthError, match="lacks vae"):
        pack(few_images, tmp_path, tmp_path / "other", 50)


def test_shrunk_images_carry_their_true_resolution(few_images):
    row = pq.read_table(few_images / "rsicd.parquet").to_pylist()[0] | {"source": "rsicd", "place": "Row 0"}
    small = encode_row(row, Setting(side=32, quality=50))
    assert small["resolution"] == 4 * row["resolution"]  # 128 px became 32
    assert len(small["image"]["bytes"]) < len(row["image"]["bytes"])
    tiny = row | {"image": {"bytes": small["image"]["bytes"]}, "resolution": None}
    assert encode_row(tiny, Setting(side=32, quality=100))["image"]["bytes"] == small["image"]["bytes"]


def test_no_file_of_a_pack_is_larger_than_its_limit(few_images, tmp_path, monkeypatch):
    limit = 100_000  # two of the images
    monkeypatch.setattr(packing, "SHARD_BYTES", limit)
    rows = [row for row in packing.read_rows(few_images, "rsicd") if row["split"] == "train"]
    packing.write_shards(tmp_path, "rsicd", rows, Setting())
    sizes = [path.stat().st_size for path in tmp_path.glob("rsicd-*.parquet")]
    assert len(sizes) > 4
    assert max(sizes) <= limit
    assert len(load_corpus(tmp_path, files=["rsicd"])) == 16


def test_files_that_cannot_be_small_are_refused(few_images, tiny_model, tmp_path, monkeypatch):
    monkeypatch.setattr(packing, "SHARD_BYTES", 1000)
    with pytest.raises(Text2EarthError, match="larger than 16 MiB"):
        pack(few_images, tiny_model, tmp_path / "pack", megabytes=50)


def test_the_ladder_leads_downwards():
    sizes = [(s.side or 10**6, s.quality or 10**6) for s in LADDER]
    assert sizes == sorted(sizes, reverse=True)


def test_one_command_trains_both_stages_after_a_kill_too(packed, tmp_path):
    out = tmp_path / "run"
    command = [
        sys.executable, "-m", "app.cli", "train", "progressive", "--data", str(packed[0]), "--out", str(out),
        "--minutes", "0.06", "--batch", "16", "--device", "cpu", "--json",
    ]  # fmt: skip
    killed = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    state = out / "runs" / "diffusion" / "checkpoint" / "state.json"
    while killed.poll() is None and not state.is_file():  # until the first stage is over
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    before = json.loads(state.read_text())
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    assert result["samples"] > before["samples"] > 0
    assert result["minutes"] >= 0.06
    model = Text2Earth.from_pretrained(out, device="cpu")
    assert model.facts.samples == result["samples"]
    assert model.generate("forest", steps=2, size=64)[0].size == (64, 64)


def test_stages_share_the_time_and_a_spent_budget_trains_no_more(packed, tmp_path):
    first = train_progressive(packed[0], tmp_path, minutes=0.03, batch=16, device="cpu")
    again = train_progressive(packed[0], tmp_path, minutes=0.03, batch=16, device="cpu")
    assert again["samples"] == first["samples"]
    more = train_progressive(packed[0], tmp_path, minutes=first["minutes"] + 0.05, batch=16, device="cpu")
    assert more["samples"] > first["samples"]
    with pytest.raises(Text2EarthError, match="more than zero"):
        train_progressive(packed[0], tmp_path, minutes=0)


def test_parts_without_facts_need_a_preset_that_they_fit(packed, tmp_path):
    shutil.copytree(packed[0], tmp_path / "pack")
    (tmp_path / "pack" / "model" / "text2earth.json").unlink()
    with pytest.raises(Text2EarthError, match="--preset"):
        train_progressive(tmp_path / "pack", tmp_path / "out", minutes=0.03, batch=16, device="cpu")
    with pytest.raises(Text2EarthError, match="has width 32"):
        train_progressive(tmp_path / "pack", tmp_path / "out", minutes=0.03, preset="mini", device="cpu")


def test_an_interrupted_copy_of_the_parts_is_made_whole(packed, tmp_path):
    shutil.copytree(packed[0] / "model" / "vae", tmp_path / "vae")
    (tmp_path / "parts.new" / "tokenizer").mkdir(parents=True)
    packing.copy_parts(packed[0] / "model", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*packing.FROZEN_PARTS, "text2earth.json"}
    assert (tmp_path / "tokenizer" / "tokenizer.json").is_file()


def test_an_image_larger_than_a_file_of_a_pack_is_refused(few_images, tmp_path, monkeypatch):
    monkeypatch.setattr(packing, "SHARD_BYTES", 10_000)
    with pytest.raises(Text2EarthError, match="store it smaller"):
        packing.write_shards(tmp_path, "rsicd", packing.read_rows(few_images, "rsicd"), Setting())


def test_weights_in_shards_are_the_same_weights(packed, tmp_path):
    for part in packing.FROZEN_PARTS:
        shutil.copytree(packed[0] / "model" / part, tmp_path / part)
    from text2earth_core.networks.presets import get_preset

    objective = ShardedObjective(get_preset("tiny"), tmp_path, load_corpus(packed[0]), 64)
    objective.shard_size = "1MB"
    objective.export(objective.trainable, tmp_path, 16)
    files = sorted((tmp_path / "unet").glob("*.safetensors"))
    assert len(files) > 1
    assert max(path.stat().st_size for path in files) < 2**20
    assert {tensor.dtype for path in files for tensor in load_file(path).values()} == {torch.bfloat16}
    loaded = Text2Earth.from_pretrained(tmp_path, device="cpu", dtype="float32").unet.state_dict()
    for name, tensor in objective.trainable.state_dict().items():
        torch.testing.assert_close(loaded[name], tensor.to(torch.bfloat16).float(), rtol=0, atol=0)


def test_batches_come_in_order_from_several_threads():
    def make(at):
        time.sleep(0.002 * (at % 3))
        if at == 40:
            raise ValueError("no more")
        return at

    batches = prefetch(make, 10, 2, workers=3)
    assert [next(batches) for _ in range(15)] == list(range(10, 40, 2))
    with pytest.raises(ValueError, match="no more"):
        next(batches)
