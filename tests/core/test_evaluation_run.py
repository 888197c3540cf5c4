"""A whole evaluation, as small as it can be: every measurement, one page, and nothing done twice."""

import json
import re
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.measures.vae_features import vae_features
from text2earth_core import Text2Earth, Text2EarthError
from text2earth_core.evaluation.measurements import MEASUREMENTS
from text2earth_core.evaluation.plan import Plan
from text2earth_core.evaluation.run import PLAN_FILE, Budget, evaluate
from text2earth_core.training.text import train_text

SMALL = Plan(
    images=6, feature_samples=64, judge_samples=64, accuracy_samples=64, control_seeds=1, sweep_images=2, outpainted=4,
    scale_seeds=1, scale_classes=1, reconstructed=4, rounds=2, structure=4,
    repeat=1,
)  # fmt: skip


@pytest.fixture(scope="module")
def measured(few_images, tmp_path_factory):
    """Model folder, report folder and report of one small evaluation."""
    folder, out = tmp_path_factory.mktemp("model"), tmp_path_factory.mktemp("report")
    Text2Earth.from_preset("tiny", seed=0).save_pretrained(folder)
    train_text("tiny", few_images, folder, samples=96)
    wish = {"minutes": 600.0, "model": Text2Earth.from_pretrained(folder).info.fingerprint, "samplers": 1}
    (out / PLAN_FILE).write_text(json.dumps({"wish": wish, "plan": SMALL.as_dict()}))
    steps = []
    report = evaluate(folder, few_images, out, Budget(minutes=600.0), progress=lambda *step: steps.append(step))
    return folder, out, report


def test_every_measurement_is_in_the_report(measured):
    _, out, report = measured
    assert set(report["figures"]) == set(MEASUREMENTS)
    assert report["skipped"] == []
    assert report["below_protocol"]
    assert json.loads((out / "report.json").read_text())["figures"] == json.loads(json.dumps(report["figures"]))
    assert report["figures"]["distances"]["real"]["images"] == 6
    assert report["figures"]["distances"]["random"]["frechet"] > report["figures"]["distances"]["real"]["frechet"]
    assert report["figures"]["autoencoder"]["psnr"] > 5
    assert len(report["checks"]) > 10


def test_the_page_stands_alone_and_says_that_counts_are_small(measured):
    page = (measured[1] / "report.html").read_text()
    assert "below the protocol" in page
    assert page.count("<svg") == 3
    assert page.count("data:image/webp;base64,") > 10
    assert not re.search(r"(src|href)=[\"'](?!data:|#)", page)


def test_a_second_run_measures_nothing_again(measured, few_images):
    folder, out, report = measured
    stored = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.suffix in (".png", ".safetensors")}
    again = evaluate(folder, few_images, out, Budget(minutes=600.0), progress=lambda *_: None)
    assert again["figures"] == json.loads(json.dumps(report["figures"]))
    assert {path: path.stat().st_mtime_ns for path in stored} == stored


def test_figures_of_other_data_are_measured_anew(measured, few_images, tmp_path):
    folder, out, _ = measured
    other = shutil.copytree(few_images, tmp_path / "other")
    rows = pq.read_table(other / "rsicd.parquet").to_pylist()
    pq.write_table(pa.Table.from_pylist([row for row in rows if row["label"] != "desert"]), other / "rsicd.parquet")
    found = [
        evaluate(folder, data, out, Budget(minutes=600.0), progress=lambda *_: None, only=["towers"])["figures"]
        for data in (other, few_images)
    ]
    assert ["desert" in figures["towers"]["by_class"] for figures in found] == [False, True]


def test_what_the_time_did_not_suffice_for_is_named(measured, few_images, tmp_path):
    folder, _, _ = measured
    found = evaluate(folder, few_images, tmp_path, Budget(minutes=1e-6), progress=lambda *_: None)
    assert found["skipped"] == list(MEASUREMENTS)
    assert "networks" in (tmp_path / "report.html").read_text()


def test_impossible_wishes_are_refused_before_any_work(measured, few_images, tmp_path):
    folder, _, _ = measured
    with pytest.raises(Text2EarthError, match="too few"):
        Budget(images=3)
    with pytest.raises(Text2EarthError, match="more than zero"):
        Budget(minutes=0)
    for options, said in (({"only": ["beauty"]}, "no measurement beauty"), ({"student": True}, "no student")):
        with pytest.raises(Text2EarthError, match=said):
            evaluate(folder, few_images, tmp_path / "new", Budget(images=30), progress=lambda *_: None, **options)
    assert not (tmp_path / "new").exists()


def test_the_autoencoders_features_lie_on_its_cells():
    features = vae_features(Text2Earth.from_preset("tiny", seed=0), np.zeros((64, 32, 3), np.uint8))
    assert features.shape[1:] == (8, 4)
    assert features.dtype == np.float32
