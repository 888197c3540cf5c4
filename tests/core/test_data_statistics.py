"""What `data stats` counts is what pandas counts, whatever the columns hold, and the report stands by itself."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from tests.app.command_line import result, run
from text2earth_core.data.statistics.drawing import numbers_along, world
from text2earth_core.data.statistics.figures import figures_of, step_width

WORDS = "A large river crosses the bare-land; small lakes, trees, forest's edge and a rectangular field été"


def messy_rows(count: int) -> pd.DataFrame:
    """Columns as Git-10M's, in which a part of the values is missing, of another kind, or wrong."""
    rng = np.random.default_rng(0)
    level = rng.integers(9, 19, count)
    x, y = (rng.random((2, count)) * 2.0**level).astype(int)
    frame = pd.DataFrame(
        {
            "img_quality_score": [f"{one:.3f}" for one in rng.normal(4.8, 0.6, count)],
            "img_quality_score_before": rng.normal(4.2, 0.6, count),
            "caption": [" ".join(rng.choice(WORDS.split(), rng.integers(1, 30))) for _ in range(count)],
            "resolution": [f"{2.0 ** (17 - z)}" for z in level],
            "Google_location": [f"{z}_{a}_{b}" for z, a, b in zip(level, x, y, strict=True)],
            "label": rng.choice(["farm", "city", "sea", "", " "], count),
        }
    )
    prefixed = rng.random(count) < 0.5
    frame.loc[prefixed, "caption"] = [
        f"{z}_GOOGLE_LEVEL_{c}" for z, c in zip(level[prefixed], frame["caption"][prefixed], strict=True)
    ]

    def spoil(column: str, share: float, *values: Any) -> None:
        for value in values:
            frame.loc[rng.random(count) < share, column] = value

    spoil("img_quality_score", 0.02, None, "nan", "inf", "good", "", " 4.5 ")
    spoil("img_quality_score_before", 0.1, np.nan, np.inf)
    spoil("caption", 0.02, None, "", "  ", "14_GOOGLE_LEVEL_", "12_google_level_Ice and  snow\n")
    spoil("resolution", 0.02, None, "-1", "2.0m", "0.3 m", "wide", "0")
    spoil("Google_location", 0.02, None, "17_1", "2_4_0", "24_0_0", " 10_3_4 ", "x")
    return frame


def plain_number(value: Any) -> float | None:
    try:
        number = float(str(value).strip().removesuffix("m"))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def plain_row(row: Any) -> dict[str, Any]:
    """What one row says, by rules written out once more."""
    caption = row.caption if isinstance(row.caption, str) else ""
    said = re.match(r"\s*(\d{1,2})_GOOGLE_LEVEL_", caption, re.IGNORECASE)
    words = caption[said.end() :] if said else caption
    written = plain_number(row.resolution)
    known = [written] if written is not None and written > 0 else []
    place = re.fullmatch(
        r"\s*(\d+)_(\d+)_(\d+)\s*", row.Google_location if isinstance(row.Google_location, str) else ""
    )
    longitude = latitude = None
    if place:
        z, x, y = map(int, place.groups())
        if z <= 23 and max(x, y) < 2**z:
            known.insert(0, 2.0 ** (17 - z))
            longitude = (x + 0.5) * 360 / 2**z - 180
            latitude = math.degrees(2 * math.atan(math.exp(math.pi * (1 - (2 * y + 1) / 2**z))) - math.pi / 2)
    if said:
        known.append(2.0 ** (17 - int(said[1])))
    agree = all(abs(one / known[0] - 1) <= 0.05 for one in known)
    return {
        "quality": plain_number(row.img_quality_score), "before": plain_number(row.img_quality_score_before),
        "resolution": known[0] if known and agree else None, "longitude": longitude, "latitude": latitude,
        "words": words.strip(), "label": row.label.strip(),
    }  # fmt: skip


