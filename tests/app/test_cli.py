"""The command line as scripts use it: JSON out, one sentence for a mistake."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from canvas.scene import Scene
from tests.app.command_line import ROOT, result, run, run_process


def test_the_command_is_installed_under_its_name() -> None:
    done = subprocess.run([Path(sys.executable).with_name("text2earth"), "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert all(verb in done.stdout for verb in ("generate", "scene", "train"))


def test_help_imports_nothing_heavy() -> None:
    code = "import app.cli, app.serve, sys; print([m for m in ('torch', 'diffusers', 'gradio') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_scene_from_nothing_to_an_image(tmp_path: Path, tiny_folder: Path) -> None:
    scene, image = tmp_path / "coast.t2e", tmp_path / "coast.png"
    made = result("scene", "new", scene, "--resolution", "2")
    assert (made["title"], made["resolution"], made["empty"]) == ("coast", 2.0, True)
    model = ("--model", tiny_folder, "--device", "cpu", "--seed", "3", "--steps", "2")
    first = result("scene", "extend", scene, "--direction", "right", "--prompt", "forest", *model)
    assert first["request"]["prompt"] == "forest"
    assert first["request"]["seed"] == 3
    result("scene", "extend", scene, "--direction", "right", "--prompt", "", *model)
    shown = run_process("scene", "info", scene, "--json")
    assert shown.returncode == 0
    assert json.loads(shown.stdout)["bounds"] == [0, 0, 96, 64]
    assert result("scene", "undo", scene)["bounds"] == [0, 0, 64, 64]
    assert result("scene", "redo", scene)["bounds"] == [0, 0, 96, 64]
    assert result("scene", "export", scene, "--out", image) == {"file": str(image), "width": 96, "height": 64}
    assert Image.open(image).size == (96, 64)


def test_how_far_the_prompt_leads_is_asked_for_and_decided_by_the_ground_otherwise(
    tmp_path: Path, tiny_folder: Path
) -> None:
    scene, mask = tmp_path / "s.t2e", tmp_path / "mask.png"
    result("scene", "new", scene, "--resolution", "1")
    Image.new("L", (16, 16), 255).save(mask)
    model = ("--model", tiny_folder, "--device", "cpu", "--seed", "3", "--steps", "2")
    grow = ("scene", "extend", scene, "--direction", "right", "--prompt", "forest", *model)
    assert result(*grow)["request"]["follow"] is None
    assert result(*grow, "--follow", "0.25")["request"]["follow"] == 0.25
    assert "follow" not in result(*grow, "--follow", "0")["request"], "records leave out a 0"
    edited = result("scene", "edit", scene, "--mask", mask, "--prompt", "a lake", "--follow", "1", *model)
    assert edited["request"]["follow"] == 1


def test_generating_is_reproducible_and_counts_on_from_the_seed(tmp_path: Path, tiny_folder: Path) -> None:
    model = ("--model", tiny_folder, "--device", "cpu", "--steps", "2")
    made = result("generate", "--prompt", "forest", "--seed", "5", "--count", "2", "--out", tmp_path / "a.png", *model)
    assert [(Path(item["file"]).name, item["seed"]) for item in made] == [("a-0001.png", 5), ("a-0002.png", 6)]
    result("generate", "--prompt", "forest", "--seed", "6", "--out", tmp_path / "b.png", *model)
    first, second, again = (np.asarray(Image.open(tmp_path / name)) for name in ("a-0001.png", "a-0002.png", "b.png"))
    assert (second == again).all()
    assert (first != second).any()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["scene", "info", "{tmp}/none.t2e"], "no scene"),
        (["scene", "info", "{root}/LICENSE"], "not a Text2Earth scene"),
        (["scene", "new", "{tmp}/a.t2e", "--resolution", "0"], "0.25 to 128"),
        (["scene", "new", "{tmp}/a.t2e", "--resolution", "much"], "resolution"),
        (["scene", "new", "{tmp}/none/a.t2e", "--resolution", "1"], "a.t2e"),
        (["scene", "new", "{scene}", "--resolution", "1"], "already exists"),
        (["scene", "undo", "{scene}"], "nothing to undo"),
        (["scene", "redo", "{scene}"], "nothing to redo"),
        (["scene", "export", "{scene}", "--out", "{tmp}/a.png"], "empty"),
        (["scene", "export", "{scene}", "--out", "{tmp}/a.docx"], ".png"),
        (["scene", "extend", "{scene}", "--direction", "north", "--prompt", "x"], "direction"),
        (["scene", "extend", "{scene}", "--direction", "up", "--prompt", "x", "--model", "{tmp}/none"], "none"),
        (["scene", "extend", "{scene}", "--direction", "up", "--prompt", "x", "--steps", "0", "{model}"], "steps"),
        (
            ["scene", "extend", "{scene}", "--direction", "up", "--prompt", "x", "--follow", "1.5", "{model}"],
            "prompt by 1.5",
        ),
        (
            ["scene", "extend", "{scene}", "--direction", "up", "--prompt", "x", "--follow", "nan", "{model}"],
            "prompt by nan",
        ),
        (["generate", "--prompt", "x", "--out", "{tmp}/none/a.png"], "no folder"),
        (["generate", "--prompt", "x", "--out", "{tmp}/a.xyz"], "a.xyz"),
        (["generate", "--prompt", "x", "--out", "{tmp}/a.png", "--device", "abacus", "{model}"], "abacus"),
        (["train", "vae", "--preset", "huge", "--data", "{tmp}", "--out", "{tmp}/m", "--samples", "1"], "."),
        (["train", "diffusion", "--preset", "tiny", "--data", "{tmp}/none", "--out", "{tmp}/m", "--samples", "1"], "."),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, tiny_folder: Path, arguments: list[str], words: str) -> None:
    scene = tmp_path / "scene.t2e"
    Scene.create(scene, 1.0).close()
    before = scene.read_bytes()
    given: list[str] = []
    for argument in arguments:
        if argument == "{model}":
            given += ["--model", str(tiny_folder)]
        else:
            given.append(argument.format(tmp=tmp_path, root=ROOT, scene=scene))
    done = run(*given)
    assert done.returncode != 0
    assert done.stdout == ""
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert scene.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} <= {"scene.t2e", "scene.t2e-wal", "scene.t2e-shm"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["evaluate", "--report"],
        ["train", "vae", "--preset", "tiny", "--out"],
        ["train", "text", "--preset", "tiny", "--out"],
        ["train", "diffusion", "--preset", "tiny", "--out"],
        ["train", "pack", "--out"],
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_a_file_given_for_a_folder_stays_as_it_is(tmp_path: Path, arguments: list[str]) -> None:
    mine = tmp_path / "notes.txt"
    mine.write_text("mine")
    done = run(*arguments, mine, "--data", tmp_path)
    assert done.returncode != 0
    assert "is a file" in " ".join(done.stderr.replace("│", " ").split())  # in a frame, over several lines
    assert "Traceback" not in done.stderr
    assert mine.read_text() == "mine"


def test_words_the_model_never_saw_are_named(tmp_path: Path, tiny_folder: Path) -> None:
    done = run(
        "generate", "--prompt", "forest " * 100, "--out", tmp_path / "a.png", "--steps", "1", "--model", tiny_folder
    )
    assert done.returncode == 0
    assert "this was cut" in done.stderr
