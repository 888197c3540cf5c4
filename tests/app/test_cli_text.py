"""Text that a terminal, a file or a model cannot take: the work is never done and then called a failure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from canvas.scene import Scene
from tests.app import command_line

ROOT = Path(__file__).parents[2]


def run(*arguments: str | Path | bytes, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "app.cli", *arguments]
    return subprocess.run(command, capture_output=True, cwd=ROOT, env=os.environ | environment, timeout=600)


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_what_the_terminal_cannot_show_is_written_in_escapes(tmp_path: Path, tiny_folder: Path, encoding: str) -> None:
    """A script that were told of a failure would extend the scene twice."""
    scene, prompt = tmp_path / "森.t2e", "森林 🌲"
    Scene.create(scene, 1.0).close()
    done = run(
        "scene", "extend", scene, "--direction", "right", "--prompt", prompt, "--steps", "1", "--model", tiny_folder,
        "--json", PYTHONIOENCODING=encoding,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert json.loads(done.stdout.decode(encoding))["request"]["prompt"] == prompt
    shown = run("scene", "info", scene, PYTHONIOENCODING=encoding)
    assert shown.returncode == 0
    assert f"{'森' if encoding == 'utf-8' else chr(92) + 'u68ee'}.t2e" in shown.stdout.decode(encoding)


def test_a_reader_that_went_away_is_no_failure_of_the_work(tmp_path: Path) -> None:
    done = subprocess.run(
        f'"{sys.executable}" -m app.cli scene new "{tmp_path}/a.t2e" --resolution 1 | true; echo ${{PIPESTATUS[0]}}',
        shell=True, executable="/bin/bash", capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert done.stdout.split() == ["0"]
    assert "Error" not in done.stderr
    assert (tmp_path / "a.t2e").is_file()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_result_that_cannot_be_printed_is_told_and_the_work_is_done(tmp_path: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "app.cli", "scene", "new", tmp_path / "a.t2e", "--resolution", "1"],
            stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
    assert done.returncode == 0
    assert "what was asked for is done" in done.stderr
    assert (tmp_path / "a.t2e").is_file()


def test_names_and_prompts_that_are_no_utf8_are_refused_before_anything_is_done(tmp_path: Path) -> None:
    name, folder = b"caf\xe9", os.fsencode(tmp_path)
    scene = tmp_path / "a.t2e"
    Scene.create(scene, 1.0).close()
    picture = folder + b"/" + name + b".png"
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    os.rename(tmp_path / "a.png", picture)
    for arguments in (
        ("scene", "import", scene, picture, "--resolution", "1"),
        ("scene", "export", scene, "--out", folder + b"/" + name + b".tif"),
        ("scene", "new", folder + b"/" + name + b".t2e", "--resolution", "1"),
        ("generate", "--prompt", name, "--out", tmp_path / "g.png"),
    ):
        done = run(*arguments)
        told = done.stderr.decode()
        assert done.returncode == 1
        assert told.count("\n") == 1
        assert "caf\\xe9" in told
        assert "no text in UTF-8" in told
    assert sorted(os.listdir(folder)) == [b"a.t2e", name + b".png"]


def test_the_google_level_of_the_official_project_is_a_resolution_and_no_word(
    tmp_path: Path, tiny_folder: Path
) -> None:
    pictures, told = {}, {}
    for name, options in {
        "plain": ["--prompt", "a forest", "--resolution", "4"],
        "level": ["--prompt", "15_GOOGLE_LEVEL_a forest"],
        "other": ["--prompt", "15_GOOGLE_LEVEL_a forest", "--resolution", "1"],
        "one": ["--prompt", "a forest", "--resolution", "1"],
    }.items():
        out = tmp_path / f"{name}.png"
        done = command_line.run(
            "generate", *options, "--steps", "2", "--seed", "3", "--model", tiny_folder, "--out", out
        )
        assert done.returncode == 0, done.stderr
        pictures[name], told[name] = Image.open(out).tobytes(), done.stderr
    assert pictures["level"] == pictures["plain"] != pictures["one"]
    assert pictures["other"] == pictures["one"], "what is chosen counts"
    assert "4 m/px, which counts" in told["level"]
    assert "4 m/px, but 1 m/px is what was chosen" in told["other"]
    assert "google" not in told["plain"].lower()
