"""ChatEarthNet's six lists: read with all that may be wrong in them, written, and read back the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.app.command_line import result, run
from text2earth_core.data.chatearthnet.layout import RGB_FOLDER, SPLITS, list_name, split_of
from text2earth_core.data.chatearthnet.reading import Findings, Record, read
from text2earth_core.data.chatearthnet.writing import Captioned, write
from text2earth_core.data.corpus import load_corpus
from text2earth_core.data.sources.training_tables import LEFT_OUT
from text2earth_core.errors import Text2EarthError


def put(folder: Path, version: str, split: str, entries: Any) -> None:
    path = folder / "json_files" / list_name(version, split)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(entries), encoding="utf-8")


def put_image(folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), (0, 90, 0)).save(folder / name)


def records_of(folder: Path) -> tuple[list[Record], Findings]:
    findings = Findings()
    return list(read(folder, findings)), findings


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_missing_images_and_other_faults_are_told_and_counted_and_lose_no_record(tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    put_image(tmp_path, secret.name)
    folder = tmp_path / "set"
    for name in ("a.png", "b.png"):
        put_image(folder / RGB_FOLDER, name)
    put(folder, "35", "train", [
        {"image_id": "a.png", "caption": "A wood."}, {"image": "b.png", "caption": ["A lake.", "Water."]},
        {"image_id": "c.png", "caption": "A road."}, {"image_id": "../../secret.png", "caption": "A path."},
        {"image_id": "a.png", "caption": "A wood once more."},
    ])  # fmt: skip
    put(folder, "35", "val", [{"caption": "Nothing."}, {"image_id": "a.png", "caption": " "}, "no entry", 7])
    put(folder, "4v", "test", [{"image_id": "a.png", "caption": "The same image in the other version."}])
    found = result("data", "chatearthnet", "read", folder, tmp_path / "out.jsonl")
    written = lines(tmp_path / "out.jsonl")
    assert (len(written), found["rows"], found["good"]) == (10, 10, 3)
    assert found["lists"] == {list_name("35", "train"): 5, list_name("35", "val"): 4, list_name("4v", "test"): 1}
    assert found["faults"] == {
        "image is missing": 2, "image is there twice": 2, "no image name": 3, "no caption": 3,
        "image name is a path": 1,
    }  # fmt: skip
    assert found["examples"]["image name is a path"] == [f"../../secret.png (3 of {list_name('35', 'train')})"]
    assert [line["name"] for line in written[:5]] == ["a.png", "b.png", "c.png", "../../secret.png", "a.png"]
    assert [bool(line["image"]) for line in written[:5]] == [True, True, False, False, True]
    assert written[1]["caption"] == ["A lake.", "Water."]


def test_what_is_written_is_read_back_the_same_and_written_the_same_again(tmp_path: Path) -> None:
    captions = [Captioned(f"tile_{number}.png", f"Description {number} of „ground“.") for number in range(200)]
    for number in range(0, 200, 2):
        put_image(tmp_path / "images" / "deep", f"tile_{number}.png")
    found = write(iter(captions), tmp_path / "set", "4v", tmp_path / "images")
    assert (found["images"], found["faults"]) == (100, {"image is missing": 100})
    records, findings = records_of(tmp_path / "set")
    assert findings.as_json()["faults"] == {"image is missing": 100}
    assert {(one.name, one.captions[0]) for one in records} == {(one.name, one.caption) for one in captions}
    assert all(one.split == split_of(one.name) for one in records)
    assert all((one.image is not None) == (int(one.name[5:-4]) % 2 == 0) for one in records)
    with (tmp_path / "back.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(one.as_json()) + "\n" for one in records)
    result("data", "chatearthnet", "write", tmp_path / "back.jsonl", tmp_path / "again", "--version", "4v")
    for split in SPLITS:
        place = Path("json_files") / list_name("4v", split)
        assert (tmp_path / "again" / place).read_bytes() == (tmp_path / "set" / place).read_bytes()


def test_both_versions_fit_into_one_folder_and_none_is_written_over(tmp_path: Path) -> None:
    one = [Captioned("a.png", "A wood.", "val")]
    write(iter(one), tmp_path, "35")
    assert write(iter(one), tmp_path, "4v")["lists"][list_name("4v", "val")] == 1
    with pytest.raises(Text2EarthError, match="there already"):
        write(iter(one), tmp_path, "35")
    assert sorted(path.name for path in (tmp_path / "json_files").iterdir()) == sorted(
        list_name(version, split) for version in ("35", "4v") for split in SPLITS
    )
    assert json.loads((tmp_path / "json_files" / list_name("35", "train")).read_text("utf-8")) == []


def test_captions_that_cannot_be_written_are_counted(tmp_path: Path) -> None:
    several = [Captioned("a.png", "A wood."), Captioned("", "x"), Captioned("../a.png", "x"), Captioned("b.png", " "),
               Captioned("a.png", "A wood once more.")]  # fmt: skip
    assert write(iter(several), tmp_path, "35")["faults"] == {
        "image is missing": 1, "no image name": 1, "image name is a path": 1, "no caption": 1,
        "image is there twice": 1,
    }  # fmt: skip


def test_halves_of_characters_are_faults_and_not_the_end(tmp_path: Path) -> None:
    put(tmp_path / "set", "35", "train", [
        {"image_id": "a.png", "caption": "A \ud800 wood."}, {"image_id": "\udfff.png", "caption": "A lake."},
    ])  # fmt: skip
    found = result("data", "chatearthnet", "read", tmp_path / "set", tmp_path / "out.jsonl")
    assert found["faults"] == {"image is missing": 2, "no caption": 1, "no image name": 1}
    assert [line["name"] for line in lines(tmp_path / "out.jsonl")] == ["a.png", "\\udfff.png"]
    told = write([Captioned("a.png", "A \ud800 wood."), Captioned("b.png", "A lake.")], tmp_path / "out", "35")
    assert (told["faults"], sum(told["lists"].values())) == ({"half a character": 1, "image is missing": 1}, 1)


def test_a_folder_becomes_what_training_reads_and_no_record_is_lost(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    for name in ("a.png", "b.png"):
        put_image(folder / RGB_FOLDER, name)
    (folder / RGB_FOLDER / "torn.png").write_bytes(b"\x89PNG no more")
    put_image(folder / "s2_band_5_6_7_images", "bands.png")
    names = ("a", "torn", "bands", "none")
    put(folder, "35", "train", [{"image_id": f"{name}.png", "caption": f"Caption of {name}."} for name in names])
    put(folder, "35", "val", [{"image_id": "b.png", "caption": "A wood."}])
    put(folder, "4v", "test", [{"image_id": "a.png", "caption": "Seen by another."}])
    found = result("data", "convert", folder, tmp_path / "out")
    assert (found["rows"], found["good"], found["written"], found["left_out"]) == (6, 1, 2, 3)
    assert found["faults"] == {
        "image is missing": 2, "image is damaged": 1, "versions put it into different splits": 2,
    }  # fmt: skip
    left = lines(tmp_path / "out" / LEFT_OUT)
    assert {one["name"]: one["faults"] for one in left} == {
        "none.png": ["image is missing"], "bands.png": ["image is missing"], "torn.png": ["image is damaged"],
    }  # fmt: skip
    (held,) = load_corpus(tmp_path / "out", "val")
    assert (held.captions, held.resolution, held.pixels.shape) == (("A wood.",), 10.0, (8, 8, 3))
    (tested,) = load_corpus(tmp_path / "out", "test")
    assert tested.captions == ("Caption of a.", "Seen by another.")
    with pytest.raises(Text2EarthError, match="no images of the split"):
        load_corpus(tmp_path / "out", "train")
    failed = run("data", "convert", folder, tmp_path / "out")
    assert (failed.returncode, "is not empty" in failed.stderr) == (1, True)
    (folder / RGB_FOLDER / "a.png").unlink()
    (folder / RGB_FOLDER / "b.png").unlink()
    failed = run("data", "convert", folder, tmp_path / "other")
    assert (failed.returncode, "can be used" in failed.stderr, (tmp_path / "other").exists()) == (1, True, False)


def test_splits_have_the_shares_of_the_paper() -> None:
    found = [split_of(f"{number}.png") for number in range(10_000)]
    assert [round(found.count(split) / 1000) for split in SPLITS] == [6, 1, 3]


def test_what_is_no_chatearthnet_is_told(tmp_path: Path) -> None:
    put(tmp_path / "torn", "35", "train", [])
    (tmp_path / "torn" / "json_files" / list_name("35", "train")).write_text('[{"image', encoding="utf-8")
    put(tmp_path / "thing", "35", "train", {"a": 1})
    (tmp_path / "bad.jsonl").write_text("[1]\n", encoding="utf-8")
    for arguments, words in [
        (("read", tmp_path / "nowhere"), "none of ChatEarthNet's lists"), (("read", tmp_path / "torn"), "is no JSON"),
        (("read", tmp_path / "thing"), "is no list"), (("write", tmp_path / "bad.jsonl"), "in line 1"),
        (("write", tmp_path / "none.jsonl"), "cannot be read"),
    ]:  # fmt: skip
        options = ("--version", "35") if arguments[0] == "write" else ()
        done = run("data", "chatearthnet", *arguments, tmp_path / "out", *options)
        assert (done.returncode, words in done.stderr) == (1, True), done.stderr
    assert not (tmp_path / "out").is_file()
