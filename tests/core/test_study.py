"""A study of augmentation: made in parts, gone on after a kill, told with intervals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.app.command_line import ROOT, run
from text2earth_core import Text2EarthError
from text2earth_core.study.augmentation import mean, study_augmentation, table_of
from text2earth_core.study.backbones import NAMES, build
from text2earth_core.study.plan import Plan, read_copies
from text2earth_core.study.training import Pixels, accuracy, train

TINY = (
    "--small",
    "--real",
    "8:2,4:3",
    "--network",
    "ResNet-18",
    "--network",
    "ViT-B/16",
    "--seeds",
    "2",
    "--steps",
    "2",
)


def command(few_images, out, tiny_folder):
    return [
        "study",
        "augmentation",
        "--data",
        few_images,
        "--report",
        out,
        "--model",
        tiny_folder,
        "--device",
        "cpu",
        *TINY,
    ]


def test_a_killed_study_goes_on_where_it_was(few_images, tiny_folder, tmp_path):
    out = tmp_path / "study"
    arguments = [str(one) for one in command(few_images, out, tiny_folder)]
    killed = subprocess.Popen([sys.executable, "-m", "app.cli", *arguments], cwd=ROOT, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 600
    while not (out / "results.json").is_file() and killed.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    before = json.loads((out / "results.json").read_text())
    images = {path.name: path.stat().st_mtime_ns for path in (out / "images").glob("*.png")}
    assert len(images) == 8 * 2 + 4  # the third copies of the first four
    done = run(*command(few_images, out, tiny_folder), "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    after = json.loads((out / "results.json").read_text())
    assert after[: len(before)] == before
    assert len(after) == 2 * 2 * 2 * 2
    assert {path.name: path.stat().st_mtime_ns for path in (out / "images").glob("*.png")} == images
    assert [(row["network"], row["real"], row["copies"]) for row in found["table"]] == [
        ("ResNet-18", 8, 2), ("ResNet-18", 4, 3), ("ViT-B/16", 8, 2), ("ViT-B/16", 4, 3),
    ]  # fmt: skip
    page = (out / "report.html").read_text()
    assert "from scratch" in page
    assert page.count("<svg") == 2
    assert 'src="http' not in page
    other = run(*command(few_images, out, tiny_folder), "--steps", "3")
    assert other.returncode == 1
    assert "a study whose steps is 2" in other.stderr
    narrow = [*command(few_images, out, tiny_folder)[:-8], "--network", "ViT-B/16", "--seeds", "1", "--steps", "2"]
    part = run(*narrow, "--json")
    assert part.returncode == 0, "another choice of networks is still the same study: " + part.stderr
    assert [(row["network"], row["seeds"]) for row in json.loads(part.stdout)["table"]] == [("ViT-B/16", 1)] * 2
    assert json.loads((out / "results.json").read_text()) == after


@pytest.mark.parametrize("name", NAMES)
def test_small_networks_are_small_and_learn(name):
    torch.manual_seed(0)
    network, pretrained = build(name, 2, 64, small=True, pretrained=False)
    assert not pretrained
    assert sum(weight.numel() for weight in network.parameters()) < 1_000_000
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 40, (16, 64, 64, 3), dtype=np.uint8)
    pixels[8:, ..., 0] += 150
    data = Pixels(pixels, np.arange(16) // 8)
    trained = train(network, data, data, 30, 16, 1e-3, 0, torch.device("cpu"))
    assert accuracy(trained, data, torch.device("cpu")) == 1


def test_the_table_has_means_and_intervals_of_pairs():
    plan = replace(Plan.reduced(), networks=("VGG-19",), copies={100: 20}, seeds=3)
    rows = [
        {"network": "VGG-19", "real": 100, "augmented": augmented, "seed": seed, "accuracy": value + augmented * 0.1}
        for seed, value in enumerate((0.5, 0.6, 0.7)) for augmented in (False, True)
    ]  # fmt: skip
    (row,) = table_of(rows, plan)
    assert row["without"]["value"] == pytest.approx(0.6)
    assert row["gain"]["value"] == pytest.approx(0.1)
    assert row["gain"]["low"] == pytest.approx(0.1), "the seeds differ, the gain does not"
    assert row["without"]["low"] == pytest.approx(0.6 - 4.3027 * 0.1 / 3**0.5, abs=1e-4)
    assert table_of(rows[:-1], plan)[0]["seeds"] == 2
    assert np.isnan(mean(np.array([0.5])).low)


def test_bad_input_is_one_sentence(few_images, tiny_folder, tmp_path):
    for text in ("", "300", "300:0", "1:5", "a:b", "10:101"):
        with pytest.raises(Text2EarthError, match="REAL:COPIES"):
            read_copies(text)
    plan = replace(Plan.reduced(), copies={100: 1})
    with pytest.raises(Text2EarthError, match="100 are needed"):
        study_augmentation(tiny_folder, few_images, tmp_path, plan, device="cpu", progress=lambda *_: None)
    wrong = run("study", "augmentation", "--data", few_images, "--report", tmp_path, "--network", "AlexNet")
    assert wrong.returncode == 1
    assert "There is no network AlexNet" in wrong.stderr
    assert not Path(tmp_path / "plan.json").exists()
