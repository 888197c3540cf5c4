"""Counting: numbers in prompts, counts from captions, a counter that learns, and pictures with so many places."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from scipy.ndimage import label

from tests.app.command_line import run
from tests.core.conftest import encoded
from text2earth_core import Text2Earth, Text2EarthError
from text2earth_core.study.counting.counter import Counter, count, measured, train, usual_of
from text2earth_core.study.counting.labels import Labelled, counts_of
from text2earth_core.study.counting.places import draw_counted, lay_out, mask_of
from text2earth_core.study.counting.plan import Plan, kind_of, read_numbers
from text2earth_core.study.counting.study import table_of
from text2earth_core.study.counting.words import KINDS, MOST, NUMBERS, phrase, read_count

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("prompt", "number", "kind", "one", "ground"),
    [
        ("twelve storage tanks", 12, "storage tank", "a storage tank", "bare land"),
        ("An aerial image of 7 big white oil tanks on bare land", 7, "storage tank", "a big white oil tank",
         "An aerial image of bare land"),
        ("a satellite image of two islands", 2, "island", "an island", "a satellite image of open water"),
        ("a meadow with three ponds beside a road", 3, "pond", "a pond", "a meadow beside a road"),
        ("There are five airplanes parked on the apron.", 5, "airplane", "an airplane", "the apron"),
        ("one tennis court near a forest", 1, "tennis court", "a tennis court", "a forest"),
        ("many trees and two aircraft", 2, "airplane", "an aircraft", "many trees"),
        ("twenty ships in a harbour", 20, "boat", "a ship", "a harbour"),
    ],
)  # fmt: skip
def test_a_number_and_its_object_are_read(prompt: str, number: int, kind: str, one: str, ground: str) -> None:
    found = read_count(prompt)
    assert (found.number, found.kind.name, found.one, found.ground) == (number, kind, one, ground)


@pytest.mark.parametrize(
    "prompt",
    [
        "storage tanks",
        "21 boats",
        "twenty-one boats",
        "0 boats",
        "0.5 m boats",
        "two castles",
        "one boats",
        "two boat",
        "",
    ],
)
def test_what_is_no_number_of_objects_is_told(prompt: str) -> None:
    with pytest.raises(Text2EarthError, match="does not say how many of what"):
        read_count(prompt)


def test_every_phrase_is_read_back() -> None:
    for kind in KINDS:
        for number in range(1, MOST + 1):
            found = read_count(phrase(number, kind))
            assert (found.number, found.kind) == (number, kind)
    assert (phrase(1, kind_of("ship")), NUMBERS[-1]) == ("one boat", "twenty")


def test_captions_tell_a_number_only_where_they_agree() -> None:
    five = ["Four storage tanks are near a road.", "There are four white tanks.", "Some tanks near trees."]
    assert counts_of(five)["storage tank"] == 4
    assert "storage tank" not in counts_of([*five, "three tanks near a road"])
    assert "storage tank" not in counts_of(["two tanks and three white tanks"])
    assert counts_of(["a pond is near a road", "a green pond"]) == {"pond": 1}
    assert counts_of(["a pond is near a road", "a road"]) == {}
    assert counts_of(["a pond is near a road", "a pond", "many ponds"]) == {}
    assert set(counts_of(["yellow sand"], "desert").values()) == {0}
    assert counts_of(["a boat on sand", "yellow sand"], "desert").keys() == {kind.name for kind in KINDS} - {"boat"}


@pytest.mark.parametrize("number", range(1, MOST + 1))
def test_places_lie_inside_and_apart_and_follow_from_the_seed(number: int) -> None:
    for seed in range(5):
        centres, radius = lay_out(number, 256, seed)
        assert label(np.asarray(mask_of(centres, radius, 256)) > 0)[1] == number
        assert centres.min() >= radius
        assert centres.max() <= 256 - radius
        assert np.array_equal(lay_out(number, 256, seed)[0], centres)
    assert not np.array_equal(lay_out(number, 256, 5)[0], centres)
    with pytest.raises(Text2EarthError, match="1 to 20"):
        lay_out(number + MOST, 256, 0)


def test_a_picture_with_places_is_the_ground_everywhere_else() -> None:
    model = Text2Earth.from_preset("tiny")
    made = draw_counted(model, "three ponds on a meadow", seed=4, size=64, steps=2)
    (ground,) = model.generate("a meadow", seed=4, size=64, steps=2)
    changed = (np.asarray(made) != np.asarray(ground)).any(axis=2)
    centres, radius = lay_out(3, 64, 4)
    near = np.asarray(mask_of(centres, radius + 5, 64)) > 0
    assert changed[np.asarray(mask_of(centres, radius - 2, 64)) > 0].mean() > 0.5
    assert not changed[~near].any()
    again = draw_counted(model, "three ponds on a meadow", seed=4, size=64, steps=2)
    assert np.array_equal(np.asarray(again), np.asarray(made))


def discs(number: int, seed: int, side: int = 48) -> np.ndarray:
    """White discs of one size on dark ground."""
    rng = np.random.default_rng(seed)
    centres, _ = lay_out(number, side, seed)
    pixels = rng.normal(60, 8, (side, side, 3))
    pixels[np.asarray(mask_of(centres, 4, side)) > 0] += 120
    return pixels.clip(0, 255).astype(np.uint8)


def of_discs(numbers: list[int], first: int) -> Labelled:
    counts = np.full((len(numbers), len(KINDS)), np.nan, np.float32)
    counts[:, 0] = numbers
    return Labelled(np.stack([discs(number, first + at) for at, number in enumerate(numbers)]), counts)


def test_a_counter_learns_to_count_from_numbers_alone_and_is_measured() -> None:
    torch.manual_seed(0)
    known = of_discs([1 + n % 6 for n in range(96)], 0)
    counter = train(Counter(8), known, 250, 16, 0, CPU, lambda *_: None)
    others = of_discs([1 + n % 6 for n in range(48)], 1000)
    kind, together, several = measured(counter, others, usual_of(known.counts), CPU)
    assert (kind["kind"], kind["images"], together["kind"], several["images"]) == ("storage tank", 48, "all", 40)
    assert kind["error"] < 0.5 < 1.5 <= kind["usual_error"]
    found = count(counter, others.pixels, CPU)[:, 0]
    assert kind["exact"] == pytest.approx((found == others.counts[:, 0]).mean())
    with pytest.raises(Text2EarthError, match="No caption"):
        train(Counter(8), Labelled(known.pixels, 0 * known.counts), 1, 2, 0, CPU, lambda *_: None)


def test_the_table_tells_both_ways_and_the_gain() -> None:
    pictures = [
        {"kind": kind, "number": 4, "counts": counts}
        for kind, several in (("pond", [[4, 4], [3, 4], [9, 4], [4, 6]]), ("boat", [[0, 4]])) for counts in several
    ]  # fmt: skip
    pond, boat, together = table_of(pictures)
    assert (pond["as drawn"]["exact"]["value"], pond["with places"]["exact"]["value"]) == (0.5, 0.75)
    assert (pond["as drawn"]["within_one"], pond["as drawn"]["error"]) == (0.75, 1.5)
    assert (pond["gain"]["value"], boat["gain"]["value"], together["gain"]["value"]) == (0.25, 1.0, 0.4)
    assert (together["kind"], together["pictures"]) == ("all", 5)


@pytest.fixture(scope="module")
def counted_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of discs whose captions tell how many, as RSICD's do."""
    folder = tmp_path_factory.mktemp("counted")
    rows = []
    for number in range(12):
        many = 2 + number % 3
        captions = [f"{NUMBERS[many - 1]} storage tanks on bare land", f"There are {many} tanks."]
        for split in ("train", "val"):
            rows.append({"image": encoded(discs(many, number, 64)), "label": "storage tanks", "captions": captions,
                         "resolution": None, "split": split})  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), folder / "rsicd.parquet")
    return folder


