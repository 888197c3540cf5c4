"""What a file's tags say about its bands is honoured, and what they take away is told with the way to keep it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.crs import CRS
from rasterio.enums import ColorInterp
from rasterio.transform import from_origin

from canvas import Rect, Scene, SceneError
from canvas.maps.import_image import describe, import_image

PLACE = {"crs": CRS.from_epsg(32633), "transform": from_origin(500_000, 5_400_000, 1, 1)}


def geotiff(path: Path, data: np.ndarray, **profile: Any) -> Path:
    """Write (bands, h, w)."""
    count, height, width = data.shape
    with rasterio.open(
        path, "w", driver="GTiff", count=count, height=height, width=width, dtype=data.dtype, **profile
    ) as file:
        file.write(data)
    return path


def infrared(dark: int, light: int, dtype: str = "uint8", columns: int = 50) -> np.ndarray:
    """(4, 128, 128): colours and a fourth band in which the water of the left columns is dark."""
    data = np.full((4, 128, 128), 90, dtype)
    data[3] = light
    data[3, :, :columns] = dark
    return data


def shown(scene: Scene) -> np.ndarray:
    with scene.snapshot() as at:
        return at.pixels(at.bounds)[0]


def test_near_infrared_that_is_marked_as_transparency_hides_nothing_where_the_bands_are_named(tmp_path: Path) -> None:
    """GDAL marks the fourth band of 8 bits as alpha, whatever it holds."""
    file = geotiff(tmp_path / "a.tif", infrared(20, 180), **PLACE)
    with rasterio.open(file) as made:
        assert made.colorinterp[3] == ColorInterp.alpha
    with Scene.create(tmp_path / "a.t2e", 1.0) as scene:
        assert describe(file, scene)["alpha"]
        told = " ".join(import_image(scene, file).notes)
        assert "band 4 is marked as transparency and hides 39 % of it" in told
        assert "1,2,3" in told
        assert scene.bounds == Rect(50, 0, 78, 128)
        scene.undo()
        assert not any("transparency" in note for note in import_image(scene, file, bands=(1, 2, 3)).notes)
        assert scene.bounds == Rect(0, 0, 128, 128)


def test_a_band_of_infrared_can_itself_be_shown(tmp_path: Path, scene: Scene) -> None:
    import_image(scene, geotiff(tmp_path / "a.tif", infrared(20, 180), **PLACE), bands=(4, 2, 1))
    assert set(np.unique(shown(scene)[..., 0])) == {20, 180}


def test_sixteen_bits_and_two_bands_are_told_the_same(tmp_path: Path) -> None:
    deep = geotiff(tmp_path / "deep.tif", infrared(2000, 60_000, "uint16"), photometric="RGB", alpha="YES", **PLACE)
    two = geotiff(tmp_path / "two.tif", infrared(20, 180)[2:], photometric="MINISBLACK", alpha="YES", **PLACE)
    for file, bands in ((deep, (1, 2, 3)), (two, (1,))):
        with Scene.create(file.with_suffix(".t2e"), 1.0) as scene:
            told = " ".join(import_image(scene, file).notes)
            assert "39 %" in told
            assert "all: " + ",".join(map(str, bands)) + "." in told
            scene.undo()
            import_image(scene, file, bands=bands)
            assert scene.bounds == Rect(0, 0, 128, 128)


def test_a_file_that_is_transparent_throughout_says_how_to_keep_it(tmp_path: Path, scene: Scene) -> None:
    file = geotiff(tmp_path / "a.tif", infrared(20, 20), **PLACE)
    with pytest.raises(SceneError, match=r"no known pixel.*band 4.*1,2,3"):
        import_image(scene, file)
    assert scene.bounds is None


def test_transparency_that_hides_nothing_is_not_spoken_of(tmp_path: Path, scene: Scene) -> None:
    assert import_image(scene, geotiff(tmp_path / "a.tif", infrared(255, 255), **PLACE)).notes == [
        f"The scene now lies at its place on Earth: {scene.anchor}."
    ]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_where_zero_is_white_it_is_shown_white(tmp_path: Path, scene: Scene, dtype: str) -> None:
    data = np.zeros((1, 40, 40), dtype)
    data[0, :, 20:] = 255
    file = geotiff(tmp_path / "a.tif", data, photometric="MINISWHITE")
    import_image(scene, file, resolution=1.0)
    assert (shown(scene)[:, :20] == 255).all()
    assert (shown(scene)[:, 20:] == 0).all()


@pytest.mark.parametrize("bits", [1, 4])
def test_where_zero_is_white_in_few_bits_too(tmp_path: Path, scene: Scene, bits: int) -> None:
    data = np.zeros((1, 40, 40), np.uint8)
    data[0, :, 20:] = 2**bits - 1
    file = geotiff(tmp_path / "a.tif", data, photometric="MINISWHITE", nbits=bits)
    import_image(scene, file, resolution=1.0)
    assert (shown(scene)[:, :20] == 255).all()
    assert (shown(scene)[:, 20:] == 0).all()


def test_a_colour_table_of_sixteen_bits_means_its_colours(tmp_path: Path, scene: Scene) -> None:
    data = np.full((1, 40, 40), 700, np.uint16)
    with rasterio.open(
        tmp_path / "a.tif", "w", driver="GTiff", count=1, height=40, width=40, dtype="uint16", photometric="PALETTE"
    ) as file:
        file.write(data)
        file.write_colormap(1, {700: (10, 200, 30, 255)})
    import_image(scene, tmp_path / "a.tif", resolution=1.0)
    assert (shown(scene) == (10, 200, 30)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("dtype", "big"), [("uint8", False), ("uint8", True), ("uint16", False)])
def test_a_tiff_lies_as_its_orientation_says(
    tmp_path: Path, scene: Scene, orientation: int, dtype: str, big: bool
) -> None:
    values = np.random.default_rng(0).integers(0, 256, (40, 56)).astype(dtype)
    Image.fromarray(values).save(tmp_path / "a.tif", tiffinfo={274: orientation}, big_tiff=big, compression="tiff_lzw")
    import_image(scene, tmp_path / "a.tif", resolution=1.0, value_range=(0, 255))
    upright = Image.open(tmp_path / "a.tif")
    upright.load()  # which turns a TIFF
    assert np.array_equal(shown(scene)[..., 0], np.asarray(upright))


def test_coordinates_come_before_the_orientation(tmp_path: Path, scene: Scene) -> None:
    """They speak of the pixels as they are stored, in GDAL and in every GIS."""
    data = np.random.default_rng(0).integers(0, 256, (1, 30, 40)).astype(np.uint8)
    file = geotiff(tmp_path / "a.tif", data, **PLACE)
    raw = bytearray(file.read_bytes())
    import_image(scene, file)
    before = shown(scene)
    where = raw.find((277).to_bytes(2, "little") + (3).to_bytes(2, "little"))  # samples a pixel: 1, the default
    raw[where : where + 2] = (274).to_bytes(2, "little")
    raw[where + 8 : where + 10] = (6).to_bytes(2, "little")
    file.write_bytes(raw)
    scene.undo()
    import_image(scene, file)
    assert np.array_equal(shown(scene), before)
