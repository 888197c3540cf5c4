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
from text2earth_core.training.vae import train_vae


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
    (own / "broken.parquet").write_bytes(b"no")
    (own / "more-00000.parquet").write_bytes((own / "my-fields.parquet").read_bytes())
    assert scene_sets(own) == ["more", "my-fields"]


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
