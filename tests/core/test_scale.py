"""Training from streamed shards: faults counted by kind, the same samples in the same order whatever is killed, and
two processes that do what one does."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter

import numpy as np
import pytest
import torch
from accelerate.state import AcceleratorState
from safetensors.torch import load_file

from tests.conftest import ROOT
from tests.core.git10m_rows import SIDE, write_git10m
from tests.core.official_layout import write_official_layout, write_stable_diffusion_layout
from text2earth_core import Text2EarthError
from text2earth_core.folder import load_scheduler, load_unet
from text2earth_core.training.encoding import Encoder
from text2earth_core.training.scale.algorithm import Algorithm1
from text2earth_core.training.scale.batches import Batches
from text2earth_core.training.scale.pretrain import Course, pretrain
from text2earth_core.training.scale.rows import Rows
from text2earth_core.training.scale.samples import Unusable, sample_of
from text2earth_core.training.scale.start import starting_unet

STEPS, BATCH = 50, 8


@pytest.fixture(scope="module", autouse=True)
def own_precision():
    """Accelerate keeps for a whole process what its first training chose, and other tests train in bfloat16."""
    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Folder of the tables, and how many rows are broken how."""
    folder = tmp_path_factory.mktemp("git10m")
    return folder, write_git10m(folder, 600, group=40)


def read_all(rows):
    """Faults of metadata and of images, over an epoch."""
    faults = Counter(rows.faults)
    for position, (place, row, image) in enumerate(rows.at(range(rows.count))):
        try:
            sample_of(row, image, place, SIDE, 0, position)
        except Unusable as reason:
            faults[str(reason)] += 1
    return faults


def test_faults_are_counted_by_kind(shards):
    folder, broken = shards
    rows = Rows(str(folder), buffer=100)
    assert read_all(rows) == broken
    assert len(broken) == 10
    assert rows.total == 600
    assert rows.count + rows.skipped == 600


def test_an_epoch_is_an_order_by_chance_that_can_be_entered_anywhere(shards):
    def places(rows, positions):
        return [place for place, _, _ in rows.at(positions)]

    rows = Rows(str(shards[0]), seed=3, buffer=100)
    first = places(rows, range(rows.count))
    assert len(set(first)) == rows.count
    second = places(rows, range(rows.count, 2 * rows.count))
    assert set(first) == set(second)
    assert sum(one == other for one, other in zip(first, second, strict=True)) < 20
    again = Rows(str(shards[0]), seed=3, buffer=100)
    assert places(again, range(137, 222)) == first[137:222]
    assert places(again, [rows.count + 5]) == [second[5]]
    assert places(Rows(str(shards[0]), seed=4, buffer=100), range(20)) != first[:20]


def test_the_second_stage_takes_good_images_alone(shards):
    rows, all_rows = Rows(str(shards[0]), quality=4.8), Rows(str(shards[0]))
    assert {row.quality for _, row, _ in rows.at(range(rows.count))} == {5.0}
    assert rows.faults["below the quality asked for"] == all_rows.count - rows.count > 100


def test_processes_share_a_batch_without_gap_or_overlap(shards):
    rows = Rows(str(shards[0]), buffer=100)
    whole = Batches(rows, SIDE, 16, 0, 1, seed=0).part(32)
    parts = [Batches(Rows(str(shards[0]), buffer=100), SIDE, 16, rank, 2, seed=0).part(32) for rank in range(2)]
    for one, other in zip(whole.samples, [*parts[0].samples, *parts[1].samples], strict=True):
        assert one.text == other.text
        assert torch.equal(one.noise, other.noise)
        assert torch.equal(one.pixels, other.pixels)
    assert torch.equal(whole.weights, torch.cat([part.weights for part in parts]))


@pytest.mark.parametrize("version", [1, 2])
def test_a_widened_unet_begins_by_saying_what_it_said(tmp_path, version):
    """Whatever stands in the new channels, and whatever the level."""
    folder = write_stable_diffusion_layout(tmp_path, 4, version)
    old, new = load_unet(folder), starting_unet(folder)
    assert new.config.in_channels == 9
    latents, text = torch.randn(2, 4, 8, 8), torch.randn(2, 16, 32)
    with torch.no_grad():
        said = old(latents, torch.tensor(500), text).sample
        wide = torch.cat([latents, torch.randn(2, 5, 8, 8)], 1)
        again = new(wide, torch.tensor(500), text, class_labels=torch.tensor([17.0, 0.0])).sample
    torch.testing.assert_close(said, again, rtol=1e-5, atol=1e-6)


def command(folder, out, model, *launch):
    arguments = ["--data", folder, "--out", out, "--start", model, "--samples", STEPS * BATCH, "--batch", BATCH,
                 "--micro", 2, "--window", SIDE, "--buffer", 100, "--warmup", 80]  # fmt: skip
    program = [sys.executable, *(launch or ["-m"])]
    return [*map(str, [*program, "app.cli", "train", "scale", *arguments])]


