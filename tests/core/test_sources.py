"""Published data sets: where their tiles lie, what is wrong with their rows, and that a conversion loses nothing."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from tests.app.command_line import result, run
from text2earth_core.data.corpus import load_corpus
from text2earth_core.data.sources import training_tables
from text2earth_core.data.sources.convert import convert
from text2earth_core.data.sources.git10m import read_row
from text2earth_core.data.sources.likeness import NEAR, copies, is_open_sea, perceptual_hash
from text2earth_core.data.sources.places import place_of
from text2earth_core.data.sources.training_tables import LEFT_OUT
from text2earth_core.errors import Text2EarthError


def picture(seed: int) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return cv2.resize(coarse, (128, 128), interpolation=cv2.INTER_CUBIC)


def png(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()


def jpeg(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 70])[1].tobytes()


SEA = np.full((128, 128, 3), (10, 40, 90), np.uint8)


def row(number: int, **changed: Any) -> dict[str, Any]:
    """A sound row as the data set has it: values are texts."""
    sound = {
        "image": {"bytes": png(picture(number)), "path": ""}, "img_name": f"{number}.png", "img_quality_score": "4.9",
        "caption": f"15_GOOGLE_LEVEL_A field, number {number}.", "caption_length": "5", "resolution": "4.0",
        "Google_location": "15_17000_11000",
    }  # fmt: skip
    return sound | changed


def test_tiles_lie_where_the_web_mercator_says() -> None:
    assert place_of("0_0_0").corner == pytest.approx((-180, 85.0511287798), abs=1e-9)
    assert place_of("0_0_0").centre == (0, 0)
    assert place_of("1_1_1").corner == (0, 0)
    assert place_of("1_1_1").centre == pytest.approx((90, -66.5132604431), abs=1e-9)
    assert place_of("17_0_0").resolution == 1
    assert place_of("19_5_5").resolution == 0.25
    assert place_of(" 10_3_4 ").resolution == 128


@pytest.mark.parametrize("text", ["", "17_1", "17_1_2_3", "a_b_c", "2_4_0", "2_0_4", "24_0_0", "-1_0_0", "17,1,2"])
def test_a_place_that_is_no_tile_is_told(text: str) -> None:
    with pytest.raises(Text2EarthError, match=r"The place .* is no"):
        place_of(text)


def test_texts_are_read_as_numbers_and_the_level_is_taken_off_the_caption() -> None:
    read = read_row(row(1))
    assert (read.caption, read.quality, read.resolution, read.faults) == ("A field, number 1.", 4.9, 4.0, ())
    assert read_row(row(1, resolution=4, img_quality_score=5)).quality == 5
    assert read_row(row(1, resolution="4.0m")).resolution == 4


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"img_name": ""}, "no name"),
        ({"caption": "15_GOOGLE_LEVEL_"}, "no caption"),
        ({"caption": None}, "no caption"),
        ({"img_quality_score": "good"}, "quality score is no number"),
        ({"img_quality_score": "nan"}, "quality score is no number"),
        ({"resolution": "-1"}, "resolution is no number"),
        ({"caption_length": "five"}, "caption length is no number"),
        ({"Google_location": "15_99999_0"}, "place is no tile"),
        ({"Google_location": "16_17000_11000"}, "level and resolution disagree"),
        ({"caption": "12_GOOGLE_LEVEL_A field."}, "level and resolution disagree"),
    ],
)
def test_each_fault_of_a_row_is_named_once(changed: dict[str, Any], fault: str) -> None:
    assert read_row(row(1, **changed)).faults == (fault,)


def test_a_resolution_that_is_contradicted_is_unknown() -> None:
    assert read_row(row(1, Google_location="16_17000_11000")).resolution is None
    assert read_row(row(1, resolution=None, caption="A field.")).resolution == 4
    assert read_row(row(1, Google_location=None, caption="A field.")).resolution == 4


def test_a_copy_keeps_its_hash_through_a_lossy_format_and_another_size() -> None:
    for seed in range(20):
        lossy = cv2.imdecode(np.frombuffer(jpeg(picture(seed)), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
        smaller = cv2.resize(picture(seed), (96, 96), interpolation=cv2.INTER_AREA)
        for other in (np.ascontiguousarray(lossy), smaller):
            assert (perceptual_hash(picture(seed)) ^ perceptual_hash(other)).bit_count() <= NEAR


def test_copies_are_those_that_comparing_every_pair_finds() -> None:
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**64, 400, dtype=np.uint64)
    for number in range(200, 400):  # each differs in 0 to 6 bits from another
        flipped = sum(1 << int(bit) for bit in rng.choice(64, number % 7, replace=False))
        hashes[number] = hashes[number - 200] ^ np.uint64(flipped)
    expected: list[int] = []
    for number, one in enumerate(hashes):
        kept = [hashes[earlier] for earlier in range(number) if earlier not in expected]
        if any(int(one ^ other).bit_count() <= NEAR for other in kept):
            expected.append(number)
    assert np.flatnonzero(copies(hashes)).tolist() == expected
    assert len(expected) == len([number for number in range(200, 400) if number % 7 <= NEAR])
    assert copies(np.array([], np.uint64)).tolist() == []


def test_open_sea_is_bluish_and_near_uniform() -> None:
    waves = np.random.default_rng(0).normal(0, 8, (128, 128, 1))
    assert is_open_sea(np.clip(SEA + waves, 0, 255).astype(np.uint8))
    ship = SEA.copy()
    ship[60:80, 50:80] = 220
    assert not is_open_sea(ship)
    assert not is_open_sea(np.full((128, 128, 3), (200, 180, 140), np.uint8))  # sand
    assert not is_open_sea(picture(1))


def broken_rows() -> list[dict[str, Any]]:
    return [
        row(0), row(1), row(2, Google_location="16_17000_11000"),
        row(3, image={"bytes": b"no image", "path": ""}), row(4, image=None),
        row(5, image={"bytes": png(SEA), "path": ""}), row(6, image={"bytes": jpeg(picture(1)), "path": ""}),
        row(7, caption=""), row(8, img_quality_score="?", image={"bytes": png(picture(0)), "path": ""}),
    ]  # fmt: skip


def test_every_fault_is_counted_and_no_row_is_lost(tmp_path: Path) -> None:
    rows = broken_rows()
    (tmp_path / "in").mkdir()
    pq.write_table(pa.Table.from_pylist(rows[:5]), tmp_path / "in" / "train-00000.parquet")
    pq.write_table(pa.Table.from_pylist(rows[5:]), tmp_path / "in" / "train-00001.parquet")
    faults = {
        "level and resolution disagree": 1, "image is damaged": 1, "no image": 1, "near-uniform sea": 1,
        "copy of another image": 2, "no caption": 1, "quality score is no number": 1,
    }  # fmt: skip
    found = result("data", "check", tmp_path / "in")
    assert (found["rows"], found["good"], found["faults"]) == (9, 2, faults)
    second = tmp_path / "in" / "train-00001.parquet"
    assert found["examples"]["copy of another image"] == [f"Row 1 of {second}", f"Row 3 of {second}"]

    written = result("data", "convert", tmp_path / "in", tmp_path / "out", "--held-back", "0")
    assert (written["written"], written["left_out"]) == (4, 5)
    told = [json.loads(line) for line in (tmp_path / "out" / LEFT_OUT).read_text("utf-8").splitlines()]
    assert [one["name"] for one in told] == ["3.png", "4.png", "5.png", "6.png", "8.png"]
    pictures = load_corpus(tmp_path / "out")
    assert [one.resolution for one in pictures] == [4, 4, None, 4]
    assert [one.captions for one in pictures] == [(f"A field, number {n}.",) for n in (0, 1, 2)] + [()]
    assert np.array_equal(pictures[0].pixels, picture(0))


def test_a_conversion_begins_new_files_and_holds_images_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_tables, "SHARD_BYTES", 150_000)
    pq.write_table(pa.Table.from_pylist([row(number) for number in range(40)]), tmp_path / "in.parquet")
    convert(str(tmp_path / "in.parquet"), tmp_path / "out", "mine", held_back=0.3)
    assert len(list((tmp_path / "out").glob("mine-*.parquet"))) > 1
    counts = [len(load_corpus(tmp_path / "out", split)) for split in ("train", "val")]
    assert sum(counts) == 40
    assert 4 <= counts[1] <= 20


def test_metadata_alone_is_checked_too(tmp_path: Path) -> None:
    rows = [{name: value for name, value in row(number).items() if name != "image"} for number in range(30)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in.parquet")
    found = result("data", "check", tmp_path / "in.parquet")
    assert (found["rows"], found["good"], found["faults"], found["images"]) == (30, 30, {}, False)
    assert "holds no images" in run("data", "convert", tmp_path / "in.parquet", tmp_path / "out").stderr


def test_a_data_set_on_the_hub_is_read_as_one_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub is fsspec's file system in memory under the hub's name; no network is there."""

    class Hub(MemoryFileSystem):
        protocol = "hf"
        store: ClassVar[dict[str, Any]] = {}
        pseudo_dirs: ClassVar[list[str]] = [""]

        @classmethod
        def _strip_protocol(cls, path: str) -> str:
            return super()._strip_protocol(path.removeprefix("hf://"))

    monkeypatch.setattr("huggingface_hub.HfFileSystem", Hub)
    rows = [{name: value for name, value in row(number).items() if name != "image"} for number in range(5)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    Hub().pipe("/datasets/me/mine/data/a.parquet", (tmp_path / "a.parquet").read_bytes())
    assert result("data", "check", "hf://datasets/me/mine")["good"] == 5
    told = result("data", "stats", "hf://datasets/me/mine", "--report", tmp_path / "report")
    assert told[0]["rows"] == 5


def test_without_a_network_the_hub_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.getaddrinfo", mock.Mock(side_effect=socket.gaierror("no network")))
    failed = run("data", "check", "hf://datasets/me/mine")
    assert (failed.returncode, "cannot be listed" in failed.stderr) == (1, True)
    assert len(failed.stderr.strip().splitlines()) == 1


def test_mistakes_are_one_sentence(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    pq.write_table(pa.table({"captions": [["A field."]]}), tmp_path / "trained.parquet")
    pq.write_table(pa.Table.from_pylist([row(0)]), tmp_path / "good.parquet")
    (tmp_path / "torn.parquet").write_bytes(b"PAR1 and no more")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").touch()
    for arguments, words in [
        (["check", tmp_path / "full"], "holds no parquet files"),
        (["check", tmp_path / "other.parquet"], "is no Git-10M"),
        (["check", tmp_path / "torn.parquet"], "is damaged or no parquet file"),
        (["check", tmp_path / "trained.parquet"], "has the columns of training already"),
        (["convert", tmp_path / "other.parquet", tmp_path / "full"], "is not empty"),
        (["convert", tmp_path / "other.parquet", tmp_path / "torn.parquet"], "is a file"),
        (["convert", tmp_path / "good.parquet", tmp_path / "torn.parquet" / "out"], "cannot be written"),
        (["convert", tmp_path / "good.parquet", tmp_path / "out", "--name", "../x"], "cannot name a data set"),
    ]:
        done = run("data", *arguments)
        assert done.returncode == 1
        assert words in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
