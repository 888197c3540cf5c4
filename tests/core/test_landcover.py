"""ChatEarthNet's algorithms on maps small enough to count by hand, and maps too large for memory."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import rasterio

from tests.app.command_line import result, run
from text2earth_core.data.landcover.algorithms import (
    NOUNS,
    algorithm_1,
    algorithm_2,
    algorithm_3,
    percent,
    shares,
    size_word,
)
from text2earth_core.data.landcover.captions import caption_of
from text2earth_core.data.landcover.classes import WORLDCOVER, table_of
from text2earth_core.data.landcover.maps import tiles_of
from text2earth_core.errors import Text2EarthError

WATER, TREE, GRASS, CROP = 1, 3, 5, 6
MAINLY = "mainly contains the following land cover types, in descending order of content:"


def write(path: Path, values: np.ndarray, **tags: float) -> Path:
    height, width = values.shape
    with rasterio.open(
        path, "w", driver="GTiff", height=height, width=width, count=1, dtype=values.dtype, **tags
    ) as to:
        to.write(values, 1)
    return path


def without_nouns(text: str) -> str:
    for noun in NOUNS:
        text = text.replace(f" {noun})", ")")
    return text


def halves() -> np.ndarray:
    """Water above trees; a strip of 20 rows of crop at the bottom of the left half."""
    classes = np.full((256, 256), TREE, np.uint8)
    classes[:128] = WATER
    classes[236:, :128] = CROP
    return classes


@pytest.mark.parametrize(
    ("percents", "word"),
    [
        (0, "extra small"), (9, "extra small"), (10, "small"), (19, "small"), (20, "medium"), (49, "medium"),
        (50, "large"), (79, "large"), (80, "extra large"), (100, "extra large"),
    ],
)  # fmt: skip
def test_sizes_change_their_words_at_the_papers_borders(percents: int, word: str) -> None:
    assert size_word(percents) == word


def test_percents_are_whole_and_halves_go_up() -> None:
    assert [percent(part, 1000) for part in (0, 94, 95, 99, 104, 105, 194, 195, 495, 794, 795, 1000)] == [
        0, 9, 10, 10, 10, 11, 19, 20, 50, 79, 80, 100,
    ]  # fmt: skip


def test_algorithm_1_says_what_counting_by_hand_says() -> None:
    # Crop in the bottom left: 20 of 128 rows = 15.6 %; in the middle (rows 64..191) there is none.
    assert without_nouns(algorithm_1(halves())) == "\n".join([
        "The overall land cover distributions from most to least are: water; tree; crop.",
        f"The top left {MAINLY} water (extra large).",
        f"The top right {MAINLY} water (extra large).",
        f"The bottom left {MAINLY} "
        "tree (extra large) and crop (small).",
        f"The bottom right {MAINLY} tree (extra large).",
        f"The middle {MAINLY} "
        "water (large) and tree (large).",
    ])  # fmt: skip
    assert algorithm_1(halves(), seed=3) == algorithm_1(halves(), seed=3)


@pytest.mark.parametrize(
    ("rows", "percents", "words"),
    [  # of the 128 rows of the top left; pixels make up for what rows leave
        (11, 9, "extra small"), (13, 10, "small"), (25, 20, "medium"), (63, 49, "medium"), (64, 50, "large"),
        (101, 79, "large"), (102, 80, "extra large"),
    ],
)  # fmt: skip
def test_sizes_of_patches_change_at_the_papers_borders(rows: int, percents: int, words: str) -> None:
    classes = np.full((256, 256), TREE, np.uint8)
    classes[:rows, :128] = WATER
    assert next(one.percent for one in shares(classes)["top left"] if one.name == "water") == percents
    assert f"water ({words})" in without_nouns(algorithm_1(classes)).splitlines()[1]


@pytest.mark.parametrize(
    ("pixels", "words"),
    [  # of the 16384 of the top left; a half per cent more is the next one: 9.5 % are 1556.48, 19.5 % 3194.88
        (1556, "extra small"), (1557, "small"), (3194, "small"), (3195, "medium"), (8110, "medium"), (8111, "large"),
        (13025, "large"), (13026, "extra large"),
    ],
)  # fmt: skip
def test_a_pixel_decides_at_the_borders(pixels: int, words: str) -> None:
    quarter = np.full(128 * 128, TREE, np.uint8)
    quarter[:pixels] = WATER
    classes = np.full((256, 256), TREE, np.uint8)
    classes[:128, :128] = quarter.reshape(128, 128)
    assert f"water ({words})" in without_nouns(algorithm_1(classes)).splitlines()[1]


def test_patches_with_two_one_and_no_class_are_told_as_they_are() -> None:
    classes = np.zeros((256, 256), np.uint8)
    classes[:128, :64], classes[:128, 64:128] = WATER, TREE  # half and half, the one with the smaller number first
    classes[:128, 128:] = CROP
    lines = without_nouns(algorithm_1(classes)).splitlines()
    assert lines[0].endswith("crop; water; tree.")
    assert lines[1] == f"The top left {MAINLY} water (large) and tree (large)."
    assert lines[2] == f"The top right {MAINLY} crop (extra large)."
    # Of the middle only the upper half is known: rows 64..127, columns 64..127 tree and 128..191 crop.
    assert lines[3:] == [f"The middle {MAINLY} tree (large) and crop (large)."]
    assert [len(several) for several in shares(classes).values()] == [2, 1, 0, 0, 2]


def test_a_patch_names_its_three_largest_classes() -> None:
    classes = np.full((256, 256), TREE, np.uint8)
    classes[:40, :128], classes[40:60, :128], classes[60:70, :128] = WATER, CROP, GRASS
    # Of 128 rows: tree 58 = 45.3 %, water 40 = 31.25 %, crop 20 = 15.6 %, grass 10 = 7.8 % is the fourth.
    assert [(one.name, one.percent) for one in shares(classes)["top left"]] == [
        ("tree", 45),
        ("water", 31),
        ("crop", 16),
    ]
    assert "tree; water; crop; grass." in algorithm_1(classes)


def test_a_class_counts_from_twenty_pixels_in_each_part() -> None:
    classes = np.full((256, 256), TREE, np.uint8)
    classes[0, :19] = WATER
    assert "water" not in algorithm_1(classes) + algorithm_2(classes) + algorithm_3(classes)
    classes[255, 0] = WATER  # 20 in the map, 19 and 1 in its patches
    assert "tree; water." in algorithm_1(classes)
    assert "water (" not in algorithm_1(classes)
    assert "water" not in algorithm_2(classes)
    assert "water: top left part: 95.00%" in algorithm_3(classes)
    classes[0, 19] = WATER
    assert "water (extra small" in algorithm_1(classes)


def test_pixels_without_data_are_no_part_of_the_whole() -> None:
    classes = np.zeros((256, 256), np.uint8)
    classes[:64, :128], classes[64:80, :128] = WATER, TREE  # 80 of 128 rows known: 80 % and 20 %
    text = without_nouns(algorithm_1(classes))
    assert "content: water (extra large) and tree (medium)." in text
    assert "bottom left" not in text
    assert algorithm_2(classes).splitlines()[:2] == [
        "top left distribution: water: 0.80; tree: 0.20", "top right distribution: none",
    ]  # fmt: skip
    assert algorithm_2(classes, as_code=True).startswith("top left distribution: water: 0.50; tree: 0.12")
    nothing = np.zeros((256, 256), np.uint8)
    assert algorithm_1(nothing) == "The overall land cover distributions from most to least are: none."
    assert (algorithm_3(nothing), caption_of(nothing)) == ("none", "")


def test_algorithms_2_and_3_say_what_counting_by_hand_says() -> None:
    assert algorithm_2(halves()).splitlines() == [
        "top left distribution: water: 1.00", "top right distribution: water: 1.00",
        "bottom left distribution: tree: 0.84; crop: 0.16", "bottom right distribution: tree: 1.00",
        "middle distribution: water: 0.50; tree: 0.50",
    ]  # fmt: skip
    # Tree: 108 x 128 + 128 x 128 = 30208 pixels: 13824 bottom left, 16384 bottom right, 64 x 128 = 8192 in the middle.
    quarter = "bottom left part: 0.00%; bottom right part: 0.00%"
    assert algorithm_3(halves()).splitlines() == [
        f"water: top left part: 50.00%; top right part: 50.00%; {quarter}; middle part: 25.00%",
        "tree: top left part: 0.00%; top right part: 0.00%; bottom left part: 45.76%; bottom right part: 54.24%; "
        "middle part: 27.12%",
        "crop: top left part: 0.00%; top right part: 0.00%; bottom left part: 100.00%; bottom right part: 0.00%; "
        "middle part: 0.00%",
    ]
    assert "tree: top left part: 0.00%; top right part: 0.00%; bottom left part: 84.38%" in algorithm_3(halves(), True)


def test_a_caption_from_a_map_says_the_same() -> None:
    assert caption_of(halves()) == (
        "A satellite image of mainly water, with trees and cropland. "
        "The top left and the top right show an extra large part of water. "
        "The bottom left shows an extra large part of trees and a small part of cropland. "
        "The bottom right shows an extra large part of trees. "
        "The middle shows a large part of water and a large part of trees."
    )
    assert caption_of(np.full((256, 256), TREE, np.uint8)) == "A satellite image of trees."


def test_worldcovers_codes_are_known_and_others_refused() -> None:
    names = {10: 3, 20: 4, 30: 5, 40: 6, 50: 2, 60: 7, 70: 8, 80: 1, 90: 9, 95: 10, 100: 11}
    assert {code: number for code, number in WORLDCOVER.items() if number} == names
    assert table_of({10, 80}, "auto")[[10, 80]].tolist() == [3, 1]
    assert table_of({1, 11}, "auto")[[1, 11]].tolist() == [1, 11]
    for values, codes, words in [({10}, "auto", "--codes"), ({77}, "auto", "77"), ({80}, "paper", "80")]:
        with pytest.raises(Text2EarthError, match=words):
            table_of(values, codes)


def test_a_map_of_a_hundred_million_pixels_needs_the_memory_of_a_band(tmp_path: Path) -> None:
    path = tmp_path / "large.tif"
    side = 10_000
    options = {"driver": "GTiff", "height": side, "width": side, "count": 1, "dtype": "uint8", "compress": "deflate"}
    with rasterio.open(path, "w", **options) as to:
        for top in range(0, side, 250):
            band = np.full((1, 250, side), 10 if top < 5000 else 80, np.uint8)
            to.write(band, window=((top, top + 250), (0, side)))
    tracemalloc.start()
    count = pixels = trees = 0
    for tile in tiles_of(path):
        count, pixels, trees = count + 1, pixels + tile.classes.size, trees + int((tile.classes == TREE).sum())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (count, pixels, trees) == (40 * 40, side * side, side * side // 2)
    assert peak < 60e6  # bincount takes eight bytes for a pixel of a band of 2.56 million


def test_the_commands_print_and_write_a_text_for_each_tile(tmp_path: Path) -> None:
    code = {WATER: 80, TREE: 10, CROP: 40}
    values = np.vectorize(code.get)(halves()).astype(np.uint8)
    one = write(tmp_path / "one.tif", values)
    assert run("data", "landcover", one, "--algorithm", "3").stdout.strip() == algorithm_3(halves())
    wide = write(tmp_path / "wide.tif", np.hstack([values, np.full((256, 100), 255, np.uint8), values]), nodata=255)
    assert run("data", "landcover", wide, "--algorithm", "2").stdout.count("# tile 0, ") == 3
    run("data", "landcover", wide, "--algorithm", "1", "--out", tmp_path / "out.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert [(line["row"], line["column"]) for line in lines] == [(0, 0), (0, 1), (0, 2)]
    assert lines[0]["prompt"] == algorithm_1(halves())
    assert result("data", "caption", one, tmp_path / "c.jsonl", "--from-map")["captions"] == 1
    assert json.loads((tmp_path / "c.jsonl").read_text("utf-8"))["caption"] == caption_of(halves())


def test_what_is_no_map_of_classes_is_told(tmp_path: Path) -> None:
    floats = write(tmp_path / "floats.tif", np.ones((8, 8), np.float32))
    deep = write(tmp_path / "deep.tif", np.full((8, 8), 300, np.uint16))
    empty = write(tmp_path / "empty.tif", np.zeros((8, 8), np.uint8))
    below = write(tmp_path / "below.tif", np.full((8, 8), -3, np.int16))
    strange = write(tmp_path / "strange.tif", np.array([[10, 77]], np.uint8))
    (tmp_path / "torn.tif").write_bytes(b"II*\0 no more")
    for path, words in [
        (floats, "whole numbers"), (deep, "300"), (empty, "no class at all"), (tmp_path / "torn.tif", "cannot be read"),
        (tmp_path / "none.tif", "cannot be read"), (below, "holds -3"), (strange, "holds 77"),
    ]:  # fmt: skip
        done = run("data", "landcover", path, "--algorithm", "1")
        assert (done.returncode, words in done.stderr) == (1, True), done.stderr
        for name, more in (("landcover", ["--algorithm", "1", "--out"]), ("caption", ["--from-map"])):
            if (path, name) != (empty, "caption"):
                done = run("data", name, path, *more, tmp_path / "out.jsonl")
                assert (done.returncode, words in done.stderr, "choose another" in done.stderr) == (1, True, False)


def test_a_map_without_a_place_is_read_without_a_word_and_specks_have_no_caption(tmp_path: Path) -> None:
    classes = np.pad(halves(), ((0, 1), (0, 0)))
    classes[256, :3] = WATER
    done = run("data", "caption", write(tmp_path / "map.tif", classes), tmp_path / "c.jsonl", "--from-map", "--json")
    assert (json.loads(done.stdout)["captions"], done.returncode) == (1, 0)
    assert done.stderr.strip() == "1 tiles hold no class of 20 pixels, and have no caption."
    assert len((tmp_path / "c.jsonl").read_text("utf-8").splitlines()) == 1