def test_a_study_goes_on_where_it_was_and_shows_both_ways(
    counted_data: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "study"
    command = ["study", "counting", "--data", counted_data, "--report", out, "--model", tiny_folder, "--device", "cpu",
               "--small", "--kind", "oil tank", "--kind", "pond", "--numbers", "2,5", "--steps", "3"]  # fmt: skip
    done = run(*command, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [row["kind"] for row in found["table"]] == ["storage tank", "pond", "all"]
    assert [row["images"] for row in found["counter"]] == [12, 12, 12]
    assert found["training_images"] == 12
    files = {path: path.stat().st_mtime_ns for path in [out / "counter.safetensors", *(out / "images").glob("*.png")]}
    assert len(files) == 1 + 2 * 2 * 2
    page = (out / "report.html").read_text("utf-8")
    assert all(f'src="{name}"' in page for picture in found["pictures"] for name in picture["files"])
    assert 'src="http' not in page
    gone = out / "images" / "pond-05-0-b.png"
    before = gone.read_bytes()
    gone.unlink()
    again = run(*command, "--json")
    assert json.loads(again.stdout) == found
    assert gone.read_bytes() == before
    assert all(path.stat().st_mtime_ns == when for path, when in files.items() if path != gone)
    other = run(*command, "--seeds", "2")
    assert (other.returncode, "a study whose seeds is 1" in other.stderr) == (1, True)


def test_the_option_of_generate_draws_so_many_places(tiny_folder: Path, tmp_path: Path) -> None:
    options = ["--model", tiny_folder, "--device", "cpu", "--steps", "2", "--seed", "3"]
    done = run("generate", "--prompt", "five boats", "--count-places", "--out", tmp_path / "a.png", *options)
    assert done.returncode == 0, done.stderr
    made = draw_counted(Text2Earth.from_pretrained(tiny_folder, "cpu"), "five boats", seed=3, steps=2)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png")), np.asarray(made))
    failed = run("generate", "--prompt", "boats", "--count-places", "--out", tmp_path / "b.png", *options)
    assert (failed.returncode, "does not say how many" in failed.stderr, (tmp_path / "b.png").exists()) == (
        1,
        True,
        False,
    )


def test_bad_input_is_one_sentence() -> None:
    for text in ("", "0", "21", "1,a", "1,,2"):
        with pytest.raises(Text2EarthError, match="no numbers to count"):
            read_numbers(text)
    with pytest.raises(Text2EarthError, match='"castle" is not counted here'):
        kind_of("castle")
    plan = replace(Plan.reduced(), kinds=("pond",), numbers=(1, 2), seeds=2)
    assert plan.prompts() == ["one pond", "two ponds"]
    assert [(number, seed) for _, number, seed in plan.wanted()] == [(1, 0), (2, 0), (1, 1), (2, 1)]