def counted(series: pd.Series) -> list[list[Any]]:
    return [[key, int(count)] for key, count in series.value_counts().sort_index().items()]


def test_figures_are_those_of_pandas_on_ten_thousand_rows(tmp_path: Path) -> None:
    frame = messy_rows(10_000)
    folder = tmp_path / "it's [one] of *?"
    folder.mkdir()
    pq.write_table(pa.Table.from_pandas(frame[:6000]), folder / "a.parquet")
    pq.write_table(pa.Table.from_pandas(frame[6000:].drop(columns="label")), folder / "b.parquet")  # a column fewer
    frame.loc[6000:, "label"] = ""
    (found,) = figures_of([str(folder)])
    plain = pd.DataFrame([plain_row(row) for row in frame.itertuples()])

    assert found["rows"] == 10_000
    for name, column in (("quality", "quality"), ("quality_before", "before")):
        scores, told = plain[column].dropna().astype(float), found[name]
        assert told["known"] == len(scores)
        expected = [scores.mean(), scores.std(ddof=0), scores.min(), scores.max()]
        assert [told[key] for key in ("mean", "deviation", "lowest", "highest")] == pytest.approx(expected, rel=1e-9)
        assert told["above"] == (scores > 4.8).sum()
        assert [count for _, count in told["steps"]] == [n for _, n in counted(np.floor(scores / told["width"]))]
    levels = (17 - np.log2(plain["resolution"].dropna().astype(float))).round().astype(int)
    assert [[one["level"], one["count"]] for one in found["resolution"]["levels"]] == counted(levels)[::-1]
    placed = plain.dropna(subset=["longitude"])
    cells = Counter(
        (math.floor(a / 2) * 2, math.floor(b / 2) * 2)
        for a, b in zip(placed["longitude"], placed["latitude"], strict=True)
    )
    assert found["places"]["known"] == len(placed)
    assert {(west, south): count for west, south, count in found["places"]["cells"]} == cells

    captions = plain["words"][plain["words"] != ""]
    assert found["captions"]["lengths"] == counted(captions.str.split().str.len())
    assert found["captions"]["known"] == len(captions)
    words = Counter(captions.str.lower().str.findall(r"[^\W\d_]+(?:['-][^\W\d_]+)*").explode())
    telling = {word: n for word, n in words.items() if len(word) > 1 and word not in ENGLISH_STOP_WORDS}
    assert dict(found["words"]["most"]) == telling
    assert found["words"]["most"][0][1] == max(telling.values())
    expected_covers = {
        "water": words["river"] + words["lakes"], "tree": words["trees"], "snow": words["snow"] + words["ice"],
        "crop": words["field"],
    }  # fmt: skip
    assert dict(found["land_cover"]) == expected_covers
    assert dict(found["sizes"]) == {"large": words["large"], "small": words["small"]}
    assert dict(found["shapes"]) == {"rectangular": words["rectangular"]}
    assert sorted(found["classes"]["most"]) == counted(plain["label"][plain["label"] != ""])


def test_columns_of_training_are_counted_too_and_two_sets_stand_side_by_side(tmp_path: Path) -> None:
    rows = [
        {"label": "<b>farm</b>", "captions": ["A field.", None, "Two fields & a river"], "resolution": 0.3048,
         "quality": 5.0, "longitude": 179.9, "latitude": -89.5},
        {"label": None, "captions": None, "resolution": None, "quality": None, "longitude": None, "latitude": None},
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "mine.parquet")
    pq.write_table(pa.table({"caption": pa.array(["A lake"])}), tmp_path / "other.parquet")
    arguments = ("--report", tmp_path / "report", "--beside", tmp_path / "other.parquet")
    told = result("data", "stats", tmp_path / "mine.parquet", *arguments)
    assert [one["rows"] for one in told] == [2, 1]
    mine, other = json.loads((tmp_path / "report" / "stats.json").read_text("utf-8"))["sets"]
    assert mine["captions"]["lengths"] == [[2, 1], [5, 1]]
    assert mine["places"]["cells"] == [[178, -90, 1]]
    assert mine["resolution"]["levels"] == [{"level": 19, "resolution": 0.25, "count": 1}]
    assert mine["classes"] == {"different": 1, "most": [["<b>farm</b>", 1]]}
    assert (mine["quality"]["known"], other["quality"], other["words"]["most"]) == (1, None, [["lake", 1]])
    page = (tmp_path / "report" / "stats.html").read_text("utf-8")
    assert "&lt;b&gt;farm&lt;/b&gt;" in page
    assert "mine beside other" in page
    assert not re.search(r"<b>|src=|href=|url\(|@import|<script|<link|https?:", page)  # nothing comes from elsewhere
    assert page.count('class="world"') == 2


