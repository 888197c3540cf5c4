"""The evaluation of other modalities: figures of each, their checks, the grid, and nothing where nobody asked."""

import json

import numpy as np
import pytest

from text2earth_core import Text2Earth
from text2earth_core.evaluation.modalities import PROMPTS, VEGETATION, WATER, kinds, measured_brightness
from text2earth_core.evaluation.plan import Plan
from text2earth_core.evaluation.run import PLAN_FILE, Budget, evaluate
from text2earth_core.evaluation.targets import check_all
from text2earth_core.simulation.pairs import Pair, load_pairs

SMALL = Plan(images=4, feature_samples=64, judge_samples=64, accuracy_samples=64, repeat=1)


@pytest.fixture(scope="module")
def measured(adapted_folder, everything, tmp_path_factory):
    out = tmp_path_factory.mktemp("report")
    info = Text2Earth.from_pretrained(adapted_folder).info
    wish = {"minutes": 600.0, "model": info.fingerprint, "samplers": 2}
    (out / PLAN_FILE).write_text(json.dumps({"wish": wish, "plan": SMALL.as_dict()}))

    def run(**options):
        asked = {"student": True, "only": ["modalities"], "progress": lambda *_: None} | options
        return evaluate(adapted_folder, everything, out, Budget(minutes=600.0), **asked)

    return run, run(modalities=True), out


def test_every_modality_is_measured_with_both_samplers(measured):
    _, report, out = measured
    found = report["figures"]["modalities"]
    assert set(found) == {"quality", "fast"}
    for figures in found.values():
        assert set(figures) == {"pan", "nir", "sar"}
        assert figures["pan"]["equal_channels"] == 1
        assert set(figures["nir"]["ndvi"]) == {*VEGETATION, *WATER}
        assert all(figures[name]["real"]["images"] == 4 for name in figures)
        assert set(figures["sar"]["accuracy"]) == {"real", "made"}
    names = [check["name"] for check in report["checks"]]
    assert sum("SAR" in name for name in names) == 4
    assert "RGB, PAN, NIR, SAR of one prompt and seed" in (out / "report.html").read_text()
    assert all(prompt in (out / "report.html").read_text() for prompt in PROMPTS)


def test_nothing_is_measured_twice_or_unasked(measured):
    run, report, out = measured
    stored = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.suffix in (".png", ".safetensors")}
    assert run(modalities=True)["figures"] == json.loads(json.dumps(report["figures"]))
    assert {path: path.stat().st_mtime_ns for path in stored} == stored
    assert "not asked for" in run()["figures"]["modalities"]["missing"]


def test_checks_say_what_falls_short():
    nir = {"ratio": 10.0, "ratio_measured": 14.0, "ndvi": {"farmland": -0.1, "a blue lake": -0.2}}
    sar = {"looks": 8.0, "looks_measured": 14.0, "histogram_distance": 0.05, "histogram_distance_of_colours": 0.2}
    pan = {"equal_channels": 1.0, "over_colours": 1.2}
    checks = check_all({"modalities": {"fast": {"pan": pan, "nir": nir, "sar": sar}}}, ["fast"])
    assert [check.met for check in checks] == [True, False, True, False, True, False, True]


def test_water_is_dark_and_vegetation_bright_in_what_was_measured():
    def pair(red, infrared):
        return Pair(np.full((8, 8, 3), red, np.uint8), np.full((8, 8), infrared, np.uint8), "")

    found = measured_brightness([pair(30, 130), pair(30, 110), pair(25, 8)])
    assert found == {"vegetation": 120.0, "water": 8.0, "wet": 8.0}


def test_places_of_one_colour_are_of_one_kind(pairs):
    training = load_pairs(pairs, "nir", "train")
    found = kinds([*training, *training])
    assert np.array_equal(found[: len(training)], found[len(training) :])
    assert len(set(found.tolist())) > 1
