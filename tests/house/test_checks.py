"""The source holds to its own rules: who may know whom, style, and types."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

# `lint-imports` is a script only; started like this it is the one of this environment, whatever the path says.
LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"

CHECKS = {
    "lint-imports": ["-c", LINT_IMPORTS],
    "ruff check": ["-m", "ruff", "check", "."],
    "ruff format": ["-m", "ruff", "format", "--check", "."],
    "mypy": ["-m", "mypy"],
}


@pytest.mark.timeout(1200)  # mypy's first run takes half a minute of a core, and cores are shared
@pytest.mark.parametrize("check", CHECKS)
def test_the_source_passes_each_check(check: str) -> None:
    """Settings of all of them are in pyproject.toml; caches stay in the checkout, for mypy takes half a minute anew."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    found = subprocess.run([sys.executable, *CHECKS[check]], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert found.returncode == 0, f"{check} in {ROOT} says:\n{found.stdout}{found.stderr}"
