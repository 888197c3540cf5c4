"""Region fills and recipes as scripts use them: one sentence for a mistake, no work begun unasked."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from canvas import Rect, Scene
from tests.app import command_line

RECIPE: dict[str, Any] = {
    "version": 1,
    "resolution": 2.0,
    "seed": 3,
    "bbox": [0, 0, 150, 70],
    "prompts": [{"text": "forest", "region": [0, 0, 80, 70], "feather": 20}, {"text": "a desert of glorp"}],
    "steps": 2,
}


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return command_line.run("scene", *arguments)


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "r.json"
    path.write_text(json.dumps(RECIPE))
    return path


def test_fill_then_recipe_then_replay_gives_the_same_scene(tmp_path: Path, recipe: Path, tiny_folder: Path) -> None:
    scene, again, own = tmp_path / "a.t2e", tmp_path / "b.t2e", tmp_path / "own.json"
    model = ("--model", tiny_folder, "--device", "cpu", "--json")
    filled = run("fill", scene, "--recipe", recipe, *model)
    assert filled.returncode == 0, filled.stderr
    step = json.loads(filled.stdout)
    assert (step["request"]["kind"], step["rect"]) == ("fill", [0, 0, 152, 72])
    assert "glorp" in filled.stderr
    assert "windows" in filled.stderr
    assert json.loads(run("recipe", scene, "--out", own, "--json").stdout)["steps"] == 1
    replayed = run("replay", own, again, *model)
    assert replayed.returncode == 0, replayed.stderr
    assert json.loads(replayed.stdout)["resolution"] == 2.0
    with Scene.open(scene) as one, Scene.open(again) as other:
        rect = Rect(0, 0, 152, 72)
        assert np.array_equal(one.read(rect).pixels, other.read(rect).pixels)


def test_how_far_the_prompt_leads_takes_the_place_of_the_recipes(
    tmp_path: Path, recipe: Path, tiny_folder: Path
) -> None:
    model = ("--model", tiny_folder, "--device", "cpu", "--json")
    recipe.write_text(json.dumps(RECIPE | {"follow": 0.5}))
    for number, (asked, follow) in enumerate((([], 0.5), (["--follow", "0.75"], 0.75))):
        done = run("fill", tmp_path / f"{number}.t2e", "--recipe", recipe, *asked, *model)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["request"]["follow"] == follow
    wrong = run("fill", tmp_path / "s.t2e", "--recipe", recipe, "--follow", "2", *model)
    assert wrong.returncode == 1
    assert "Following the prompt by 2.0" in wrong.stderr
    assert len(wrong.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "s.t2e").exists()


def test_a_long_fill_is_not_begun_unasked(tmp_path: Path, recipe: Path, tiny_folder: Path) -> None:
    recipe.write_text(json.dumps(RECIPE | {"bbox": [0, 0, 100_000, 100_000], "steps": 200}))
    done = run("fill", tmp_path / "new.t2e", "--recipe", recipe, "--model", tiny_folder, "--device", "cpu")
    assert done.returncode == 1
    assert "--yes" in done.stderr
    assert not (tmp_path / "new.t2e").exists()


def test_mistakes_are_one_sentence_and_make_no_file(tmp_path: Path, recipe: Path, tiny_folder: Path) -> None:
    model = ("--model", tiny_folder, "--device", "cpu")
    for change, words in (
        ({"version": 9}, "update"),
        ({"model": "other"}, "--model"),
        ({"bbox": [0, 0, 0, 0]}, "area"),
    ):
        recipe.write_text(json.dumps(RECIPE | change))
        for arguments in (("fill", tmp_path / "s.t2e", "--recipe", recipe), ("replay", recipe, tmp_path / "s.t2e")):
            done = run(*arguments, *model)
            assert done.returncode == 1
            assert words in done.stderr
            assert len(done.stderr.strip().splitlines()) == 1
            assert not (tmp_path / "s.t2e").exists()
