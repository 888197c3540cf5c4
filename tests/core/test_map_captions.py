"""Land-cover maps as both versions of ChatEarthNet show them to a model, one or four a request."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from PIL import Image

from tests.app.command_line import result, run
from tests.chat_endpoint import running, told
from text2earth_core.data.landcover.algorithms import algorithm_1, algorithm_2, algorithm_3
from text2earth_core.data.landcover.classes import CLASSES
from text2earth_core.data.landcover.colours import COLOURS, coloured
from text2earth_core.data.landcover.instructions import FORBIDDEN_4V, FORBIDDEN_35, SYSTEM_35, system_4v

CODES = {1: 80, 3: 10, 6: 40}
WATER, TREE, CROP = CODES
QUICK = ("--model", "m", "--wait", "0.01", "--timeout", "5")
GOOD = (
    "In plain words, trees grow in one closed stand from the {side} edge to the middle, and water lies beyond them in "
    "a long narrow band with straight borders on each of its sides. The main theme is a quiet wood by the shore."
)
SIDES = ("northern", "southern", "western", "eastern", "upper", "lower")


def landcover(path: Path, tiles: int) -> tuple[Path, list[np.ndarray]]:
    """A map of so many tiles in a row, trees above water at different heights; WorldCover's codes."""
    classes = []
    for number in range(tiles):
        tile = np.full((256, 256), WATER, np.uint8)
        tile[: 60 + 10 * number] = TREE
        classes.append(tile)
    values = np.vectorize(CODES.get)(np.hstack(classes)).astype(np.uint8)
    with rasterio.open(path, "w", driver="GTiff", height=256, width=256 * tiles, count=1, dtype="uint8") as to:
        to.write(values, 1)
    return path, classes


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_version_35_tells_algorithm_1_and_shows_nothing(tmp_path: Path) -> None:
    source, classes = landcover(tmp_path / "map.tif", 3)
    with running(lambda row, times, body: GOOD.format(side=SIDES[times - 1])) as served:
        found = result("data", "caption", source, tmp_path / "out.jsonl", "--endpoint", served.url, *QUICK,
                       "--concurrency", "1")  # fmt: skip
    assert (found["captions"], found["to_ask"]) == (3, 0)
    for number, body in enumerate(served.bodies):
        assert body["messages"][0]["content"] == SYSTEM_35
        assert isinstance(body["messages"][1]["content"], str)
        assert algorithm_1(classes[number], number) in told(body)
    assert [(line["row"], line["column"]) for line in lines(tmp_path / "out.jsonl")] == [(0, 0), (0, 1), (0, 2)]


@pytest.mark.parametrize("maps", [1, 4])
def test_version_4v_shows_one_or_four_maps_in_colours_with_both_tables(maps: int, tmp_path: Path) -> None:
    source, classes = landcover(tmp_path / "map.tif", 6)

    def say(row: int, times: int, body: dict[str, Any]) -> str:
        count = len(body["messages"][1]["content"]) // 2
        first = [int(one) for one in re.findall(r"tree: top left part: (\d+)", told(body))]
        assert len(first) == count
        return "\n\n".join(GOOD.format(side=f"{SIDES[len(asked) - 1]} {SIDES[place]}") for place in range(count))

    with running(say) as served:
        asked = served.bodies
        found = result("data", "caption", source, tmp_path / "out.jsonl", "--endpoint", served.url, *QUICK,
                       "--version", "4v", "--maps", str(maps), "--concurrency", "1")  # fmt: skip
    assert (found["captions"], found["spent"]["requests"]) == (6, 6 if maps == 1 else 2)
    sizes = [1] * 6 if maps == 1 else [4, 2]
    number = 0
    for size, body in zip(sizes, served.bodies, strict=True):
        assert body["messages"][0]["content"] == system_4v(size)
        parts = body["messages"][1]["content"]
        assert [part["type"] for part in parts] == ["text", "image_url"] * size
        for text, picture in zip(parts[::2], parts[1::2], strict=True):
            assert algorithm_3(classes[number]) in text["text"]
            assert algorithm_2(classes[number]) in text["text"]
            data = base64.b64decode(picture["image_url"]["url"].partition(";base64,")[2])
            with Image.open(io.BytesIO(data)) as shown:
                pixels = np.asarray(shown)
            assert pixels.shape == (128, 128, 3)
            assert (pixels == np.array([COLOURS[one][0] for one in range(12)])[classes[number][::2, ::2]]).all()
            number += 1


