"""What is imported is declared, and what is declared is used: nothing works only because something else brings it."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BROUGHT_BY = packages_distributions()
PROGRAM = ("app", "canvas", "text2earth_core", "launch.py")
OWN = {"app", "benchmarks", "canvas", "launch", "measures", "stock", "tests", "text2earth_core"}
UNSEEN = {
    "tensorboard": "accelerate writes a run's events with it",
    "sentencepiece": "transformers reads SigLIP's texts with it",
    "python-multipart": "starlette reads forms with it",
    "pytest-timeout": "a plugin", "pytest-xdist": "a plugin",
    "ruff": "a command", "mypy": "a command", "import-linter": "a command",
}  # fmt: skip
"""Declared, and imported nowhere in this repository."""


def imported(*places: str) -> set[str]:
    """Top-level modules that the Python files there import, at any depth, those of the standard library left out."""
    files = [file for place in places for file in _python_files(ROOT / place)]
    found: set[str] = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - OWN - set(sys.stdlib_module_names)


def declared(*extras: str) -> set[str]:
    """Names of the distributions that the project asks for."""
    lists = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][extra] for extra in extras)]
    return {_plain(re.split(r"[<>=\[ ]", requirement)[0]) for several in lists for requirement in several}


def distributions(modules: Iterable[str]) -> dict[str, set[str]]:
    """Module: the distributions that may have brought it."""
    return {module: {_plain(name) for name in BROUGHT_BY.get(module, [module])} for module in modules}


def _python_files(place: Path) -> Iterable[Path]:
    return [place] if place.is_file() else place.rglob("*.py")


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_program_imports_only_what_it_declares() -> None:
    found = distributions(imported(*PROGRAM))
    assert {module for module, names in found.items() if not names & declared("cluster", "enhance", "train")} == set()


def test_tests_and_benchmarks_import_only_what_is_declared() -> None:
    found = distributions(imported("tests", "benchmarks"))
    assert {module for module, names in found.items() if not names & declared("test", "cluster", "train")} == set()


def test_what_is_declared_is_used() -> None:
    program = set().union(*distributions(imported(*PROGRAM)).values())
    everything = program.union(*distributions(imported("tests", "benchmarks")).values())
    assert declared() - program - set(UNSEEN) == set()
    assert declared("test") - everything - set(UNSEEN) == set()
    assert everything.isdisjoint(UNSEEN), "it is imported: take it off the list"
