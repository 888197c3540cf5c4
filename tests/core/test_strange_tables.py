"""Tables of other people: texts that are none, columns of other kinds, one table among others; every row is counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.app.command_line import result, run
from text2earth_core.data.corpus import load_corpus
from text2earth_core.data.texts import BROKEN, rows_of

LATIN = "A m\xe4rsh."


def image(number: int) -> dict[str, Any]:
    coarse = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return {"bytes": cv2.imencode(".png", cv2.resize(coarse, (64, 64)))[1].tobytes(), "path": f"{number}.png"}


def as_if_text(values: list[str], encoding: str) -> pa.Array:
    """Texts in another encoding in a column that says it is UTF-8."""
    return pa.array([value.encode(encoding) for value in values]).view(pa.string())


def put(path: Path, **columns: Any) -> Path:
    path.parent.mkdir(exist_ok=True)
    count = len(next(iter(columns.values())))
    names = [f"{number}.png" for number in range(count)]
    pq.write_table(pa.table({"img_name": names, "image": [image(n) for n in range(count)]} | columns), path)
    return path


@pytest.mark.parametrize("kind", ["text", "bytes"])
def test_a_text_in_another_encoding_is_a_fault_of_its_row_alone(kind: str, tmp_path: Path) -> None:
    told = ["A wood.", LATIN, "A lake."]
    column = as_if_text(told, "latin-1") if kind == "text" else pa.array([one.encode("latin-1") for one in told])
    table = put(tmp_path / "in.parquet", caption=column)
    found = result("data", "check", table)
    assert (found["rows"], found["good"], found["faults"]) == (3, 2, {"caption is no UTF-8": 1})
    assert result("data", "convert", table, tmp_path / "out", "--held-back", "0")["written"] == 3
    captions = [one.captions for one in load_corpus(tmp_path / "out")]
    assert captions == [("A wood.",), (f"A m{BROKEN}rsh.",), ("A lake.",)]
    assert result("data", "stats", tmp_path / "out", "--report", tmp_path / "report")[0]["rows"] == 3


def test_what_rewrites_tables_keeps_such_rows_and_counting_them_says_what_to_do(tmp_path: Path) -> None:
    table = put(tmp_path / "in.parquet", caption=as_if_text([LATIN, "A lake."], "latin-1"))
    failed = run("data", "stats", table, "--report", tmp_path / "report")
    assert (failed.returncode, "no UTF-8" in failed.stderr, "data convert" in failed.stderr) == (1, True, True)
    assert result("data", "hash", table, tmp_path / "hashed.parquet", "--workers", "1")["good"] == 2
    assert result("data", "check", tmp_path / "hashed.parquet")["faults"] == {"caption is no UTF-8": 1}


def test_only_the_bytes_that_are_no_text_change_wherever_they_are() -> None:
    texts, broken = as_if_text([LATIN, "\xe4"], "latin-1"), [f"A m{BROKEN}rsh.", BROKEN]
    columns = {
        "plain": (texts, broken),
        "large": (texts.view(pa.binary()).cast(pa.large_binary()).view(pa.large_string()), broken),
        "lists": (pa.ListArray.from_arrays([0, 2, 2], texts), [broken, []]),
        "structs": (pa.StructArray.from_arrays([texts, pa.array([1, 2])], ["a", "b"]),
                    [{"a": one, "b": n} for n, one in enumerate(broken, 1)]),
        "bytes": (pa.array([b"\xff", None]), [b"\xff", None]),
        "sound": (pa.array(["\xe4", None]), ["\xe4", None]),
    }  # fmt: skip
    block = pa.RecordBatch.from_arrays([column for column, _ in columns.values()], names=list(columns))
    found = rows_of(block)
    assert {name: [row[name] for row in found] for name in columns} == {k: want for k, (_, want) in columns.items()}


def test_lists_and_parts_are_no_captions(tmp_path: Path) -> None:
    found = result("data", "check", put(tmp_path / "lists.parquet", caption=[["A wood.", "A lake."], ["A hill."]]))
    assert (found["good"], found["faults"]) == (0, {"caption is no text": 2})


def test_a_table_without_images_does_not_hide_those_of_others(tmp_path: Path) -> None:
    put(tmp_path / "in" / "a.parquet", caption=["A wood.", "A lake."])
    pq.write_table(pa.table({"img_name": ["x"], "caption": ["A hill."]}), tmp_path / "in" / "b.parquet")
    found = result("data", "check", tmp_path / "in")
    assert (found["rows"], found["good"], found["faults"], found["images"]) == (3, 2, {"no image": 1}, True)
    pq.write_table(pa.table({"a": [1]}), tmp_path / "in" / "c.parquet")
    assert f"{tmp_path / 'in' / 'c.parquet'} is no Git-10M" in run("data", "check", tmp_path / "in").stderr


def test_that_a_report_cannot_be_written_is_told_before_the_tables_are_read(tmp_path: Path) -> None:
    put(tmp_path / "in.parquet", caption=as_if_text([LATIN], "latin-1"))  # cannot be counted
    failed = run("data", "stats", tmp_path / "in.parquet", "--report", tmp_path / "in.parquet" / "report")
    assert (failed.returncode, "cannot be written" in failed.stderr) == (1, True)