def test_captions_in_json_lines_are_counted_too(tmp_path: Path) -> None:
    lines = [{"caption": "A lake"}, {"caption": None, "row": 3}, {"caption": "Some mangroves by a lake", "more": {}}]
    (tmp_path / "made.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (found,) = figures_of([str(tmp_path / "made.jsonl")])
    assert (found["rows"], found["captions"]["known"], found["words"]["most"][0]) == (3, 2, ["lake", 2])
    assert found["land_cover"] == [["water", 2], ["mangroves", 1]]


def test_a_set_without_any_value_has_a_report(tmp_path: Path) -> None:
    pq.write_table(pa.table({"caption": pa.array([], pa.string())}), tmp_path / "none.parquet")
    assert result("data", "stats", tmp_path / "none.parquet", "--report", tmp_path / "r")[0]["rows"] == 0
    assert "No captions." in (tmp_path / "r" / "stats.html").read_text("utf-8")


def test_the_outline_covers_land_and_not_the_sea() -> None:
    import cv2

    path = re.findall(r'class="land" d="([^"]+)"', world([], 1))[0]
    rings = [
        np.array([point.split() for point in ring.split("L")], float).round().astype(np.int32)
        for ring in re.findall(r"M([^Z]+)Z", path)
    ]
    chart = np.zeros((181, 361), np.uint8)
    cv2.fillPoly(chart, rings, 1)
    on_land = [(48, 2), (-25, 134), (65, -150), (-80, 100), (66, 178), (0, 25), (-10, -55)]
    at_sea = [(0, -140), (30, -45), (-45, 90), (-30, -10), (60, -170 - 2)]
    assert [int(chart[90 - north, east + 180]) for north, east in on_land] == [1] * len(on_land)
    assert [int(chart[90 - north, east + 180]) for north, east in at_sea] == [0] * len(at_sea)


def test_steps_and_scales_are_round() -> None:
    assert step_width([3.0, 7.0]) == pytest.approx(0.1)
    assert step_width([5.0]) == step_width([]) == 0.1
    assert step_width([0.0, 90.0]) == 5
    assert list(numbers_along(2.6, 7).values()) == ["3", "4", "5", "6", "7"]


def test_mistakes_are_one_sentence(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    (tmp_path / "torn.parquet").write_bytes(b"PAR1 and no more")
    (tmp_path / "broken.jsonl").write_text('{"caption": "a"}\n{no json')
    (tmp_path / "file").touch()
    pq.write_table(pa.table({"caption": ["a"]}), tmp_path / "good.parquet")
    for source, report, words in (
        ("other.parquet", "report", "holds nothing to count"), ("torn.parquet", "report", "is damaged or no parquet"),
        ("none.parquet", "report", "holds no parquet files"), ("none.jsonl", "report", "There is no file"),
        ("broken.jsonl", "report", "cannot be read"), ("good.parquet", "file/report", "cannot be written"),
    ):  # fmt: skip
        done = run("data", "stats", tmp_path / source, "--report", tmp_path / report)
        assert (done.returncode, words in done.stderr) == (1, True), done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
