"""launch.py: prepares an environment that is never half-finished, and starts at once where there is one."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

import launch

ROOT = Path(launch.__file__).parent
PIN = re.compile(r"^([a-z0-9-]+)==([\w.]+)(?: ; (.+))?$")


def work_in(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    """Let launch.py work there."""
    patch.setattr(launch, "VENV", folder / ".venv")
    patch.setattr(launch, "PARTIAL", folder / ".venv.partial")
    patch.setattr(launch, "LOCK", folder / "requirements.lock")
    return folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """launch.py working in an empty folder, with a lock that needs no network."""
    (tmp_path / "requirements.lock").write_text("# nothing\n")
    return work_in(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def only_built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an environment that launch.py built: made once, for it takes Python and pip some seconds."""
    folder = tmp_path_factory.mktemp("built")
    (folder / "requirements.lock").write_text("# nothing\n")
    with pytest.MonkeyPatch.context() as patch:
        work_in(folder, patch)
        launch.build()
    return folder


@pytest.fixture
def built(only_built: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """launch.py working beside that environment; what a test writes about its lock is put back."""
    kept = {path: path.read_text() for path in (only_built / "requirements.lock", only_built / ".venv" / launch.STAMP)}
    yield work_in(only_built, monkeypatch)
    for path, text in kept.items():
        path.write_text(text)


def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "launch.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=600,
        env=os.environ | env,
    )


def test_only_the_standard_library_is_imported_at_the_top() -> None:
    tree = ast.parse((ROOT / "launch.py").read_text())
    names = [alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert names
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names


def test_every_dependency_of_the_project_is_pinned_exactly() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {"requirements.lock": project["dependencies"]}
    wanted["requirements-test.lock"] = project["dependencies"] + project["optional-dependencies"]["test"]
    for file, dependencies in wanted.items():
        lines = [line for line in (ROOT / file).read_text().splitlines() if not line.startswith("#")]
        pins = [PIN.match(line) for line in lines]
        assert all(pins), [line for line, pin in zip(lines, pins, strict=True) if not pin]
        names = {pin[1] for pin in pins if pin}
        for dependency in dependencies:
            name = re.match(r"[\w-]+", dependency)
            assert name
            assert name[0].lower().replace("_", "-") in names


def test_parts_of_the_lock_for_one_system_say_so() -> None:
    """The lock is one for Linux, macOS and Windows: CUDA's packages exist for Linux only."""
    for line in launch.LOCK.read_text().splitlines():
        if re.match(r"nvidia-|cuda-|triton", line):
            assert "sys_platform == 'linux'" in line


def test_the_test_extra_adds_pins_and_changes_none() -> None:
    runtime = {line.partition("==")[0] for line in launch.LOCK.read_text().splitlines()}
    extra = {line.partition("==")[0] for line in launch.test_pins()}
    assert {"pytest", "playwright", "hypothesis"} <= extra
    assert not extra & runtime


def test_a_reused_torch_takes_its_whole_family_out_of_the_lock() -> None:
    kept = launch.without_torch(launch.LOCK.read_text())
    assert not re.search(r"^(torch|torchvision|triton|nvidia-\S+|cuda-\S+)==", kept, re.MULTILINE)
    assert re.search(r"^gradio==", kept, re.MULTILINE)
    assert len(kept.splitlines()) > 60


def test_a_finished_environment_has_the_final_name_and_its_scripts_work(built: Path) -> None:
    assert not (built / ".venv.partial").exists()
    pip = launch.interpreter(built / ".venv").with_name("pip")
    assert subprocess.run([pip, "--version"], capture_output=True).returncode == 0
    assert not launch.stale(built / ".venv")
    (built / "requirements.lock").write_text("# another lock\n")
    assert launch.stale(built / ".venv")


def test_an_installed_torch_is_reused(built: Path) -> None:
    assert launch.missing_in(launch.interpreter(built / ".venv"), ["torch", "torchvision", "nosuchmodule"]) == [
        "nosuchmodule"
    ]


def test_an_installation_that_fails_never_looks_finished(place: Path) -> None:
    (place / "requirements.lock").write_text("./no-such-package.whl\n")
    with pytest.raises(launch.Trouble, match="installation stopped"):
        launch.build()
    assert not (place / ".venv").exists()


def test_an_update_that_fails_is_taken_up_again(built: Path) -> None:
    (built / "requirements.lock").write_text("./no-such-package.whl\n")
    with pytest.raises(launch.Trouble, match="installation stopped"):
        launch.install_lock(built / ".venv")
    assert launch.stale(built / ".venv")


def test_a_python_without_ensurepip_is_told_which_package_to_install(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(launch.Trouble, match=rf"apt install python3\.{sys.version_info.minor}-venv"):
        launch.build()
    assert not list(place.glob(".venv*"))


def test_where_everything_is_there_it_is_ready_at_once() -> None:
    done = run("--prepare")
    assert done.returncode == 0, done.stderr
    assert "ready" in done.stdout
    assert "Preparing" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--port", "70000"], "is no port"),
        (["--port", "x"], "is no port"),
        (["--scene", "no-such.t2e"], "There is no scene file"),
        (["--scene", str(ROOT / "LICENSE")], "is not a Text2Earth scene"),
        (["--data-dir", str(ROOT / "LICENSE" / "x")], "cannot be written"),
        (["--host", "300.1.1.1"], "is no address of this machine"),
    ],
)
def test_bad_options_get_one_sentence(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    if "--data-dir" not in arguments:
        arguments = [*arguments, "--data-dir", str(tmp_path)]
    done = run("--no-browser", *arguments)
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_launch_looks_for_everything_the_project_depends_on() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    modules = packages_distributions()
    looked_for = {name.lower() for module in launch.RUNTIME + launch.TESTING for name in modules[module]}
    assert {re.split(r"[<>=]", name)[0].lower() for name in asked} <= {
        n for d in looked_for for n in (d, d.replace("-", "_"))
    }


@pytest.mark.parametrize(("cores", "shared"), [(1, []), (2, ["-n", "2"]), (64, ["-n", "4"])])
def test_the_tests_are_shared_by_the_cores_there_are(
    monkeypatch: pytest.MonkeyPatch, cores: int, shared: list[str]
) -> None:
    started = []

    def start(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        started.append((command, options))
        return subprocess.CompletedProcess(command, 3)

    monkeypatch.setattr(launch.os, "sched_getaffinity", lambda _: set(range(cores)), raising=False)
    monkeypatch.setattr(launch.subprocess, "run", start)
    assert launch.run_python_tests() == 3
    command, options = started[0]
    assert command[3:5] == shared
    assert options["env"]["OMP_NUM_THREADS"] == "1"
