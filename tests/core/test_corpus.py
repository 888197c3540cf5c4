"""What a folder of parquet files may hold: people's own images, and rows that are not what they should be."""

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from text2earth_core import Text2Earth, Text2EarthError
from text2earth_core.data.captions import describe
from text2earth_core.data.corpus import load_corpus, read_rows, scene_sets
from text2earth_core.data.pack import pack
from text2earth_core.training.diffusion import train_diffusion
from text2earth_core.training.text import train_text
from text2earth_core.training.vae import cell_statistics, train_vae


def encoded(side: int = 128) -> bytes:
    pixels = np.random.default_rng(side).integers(0, 255, (side, side, 3), np.uint8)
    return cv2.imencode(".png", pixels)[1].tobytes()


def row(**changes) -> dict:
    usual = {"image": {"bytes": encoded()}, "label": "forest", "captions": ["Trees ."], "resolution": 0.5}
    return usual | {"split": "train"} | changes


def write(folder, name, rows):
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / f"{name}.parquet")
    return folder


@pytest.fixture
def own(tmp_path):
    """A folder with nothing but a person's own images, some of them small."""
    rows = [row(), row(label="lake"), row(image={"bytes": encoded(48)})]
    return write(tmp_path / "own", "my-fields", rows + [one | {"split": "val"} for one in rows])


def test_all_parts_can_be_trained_on_own_images_alone(own, tmp_path):
    assert scene_sets(own) == ["my-fields"]
    Text2Earth.from_preset("tiny").save_pretrained(tmp_path / "model")
    train_vae("tiny", own, tmp_path / "model", samples=16)
    train_text("tiny", own, tmp_path / "other", samples=96)
    train_diffusion("tiny", own, tmp_path / "model", samples=8, batch=8)
    assert pack(own, tmp_path / "model", tmp_path / "pack", 50)["images"] == 3
    assert len(load_corpus(tmp_path / "pack")) == 3


def test_data_sets_are_told_from_other_files(own):
    write(own, "eurosat", [row()])
    write(own, "pairs", [{"source_image": b"1", "split": "train"}])
    (own / "more-00000.parquet").write_bytes((own / "my-fields.parquet").read_bytes())
    assert scene_sets(own) == ["more", "my-fields"]