def test_answers_that_compare_maps_or_are_not_one_for_each_are_asked_again_one_by_one(tmp_path: Path) -> None:
    source, _ = landcover(tmp_path / "map.tif", 4)
    comparing = GOOD.format(side="northern") + " Compared to the first map, it is wider."

    def say(row: int, times: int, body: dict[str, Any]) -> str:
        count = len(body["messages"][1]["content"]) // 2
        if count == 4:
            return "\n\n".join(
                [GOOD.format(side="western"), comparing, GOOD.format(side="lower"), GOOD.format(side="upper")]
            )
        return GOOD.format(side=SIDES[times - 2])

    with running(say) as served:
        found = result("data", "caption", source, tmp_path / "out.jsonl", "--endpoint", served.url, *QUICK,
                       "--version", "4v")  # fmt: skip
        assert found["troubles"] == {"comparison between images": 1}
        assert (found["captions"], len(served.bodies)) == (4, 2)
        assert 'it refers to other images ("Compared to the first map")' in told(served.bodies[1])
        # Three paragraphs for four maps belong to nobody.
        served.bodies.clear()
        served.asked.clear()
        served.behave = lambda row, times, body: (
            GOOD.format(side="one") + "\n\nTwo.\n\nThree." if times == 1 else GOOD.format(side=SIDES[times - 2])
        )
        found = result("data", "caption", source, tmp_path / "other.jsonl", "--endpoint", served.url, *QUICK,
                       "--version", "4v")  # fmt: skip
        assert found["troubles"] == {"not one description for each image": 4}
        assert (found["captions"], len(served.bodies)) == (4, 5)


def test_a_land_cover_that_is_not_there_is_not_believed(tmp_path: Path) -> None:
    source, _ = landcover(tmp_path / "map.tif", 1)
    wrong = GOOD.format(side="northern") + " Some mangroves stand there."
    with running(lambda row, times, body: wrong if times == 1 else GOOD.format(side="northern")) as served:
        found = result("data", "caption", source, tmp_path / "out.jsonl", "--endpoint", served.url, *QUICK)
    assert found["troubles"] == {"land cover that is not there": 1}
    assert "mangroves" not in lines(tmp_path / "out.jsonl")[0]["caption"]


def test_instructions_name_all_classes_colours_and_forbidden_words() -> None:
    for maps in (1, 4):
        text = system_4v(maps)
        assert all(f"{colour} ({', '.join(map(str, rgb))}): {name}" in text
                   for (rgb, colour), name in list(zip(COLOURS, CLASSES, strict=True))[1:])  # fmt: skip
        assert all(word in text for word in FORBIDDEN_4V)
    assert "4 paragraphs" in system_4v(4)
    assert "compare" not in system_4v(1)
    assert all(word in SYSTEM_35 for word in FORBIDDEN_35)
    with Image.open(io.BytesIO(coloured(np.zeros((1, 3), np.uint8)))) as tiny:
        assert tiny.size == (2, 1)


def test_what_cannot_be_captioned_is_one_sentence(tmp_path: Path) -> None:
    source, _ = landcover(tmp_path / "map.tif", 1)
    out, url = tmp_path / "out.jsonl", "http://127.0.0.1:9/v1"
    (tmp_path / "template.txt").write_text("It is {colour}.", encoding="utf-8")
    asking = ("--endpoint", url, "--model", "m")
    for arguments, words in [
        ((source, out), "--endpoint"), ((source, out, "--endpoint", url), "--model"),
        ((source, out, "--from-map", *asking), "--from-map"), ((source, out, *asking, "--version", "3"), "35 or 4v"),
        ((source, tmp_path, *asking), "file of JSON lines"), ((source, out, *asking, "--max-cost", "1"), "--price-in"),
        ((source, tmp_path / "no" / "out", *asking), "folder that is there"),
        ((tmp_path / "none.tif", out, *asking), "cannot be read"), ((tmp_path, out, *asking), "no parquet"),
        ((source, out, "--endpoint", "http://me:word@a/v1", "--model", "m"), "environment"),
        ((source, out, *asking, "--template", tmp_path / "template.txt"), "template is for tables"),
    ]:  # fmt: skip
        done = run("data", "caption", *arguments)
        assert (done.returncode, words in done.stderr) == (1, True), (arguments, done.stderr)
        assert len(done.stderr.strip().splitlines()) == 1
    done = run("data", "review", out)
    assert (done.returncode, "There is no" in done.stderr) == (1, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.tif", "template.txt"]
