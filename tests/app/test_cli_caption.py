"""`text2earth data caption` against an endpoint that fails in every way: each row is there once, whatever happened."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.app.command_line import ROOT, result
from tests.chat_endpoint import by_digit, caption_of, name_of, running, told

KEY = "sk-a-secret-that-nobody-may-read"
CONCURRENCY = 8
QUICK = ("--model", "m", "--wait", "0.02", "--timeout", "1.2", "--concurrency", str(CONCURRENCY))


def image(row: int) -> bytes:
    """A WebP of 16 px that differs from row to row."""
    buffer = io.BytesIO()
    pixels = np.random.default_rng(row).integers(0, 255, (16, 16, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(buffer, "WEBP", lossless=True)
    return buffer.getvalue()


def table(path: Path, rows: int, **columns: Sequence[Any]) -> Path:
    """A table with images and classes by which the endpoint knows its rows; three groups of rows."""
    values = {
        "image": [{"bytes": image(row), "path": None} for row in range(rows)],
        "img_name": [f"{row}.png" for row in range(rows)],
        "label": [f"plot {name_of(row)}" for row in range(rows)],
    } | columns  # fmt: skip
    pq.write_table(pa.table(values), path, row_group_size=max(1, rows // 3))
    return path


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def kept(journal: Path) -> int:
    if not journal.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True, timeout=10)) as db:
            return int(db.execute("SELECT count(*) FROM rows WHERE state = 'kept'").fetchone()[0])
    except sqlite3.OperationalError:  # not made yet
        return 0


def test_three_kills_and_every_fault_leave_each_of_200_rows_right_and_once(tmp_path: Path) -> None:
    source, out = table(tmp_path / "in.parquet", 200), tmp_path / "out.jsonl"
    with running(by_digit) as endpoint:
        command = [sys.executable, "-m", "app.cli", "data", "caption", source, out, "--endpoint", endpoint.url, *QUICK]
        environment = os.environ | {"OPENAI_API_KEY": KEY}
        for until in (40, 90, 140):
            process = subprocess.Popen(list(map(str, command)), cwd=ROOT, env=environment, stderr=subprocess.PIPE)
            while kept(tmp_path / "out.jsonl.journal") < until:
                assert process.poll() is None, process.stderr and process.stderr.read().decode()
                time.sleep(0.01)
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
            assert not out.exists()
        done = subprocess.run([*map(str, command), "--json"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert lines(out) == [{"row": row, "name": f"{row}.png", "caption": caption_of(row)} for row in range(200)]
    assert lines(tmp_path / "out.left_out.jsonl") == []
    assert (found["captions"], found["doubtful"], found["unusable"], found["to_ask"]) == (200, 0, 0, 0)
    # What was under way when it was killed is asked again, and nothing else.
    assert sum(endpoint.good.values()) <= 200 + 3 * CONCURRENCY
    # A request is counted before it is sent.
    assert 0 <= found["spent"]["requests"] - sum(endpoint.asked.values()) <= 3 * CONCURRENCY
    assert set(found["troubles"]) >= {
        "status 500", "status 429", "no answer in time", "broken answer", "connection lost", "refusal", "duplicate",
        "cut off", "too short",
    }  # fmt: skip
    # The key went to the endpoint, and nowhere else.
    assert endpoint.keys == {f"Bearer {KEY}"}
    for file in tmp_path.iterdir():
        assert KEY.encode() not in file.read_bytes(), file
    assert KEY not in done.stdout + done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_writes_what_it_has_and_goes_on(tmp_path: Path, number: int) -> None:
    source, out = table(tmp_path / "in.parquet", 12), tmp_path / "out.jsonl"

    def slow(row: int, times: int, body: dict[str, Any]) -> str:
        time.sleep(30 if row >= 6 and times == 1 else 0)
        return "fine"

    with running(slow) as endpoint:
        command = [sys.executable, "-m", "app.cli", "data", "caption", source, out, "--endpoint", endpoint.url]
        process = subprocess.Popen(
            [*map(str, command), "--model", "m", "--concurrency", "1"], cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        while kept(tmp_path / "out.jsonl.journal") < 6:
            assert process.poll() is None, process.stderr and process.stderr.read()
            time.sleep(0.01)
        process.send_signal(number)
        errors = process.communicate(timeout=60)[1]
        assert (process.returncode, "Traceback" in errors, "Task" in errors) == (130, False, False), errors
        assert [line["row"] for line in lines(out)] == list(range(6))
        found = result("data", "caption", source, out, "--endpoint", endpoint.url, *QUICK)
    assert (found["captions"], found["to_ask"]) == (12, 0)
    assert [line["caption"] for line in lines(out)] == [caption_of(row) for row in range(12)]


def test_every_row_is_in_one_of_both_files_whatever_was_wrong_with_it(tmp_path: Path) -> None:
    source, out = (
        table(
            tmp_path / "in.parquet", 8, resolution=["0.5"] * 7 + ["wide"],
            Google_location=["18_1_1"] * 3 + ["17_1_1"] * 2 + ["elsewhere"] + [None] * 2,
            image=[{"bytes": b"torn" if row == 1 else image(row), "path": None} for row in range(8)],
        ),
        tmp_path / "out.jsonl",
    )  # fmt: skip
    with running(lambda row, times, body: "short" if row == 2 else "fine") as endpoint:
        found = result("data", "caption", source, out, "--endpoint", endpoint.url, *QUICK, "--asks", "2")
    left = lines(tmp_path / "out.left_out.jsonl")
    assert [line["row"] for line in lines(out)] == [0, 3, 4, 5, 6, 7]
    assert [(line["row"], line["state"], line["faults"]) for line in left] == [
        (1, "unusable", ["image cannot be read"]), (2, "doubtful", ["too short"]),
    ]  # fmt: skip
    assert (found["captions"], found["doubtful"], found["unusable"], found["to_ask"]) == (6, 1, 1, 0)
    assert found["troubles"] == {
        "level and resolution disagree": 2, "too short": 2, "image cannot be read": 1, "place is no tile": 1,
        "resolution is no number": 1,
    }  # fmt: skip
    asked = {re.findall(r"covers [\d.]+ m", told(body))[0] for body in endpoint.bodies if "covers" in told(body)}
    assert asked == {"covers 0.5 m"}
