"""A user's folder is read in every layout that people have, and what is wrong with it is one sentence."""

import json

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import rasterio
from rasterio.transform import from_origin

from text2earth_core import Text2EarthError
from text2earth_core.data.own.folder import read_folder


def write_image(path, shade=100, side=80):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((side, side + 10, 3), shade, np.uint8))


def write_table(path, rows):
    pq.write_table(pa.Table.from_pylist(rows), path)


def encoded(shade):
    return cv2.imencode(".png", np.full((80, 80, 3), shade, np.uint8))[1].tobytes()


def test_captions_stand_in_metadata(tmp_path):
    lines = []
    for number in range(5):
        write_image(tmp_path / "a" / f"{number}.png", 10 * number)
        line = {"file_name": f"a/{number}.png", "text": f"tank {number}"}
        lines.append(json.dumps(line | ({"resolution": 0.5} if number == 0 else {})))
    lines[1] = json.dumps({"file_name": "a/1.png", "caption": ["one", "another"]})
    lines[2] = json.dumps({"file_name": "a/2.png", "text": "16_GOOGLE_LEVEL_a tank"})
    (tmp_path / "metadata.jsonl").write_text("\n".join(lines), encoding="utf-8-sig")
    found = {int(picture.pixels[0, 0, 0]): picture for picture in read_folder(tmp_path)}
    assert found[0].captions == ("tank 0",)
    assert found[10].captions == ("one", "another")
    assert (found[0].resolution, found[20].resolution, found[30].resolution) == (0.5, 2.0, None)


def test_captions_stand_beside_images_or_folders_name_them(tmp_path):
    for number in range(4):
        write_image(tmp_path / "solar_farm" / f"{number}.jpg", 50 * number)
    (tmp_path / "solar_farm" / "3.txt").write_text("panels in rows\n\nblue panels\n")
    found = sorted(read_folder(tmp_path), key=lambda one: one.pixels[0, 0, 0])
    assert [one.label for one in found] == ["solar farm"] * 3 + [""]
    assert found[3].captions == ("panels in rows", "blue panels")


def test_tables_of_the_hub_are_read(tmp_path):
    rows = [{"image": {"bytes": encoded(40 * n), "path": ""}, "text": "a tank", "resolution": "?"} for n in range(4)]
    write_table(tmp_path / "train-00000-of-00001.parquet", rows)
    found = read_folder(tmp_path)
    assert [one.captions for one in found] == [("a tank",)] * 4
    assert [one.resolution for one in found] == [None] * 4


@pytest.mark.parametrize("kind", ["uint8", "uint16"])
def test_geotiffs_are_cut_into_tiles_with_captions_from_their_map(tmp_path, kind):
    """At their true scale, without those that are not whole."""
    classes = np.full((600, 520), 10, np.uint8)
    classes[:256, :256] = 80
    values = np.where(classes == 80, 10, 200).astype(kind) * (1 if kind == "uint8" else 30)
    place = {"driver": "GTiff", "height": 600, "width": 520, "crs": "EPSG:32632",
             "transform": from_origin(500_000, 5_300_000, 2.0, 2.0)}  # fmt: skip
    with rasterio.open(tmp_path / "city.tif", "w", count=3, dtype=kind, **place) as file:
        file.write(np.stack([values] * 3))
    with rasterio.open(tmp_path / "city_map.tif", "w", count=1, dtype="uint8", **place) as file:
        file.write(classes, 1)
    found = read_folder(tmp_path)
    assert len(found) == 4
    assert {one.resolution for one in found} == {2.0}
    assert found[0].captions == ("A satellite image of water.",)
    assert "trees" in found[1].captions[0]
    assert found[0].pixels.mean() < 60 < 150 < found[1].pixels.mean()
    with rasterio.open(tmp_path / "city_map.tif", "w", count=1, dtype="uint8", **(place | {"height": 500})) as file:
        file.write(classes[:500], 1)
    with pytest.raises(Text2EarthError, match="must lie on the picture's grid"):
        read_folder(tmp_path)


def test_what_is_wrong_is_one_sentence(tmp_path):
    def refused(words):
        with pytest.raises(Text2EarthError, match=words) as caught:
            read_folder(folder)
        assert "\n" not in str(caught.value)

    folder = tmp_path / "none"
    refused("There is no folder")
    folder = tmp_path / "mine"
    folder.mkdir()
    refused("neither images")
    for number in range(3):
        write_image(folder / f"{number}.png")
    refused("holds 3 usable images")
    write_image(folder / "3.png")
    refused("Nothing is said of the images")
    (folder / "metadata.jsonl").write_text('{"file_name": "../../etc/passwd", "text": "x"}')
    refused("which is not in")
    (folder / "metadata.jsonl").write_text('{"file_name": "9.png", "text": "x"}')
    refused("which is not there")
    (folder / "metadata.jsonl").write_text("[" * 100_000)
    refused("Line 1 of .* is no JSON object")
    (folder / "metadata.jsonl").write_bytes(b"\xff\xfe\xfa")
    refused("no text in UTF-8")
    (folder / "metadata.jsonl").unlink()
    for number in range(3):
        (folder / f"{number}.png").write_bytes(b"no image")
    refused("is damaged: its image cannot be decoded")
    write_table(folder / "x.parquet", [{"image": encoded(1), "other": 1}])
    refused("needed are image, and one of text")
    (folder / "x.parquet").write_bytes(b"PAR1")
    refused("no parquet file")
