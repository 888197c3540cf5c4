"""A file holds one idea, and one idea fits into 350 lines; a longer one says why at its head."""

from __future__ import annotations

import pytest

from tests.conftest import ROOT

LIMIT = 350
REASON = f"Longer than {LIMIT} lines: "
"""How the reason begins, in the docstring of a module or the comment at its head."""

ROOMS = ("app", "benchmarks", "canvas", "tests", "text2earth_core")


@pytest.mark.parametrize("suffix", [".py", ".mjs"])
def test_no_file_is_longer_than_its_limit_without_a_reason(suffix: str) -> None:
    files = [*ROOT.glob(f"*{suffix}"), *(file for room in ROOMS for file in (ROOT / room).rglob(f"*{suffix}"))]
    texts = {file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8") for file in files}
    assert texts
    long = {name: len(text.splitlines()) for name, text in texts.items() if REASON not in text[:1000]}
    assert {name: lines for name, lines in long.items() if lines > LIMIT} == {}