def losses(out):
    lines = (out / "runs" / "scale" / "metrics.jsonl").read_text().splitlines()
    return {line["samples"]: line["loss"] for line in map(json.loads, lines)}


@pytest.fixture(scope="module")
def alone(tmp_path_factory, shards, tiny_folder):
    """Folder of an uninterrupted run of one process, and what it reports."""
    out = tmp_path_factory.mktemp("scale") / "alone"
    course = Course(STEPS * BATCH, BATCH, 2, window=SIDE, warmup=80, buffer=100)
    return out, pretrain(str(shards[0]), out, start=tiny_folder, course=course)


def test_it_learns_and_reports(alone, shards, tiny_folder):
    """On the same windows and noise it is nearer to the truth than where it began."""
    out, found = alone
    assert len(losses(out)) == STEPS
    encoder, scheduler = Encoder(tiny_folder, any_autoencoder=True), load_scheduler(tiny_folder)
    algorithm = Algorithm1(encoder, scheduler, torch.device("cpu"))
    part = Batches(Rows(str(shards[0]), buffer=100), SIDE, 64, 0, 1, seed=9).part(0)
    with torch.no_grad():
        before, after = (algorithm.losses(load_unet(folder), part) for folder in (tiny_folder, out))
    assert ((after < before) & (part.weights > 0)).sum() > 0.8 * part.weights.sum()
    assert found["rows"] == 600
    seen = sum(found["faults"].values())
    assert (
        found["faults"].items()
        >= {
            reason: count for reason, count in shards[1].items() if "image" not in reason and "sea" not in reason
        }.items()
    )
    assert seen <= 30
    assert found["samples_per_second"] > 0
    assert 0 < found["model_flop_utilisation"] < 1


def test_two_processes_do_what_one_does(alone, shards, tiny_folder, tmp_path):
    config = ROOT / "text2earth_core" / "training" / "scale" / "two-cpus.yaml"
    launch = ["-m", "accelerate.commands.launch", "--config_file", config, "--main_process_port", "0", "-m"]
    done = subprocess.run(
        command(shards[0], tmp_path / "two", tiny_folder, *launch),
        cwd=ROOT, capture_output=True, text=True, timeout=600, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    one, two = losses(alone[0]), losses(tmp_path / "two")
    assert one.keys() == two.keys()
    assert max(abs(one[at] - two[at]) for at in one) < 1e-4
    counted = json.loads((tmp_path / "two" / "runs" / "scale" / "faults.json").read_text())
    assert counted["faults"] == alone[1]["faults"]


def test_a_killed_run_goes_on_with_the_same_samples(alone, shards, tiny_folder, tmp_path):
    """Bit for bit the weights of the run that nobody killed."""
    out = tmp_path / "killed"
    metrics = out / "runs" / "scale" / "metrics.jsonl"
    running = subprocess.Popen(
        [*command(shards[0], out, tiny_folder), "--save-minutes", "0"],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    at = int(np.random.default_rng().integers(3, 30))
    while running.poll() is None and not (metrics.is_file() and metrics.read_text().count("\n") >= at):
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert running.returncode == -signal.SIGKILL
    course = Course(STEPS * BATCH, BATCH, 2, window=SIDE, warmup=80, buffer=100)
    found = pretrain(str(shards[0]), out, start=tiny_folder, course=course)
    assert found["faults"] == alone[1]["faults"]
    assert losses(out) == losses(alone[0])
    weights = [load_file(next((folder / "unet").glob("*.safetensors"))) for folder in (out, alone[0])]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[1])


def test_what_cannot_be_is_told(shards, tmp_path, tiny_folder):
    course = Course(16, batch=9, micro=2, window=SIDE)
    with pytest.raises(Text2EarthError, match="multiple of 2"):
        pretrain(str(shards[0]), tmp_path / "out", start=tiny_folder, course=course)
    with pytest.raises(Text2EarthError, match="no parquet files"):
        Rows(str(tmp_path))
    write_git10m(tmp_path / "bad", 20, share=1.0, tables=1)
    with pytest.raises(Text2EarthError, match=r"No row of .* can be used: below"):
        Rows(str(tmp_path / "bad"), quality=9.0)


def test_the_official_layout_trains_and_stops_where_the_loss_is_no_number(shards, tmp_path):
    folder = write_official_layout(tmp_path / "official", 9)
    course = Course(2 * BATCH, BATCH, 4, window=SIDE, buffer=100)
    found = pretrain(str(shards[0]), tmp_path / "out", start=folder, course=course)
    assert np.isfinite(found["loss"])
    before = (tmp_path / "out" / "runs" / "scale" / "checkpoint" / "tensors.safetensors").read_bytes()
    wild = Course(20 * BATCH, BATCH, 4, rate=1e20, warmup=0, window=SIDE, buffer=100)
    with pytest.raises(Text2EarthError, match=r"not a number in the batch after \d+ samples"):
        pretrain(str(shards[0]), tmp_path / "out", start=folder, course=wild)
    assert (tmp_path / "out" / "runs" / "scale" / "checkpoint" / "tensors.safetensors").read_bytes() == before