@pytest.mark.parametrize("content", ["half", b"", b"version https://git-lfs.github.com/spec/v1", b"<html>"])
@pytest.mark.parametrize("name", ["train-00001-of-00002", "own-00001", "whole"])
def test_a_file_that_is_not_there_in_full_is_refused_and_not_left_out(own, name, content):
    """A training on half of the images would be found out after days, or never."""
    whole = (own / "my-fields.parquet").read_bytes()
    (own / "train-00000-of-00002.parquet").write_bytes(whole)
    (own / f"{name}.parquet").write_bytes(whole[: len(whole) // 2] if content == "half" else content)
    with pytest.raises(Text2EarthError, match=rf"{name}\.parquet is damaged.*download it again"):
        load_corpus(own)


@pytest.mark.parametrize("ending", ["", "-0123456789abcdef"])
def test_parts_that_say_how_many_they_are_are_one_data_set(own, ending):
    whole = (own / "my-fields.parquet").read_bytes()
    for number in range(2):
        (own / f"train-0000{number}-of-00002{ending}.parquet").write_bytes(whole)
    assert scene_sets(own) == ["my-fields", "train"]
    assert len(load_corpus(own, files=["train"])) == 6
    (own / f"train-00001-of-00002{ending}.parquet").unlink()
    with pytest.raises(Text2EarthError, match=r"train-00001-of-00002\.parquet is missing"):
        load_corpus(own)


def damaged(pixels_left: float) -> dict:
    data = encoded()
    return row(image={"bytes": data[: int(len(data) * pixels_left)]})


def test_one_damaged_image_among_many_is_named_and_left_out(tmp_path, caplog):
    write(tmp_path, "mine-00000", [row()] * 9)
    write(tmp_path, "mine-00001", [row()] * 4 + [damaged(0.5)] + [row()] * 4)
    assert len(load_corpus(tmp_path)) == 17
    assert "Row 4 of" in caplog.text
    assert "mine-00001.parquet is damaged" in caplog.text
    assert "1 of 18 images" in caplog.text


def test_a_row_without_an_image_counts_as_a_damaged_one(tmp_path, caplog):
    write(tmp_path, "mine", [row()] * 9 + [row(image=None)])
    assert len(load_corpus(tmp_path)) == 9
    assert "Row 9 of" in caplog.text


def test_too_many_damaged_images_are_refused_with_the_share_that_may_be(tmp_path):
    write(tmp_path, "mine", [row()] * 8 + [damaged(0.5), damaged(0.9)])
    with pytest.raises(Text2EarthError, match=r"Row 8 of .*mine.* 2 of 10 images are, and at most 1% may be"):
        load_corpus(tmp_path)
    write(tmp_path, "mine", [damaged(0.5)])
    with pytest.raises(Text2EarthError, match=r"Row 0 of .*mine.* is damaged"):
        load_corpus(tmp_path)


def test_a_pack_holds_no_damaged_image(tmp_path):
    write(tmp_path / "data", "mine", [row()] * 9 + [damaged(0.5)])
    Text2Earth.from_preset("tiny").save_pretrained(tmp_path / "model")
    assert pack(tmp_path / "data", tmp_path / "model", tmp_path / "pack", 50)["images"] == 9


@pytest.mark.parametrize("kind", ["uint16.png", "uint16.tif", "float32.tif", "grey.uint16.png", "grey.float32.tif"])
def test_more_than_eight_bits_are_stretched_as_an_import_does(tmp_path, kind):
    """Reflectances up to 3,060 of 65,535, divided by 256, would be trained on as black."""
    *grey, dtype, suffix = kind.split(".")
    pixels = cv2.resize(np.random.default_rng(1).integers(0, 255, (16, 16, 3), np.uint8), (128, 128))
    deep = (pixels.astype(dtype) * 12)[..., 0] if grey else pixels.astype(dtype) * 12
    write(tmp_path, "mine", [row(image={"bytes": cv2.imencode(f".{suffix}", deep)[1].tobytes()})])
    (picture,) = load_corpus(tmp_path)
    low, high = np.percentile(deep, (2, 98))
    expected = np.clip((deep - low) * 255 / (high - low) + 0.5, 0, 255).astype(np.uint8)
    expected = np.dstack([expected] * 3) if grey else expected[..., ::-1]
    assert np.abs(picture.pixels.astype(int) - expected).max() <= 1
    assert picture.pixels.max() == 255


@pytest.mark.parametrize("coloured", [0, 3])
def test_an_autoencoder_learns_from_images_without_colours(tmp_path, coloured):
    """Panchromatic and radar images: their colours do not vary at all."""
    grey = np.random.default_rng(0).integers(0, 255, (128, 128), np.uint8)
    rows = [row(image={"bytes": cv2.imencode(".png", grey)[1].tobytes()})] * 3 + [row()] * coloured
    write(tmp_path / "data", "mine", rows + [one | {"split": "val"} for one in rows])
    train_vae("tiny", tmp_path / "data", tmp_path / "model", samples=32)
    mean, std = cell_statistics(load_corpus(tmp_path / "data"))
    assert (std >= 0.01).all()
    assert mean.isfinite().all()


def test_a_folder_without_images_to_train_on_is_told(tmp_path):
    write(tmp_path / "data", "pairs", [{"source_image": b"1", "split": "train"}])
    with pytest.raises(Text2EarthError, match=r"captions, resolution, split.* holds pairs\.parquet"):
        load_corpus(tmp_path / "data")


def test_a_folder_that_is_not_there_is_told_for_named_data_sets_too(tmp_path):
    for files in (None, ["rsicd"]):
        with pytest.raises(Text2EarthError, match="There is no data folder"):
            load_corpus(tmp_path / "nowhere", files=files)


def test_images_that_are_all_too_small_are_told(tmp_path):
    data = write(
        tmp_path / "data", "mine", [row(image={"bytes": encoded(24)}, split=split) for split in ("train", "val")]
    )
    Text2Earth.from_preset("tiny").save_pretrained(tmp_path / "model")
    with pytest.raises(Text2EarthError, match="too small for a window of 64 px"):
        train_diffusion("tiny", data, tmp_path / "model", samples=8)
    with pytest.raises(Text2EarthError, match="crops of 96 px"):
        train_vae("tiny", data, tmp_path / "model", samples=8)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"image": None}, "no image"),
        ({"image": {"bytes": b""}}, "no image"),
        ({"image": {"bytes": None}}, "no image"),
        ({"captions": [1, 2]}, "no texts"),
        ({"resolution": "fine"}, "not a number"),
        ({"resolution": -1.0}, "not a number"),
        ({"resolution": float("nan")}, "not a number"),
        ({"label": 7}, "no text"),
    ],
)
def test_a_damaged_row_is_named(tmp_path, changes, wrong):
    write(tmp_path, "mine", [row(**changes)])
    with pytest.raises(Text2EarthError, match=f"Row 0 of .*mine.parquet is damaged: .*{wrong}"):
        read_rows(tmp_path, "mine")


def test_what_can_be_understood_is(tmp_path):
    """One caption without a list, plain bytes, nothing said: people's tables differ."""
    write(tmp_path, "plain", [row(image=encoded(), captions="a lake", label=None, resolution=None)])
    write(tmp_path, "holes", [row(captions=[None, " ", "a lake"])])
    (plain,), (holes,) = read_rows(tmp_path, "plain"), read_rows(tmp_path, "holes")
    assert plain["captions"] == holes["captions"] == ["a lake"]
    assert plain["image"]["bytes"] == encoded()
    assert (plain["label"], plain["resolution"]) == ("", None)


def test_a_caption_that_says_the_level_says_the_resolution(tmp_path):
    level = ["15_GOOGLE_LEVEL_a lake"]
    write(tmp_path, "mine", [row(captions=level, resolution=None), row(captions=level, resolution=0.5)])
    assert [one.resolution for one in load_corpus(tmp_path)] == [4.0, 0.5]


def test_an_image_without_a_label_is_told_by_its_captions_alone(tmp_path):
    write(tmp_path, "mine", [row(label=None), row(label=None, captions=[])])
    captioned, silent = load_corpus(tmp_path)
    rng = np.random.default_rng(0)
    assert {describe(captioned, rng) for _ in range(50)} == {"Trees"}
    assert describe(silent, rng) == ""


def test_towers_without_any_label_are_told(tmp_path):
    write(tmp_path, "mine", [row(label=None, split=split) for split in ("train", "val")])
    with pytest.raises(Text2EarthError, match="column `label`"):
        train_text("tiny", tmp_path, tmp_path / "out", samples=96)
