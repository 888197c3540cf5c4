"""The evaluation of translators: a row for each task and way, measures that mean what they say, and the pictures."""

import json

import numpy as np
import pytest

from text2earth_core import Text2Earth
from text2earth_core.evaluation.plan import Plan
from text2earth_core.evaluation.run import PLAN_FILE, Budget, evaluate
from text2earth_core.evaluation.translation import held_back, matched, ssim
from text2earth_core.translation.examples import from_pair, real_pairs
from text2earth_core.translation.tasks import TASKS


def test_every_task_is_measured_against_what_needs_no_training(translating_folder, everything, tmp_path):
    wish = {"minutes": 600.0, "model": Text2Earth.from_pretrained(translating_folder).info.fingerprint, "samplers": 2}
    (tmp_path / PLAN_FILE).write_text(json.dumps({"wish": wish, "plan": Plan(images=2).as_dict()}))

    def run(**asked):
        return evaluate(
            translating_folder, everything, tmp_path, Budget(minutes=600.0), student=True, only=["translation"],
            progress=lambda *_: None, **asked,
        )  # fmt: skip

    assert "not asked for" in run()["figures"]["translation"]["missing"]
    rows = run(translation=True)["figures"]["translation"]["rows"]
    tasks = {row["task"] for row in rows}
    assert {"pan2rgb", "nir2rgb", "sr2", "dehaze"} <= tasks <= set(TASKS)
    for task in tasks:
        assert [row["way"] for row in rows if row["task"] == task] == ["ours, quality", "ours, fast", "untrained"]
    assert {row["pairs"] for row in rows if row["task"] == "nir2rgb"} == {"real"}
    assert all(0 < row["psnr"] < 60 and row["perceptual"] > 0 for row in rows)
    page = (tmp_path / "report.html").read_text()
    assert "Translations of held-back examples" in page
    assert "Translations: source, quality, fast, untrained, target" in page


def test_histogram_matching_moves_values_to_where_the_targets_have_them(everything):
    task = TASKS["nir2rgb"]
    (held,) = held_back(everything, [task], 4)
    change = matched(task, everything)
    wanted = np.mean([from_pair(task, pair).target.mean() for pair in real_pairs(task, everything, "train")])
    made = np.mean([change(example.source).mean() for example in held.examples])
    seen = np.mean([example.source.mean() for example in held.examples])
    assert abs(made - wanted) < abs(seen - wanted)


def test_ssim_is_one_for_the_same_and_less_for_others():
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert ssim(picture, picture) == pytest.approx(1)
    assert ssim(picture, picture[::-1]) < 0.2
