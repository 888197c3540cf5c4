"""What is written as a whole is there as a whole or not at all; what libraries say fits into a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from text2earth_core.errors import REASON, reason_of
from text2earth_core.whole_file import whole_file


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_appears_complete_and_nothing_else_stays(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    with whole_file(path, durable) as part:
        assert part.suffix == ".png", "writers choose the format by it"
        part.write_bytes(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write() -> None:
        with whole_file(path) as part:
            part.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("no such key.", "no such key"),
        ("\n  Error(s) in loading:\n\tmore", "Error(s) in loading"),
        ("", "ValueError"),
        ("x" * 1000, "x" * REASON),
    ],
)
def test_a_reason_is_one_short_line(message: str, reason: str) -> None:
    assert reason_of(ValueError(message)) == reason
