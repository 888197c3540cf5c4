"""`text2earth doctor` says what is here and measures what runs."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.app.command_line import result, run


def test_what_runs_is_measured_and_the_rest_has_a_reason(tmp_path: Path, student_folder: Path) -> None:
    found = result("doctor", "--model", student_folder, "--device", "cpu", "--data-dir", tmp_path)
    assert found["libraries"]["torch"] != "missing"
    assert found["machine"]["cores"] >= 1
    (model,) = found["models"]
    assert model["runs"]
    assert set(model["seconds_per_step"]) == {"quality", "fast"}
    assert all(0 < seconds < 60 for seconds in model["seconds_per_step"].values())
    assert model["seconds_per_window"]["quality"] > model["seconds_per_step"]["quality"]
    broken = shutil.copytree(student_folder, tmp_path / "broken")
    weights = next((broken / "unet").glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:1000])
    (model,) = result("doctor", "--model", broken, "--device", "cpu")["models"]
    assert not model["runs"]
    assert "cannot be loaded" in model["why not"]


def test_a_place_without_a_model_is_told_in_one_sentence(tmp_path: Path) -> None:
    done = run("doctor", "--model", tmp_path, "--device", "cpu")
    assert done.returncode == 1
    assert "lacks unet/" in done.stderr
    assert "Traceback" not in done.stderr
