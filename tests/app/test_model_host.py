"""What is known of a model before it is loaded agrees with what it then says."""

from __future__ import annotations

from pathlib import Path

from app.serving.model_host import STUDENT, ModelHost
from text2earth_core import folder


def foreseen(source: str | Path | None) -> list[str]:
    told = ModelHost(source, None, lambda: None).as_dict()
    assert told["state"] == "loading"
    assert told["info"] is None
    samplers: list[str] = told["samplers"]
    return samplers


def test_a_model_with_a_student_is_fast_from_the_first_moment(tmp_path: Path, tiny_folder: Path) -> None:
    assert STUDENT == folder.STUDENT
    assert foreseen(tiny_folder) == ["quality"]
    assert foreseen("lcybuaa/Text2Earth") == ["quality"]
    (tmp_path / STUDENT).mkdir()
    assert foreseen(tmp_path) == ["quality", "fast"]


def test_the_shipped_model_is_fast_from_the_first_moment() -> None:
    assert foreseen(None) == ["quality", "fast"]
