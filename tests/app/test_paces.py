"""How long work takes is learned by kind and sampler, and known again after a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.jobs.export import Export
from app.jobs.fill import Fill
from app.jobs.forecast import Forecast
from app.jobs.generate import Generate
from app.jobs.store import Job
from app.jobs.work import pace_of
from app.serving.model_host import ModelHost
from app.serving.paces import Paces


def test_the_first_measurements_are_averaged_and_later_ones_move_slowly() -> None:
    paces = Paces()
    assert paces.get("fast") is None
    for seconds in (9.0, 1.0, 1.0, 1.0):
        paces.record("fast", seconds)
    assert paces.get("fast") == pytest.approx(3)
    for _ in range(100):
        paces.record("fast", 1)
    assert paces.get("fast") == pytest.approx(1, abs=0.01)


def test_paces_are_kept_for_the_model_they_belong_to(tmp_path: Path) -> None:
    for model, seconds in (("a", 1.0), ("b", 2.0)):
        paces = Paces(tmp_path / "paces.json")
        paces.recall(model)
        paces.record("fast", seconds)
        paces.keep()
    again = Paces(tmp_path / "paces.json")
    again.recall("a")
    assert again.as_dict() == {"fast": 1.0}
    again.record("fast", 3)
    assert again.get("fast") == 2, "what is remembered counts as one measurement"


@pytest.mark.parametrize(
    "text", ["", "[]", '{"a": 3}', '{"a": {"fast": "soon", "quality": -1}}', '{"a": {"fast": NaN}}']
)
def test_a_damaged_file_is_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "paces.json").write_text(text)
    paces = Paces(tmp_path / "paces.json")
    paces.recall("a")
    assert paces.as_dict() == {}


def test_a_fill_is_foretold_by_its_own_pace_and_an_export_by_what_it_has_done() -> None:
    host = ModelHost(None, None, lambda: None)
    forecast = Forecast(host, {kind.name: kind for kind in (Generate(), Fill(), Export())})
    host.record_pace(1, "fast")
    host.record_pace(0.25, pace_of("fill", "fast"))

    def left(kind: str, step: int, seconds: float) -> float | None:
        job = Job("a", "s", {"sampler": "fast"}, 0, kind=kind, state="failed", step=step, steps=100, seconds=seconds)
        return forecast.seconds_left([job])

    assert (left("generate", 0, 0), left("fill", 0, 0)) == (100, 25)
    assert left("export", 1, 0.9) is None, "its first step took as long as thirty others will"
    assert left("export", 50, 2) == 2
