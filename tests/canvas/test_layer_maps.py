"""Layers go into one GeoTIFF and come back from it, bit for bit; what a file does not say is asked in one sentence."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.enums import ColorInterp
from rio_cogeo.cogeo import cog_validate

from canvas import Change, Rect, Scene, SceneError
from canvas.anchor import Anchor
from canvas.maps.export import export_scene
from canvas.maps.import_image import describe, import_image

Make = Callable[..., Change]
RECT = Rect(-264, -16, 600, 520)
UTM = Anchor(32632, 500_000.0, 5_400_000.0)


@pytest.fixture
def layered(scene: Scene, make_change: Make) -> Scene:
    """A scene of two layers that cover the same place."""
    scene.accept(make_change(RECT, 1))
    scene.accept(make_change(RECT, 2, layer="nir"))
    scene.set_anchor(UTM)
    return scene


def write_bands(path: Path, values: np.ndarray, **more: object) -> Path:
    """A GeoTIFF of bands (n, h, w) of 2 m/px somewhere on Earth."""
    place = rasterio.transform.from_origin(500_000, 5_400_000, 2, 2)
    with rasterio.open(
        path, "w", driver="GTiff", count=len(values), height=values.shape[1], width=values.shape[2],
        dtype=values.dtype, crs="EPSG:32632", transform=place, **more,
    ) as file:  # fmt: skip
        file.write(values)
    return path


def test_colours_and_near_infrared_are_one_cloud_optimized_file(layered: Scene, tmp_path: Path) -> None:
    export_scene(layered, tmp_path / "a.tif", layers=["nir", "rgb"])
    valid, errors, warnings = cog_validate(tmp_path / "a.tif", strict=True, quiet=True)
    assert (valid, errors, warnings) == (True, [], [])
    with rasterio.open(tmp_path / "a.tif") as file:
        assert file.descriptions == ("red", "green", "blue", "nir")
        assert [one.name for one in file.colorinterp] == ["red", "green", "blue", "nir"]
        assert file.tags()["LAYERS"] == "rgb, nir"
        written = np.moveaxis(file.read(), 0, 2)
    assert np.array_equal(written[..., :3], layered.read(RECT).pixels)
    assert np.array_equal(written[..., 3:], layered.read(RECT, "nir").pixels)
    if shutil.which("gdalinfo"):
        said = subprocess.run(["gdalinfo", tmp_path / "a.tif"], capture_output=True, text=True, check=True).stdout
        assert "Description = nir" in said


@pytest.mark.parametrize("holes", [False, True])
def test_an_import_of_the_file_gives_both_layers_again(
    layered: Scene, tmp_path: Path, make_change: Make, holes: bool
) -> None:
    if holes:  # the layers end in different places
        layered.erase(Rect(0, 0, 64, 64))
        layered.erase(Rect(-264, 200, 128, 40), "nir")
    export_scene(layered, tmp_path / "a.tif", layers=["rgb", "nir"])
    with Scene.create(tmp_path / "again.t2e", 1.0) as again:
        again.set_anchor(UTM)
        made = import_image(again, tmp_path / "a.tif")
        assert [entry.request["layer"] for entry in made.entries] == ["rgb", "nir"]
        for layer in ("rgb", "nir"):
            old, new = layered.read(RECT, layer), again.read(RECT, layer)
            assert np.array_equal(new.valid, old.valid)
            assert np.array_equal(new.pixels, old.pixels)
        again.undo()
        assert again.summary()["layers"] == ["rgb"]
    with Scene.create(tmp_path / "elsewhere.t2e", 1.0) as elsewhere:  # which gets its place on Earth from the file
        import_image(elsewhere, tmp_path / "a.tif")
        assert elsewhere.layer_bounds["rgb"] == elsewhere.layer_bounds["nir"]


@pytest.mark.parametrize("layer", ["pan", "nir", "sar"])
def test_a_single_band_goes_out_and_comes_back_as_one(
    scene: Scene, tmp_path: Path, make_change: Make, layer: str
) -> None:
    scene.accept(make_change(RECT, 3, layer=layer))
    export_scene(scene, tmp_path / "a.tif")
    export_scene(scene, tmp_path / "a.png")
    expected = scene.read(RECT, layer).pixels
    picture = Image.open(tmp_path / "a.png")
    assert picture.mode == "L"
    assert np.array_equal(np.asarray(picture), expected[..., 0])
    with Scene.create(tmp_path / "again.t2e", 1.0) as again:
        import_image(again, tmp_path / "a.tif")
        assert again.summary()["layers"] == [layer]
        assert np.array_equal(again.read(again.layer_bounds[layer].snap_out(), layer).pixels, expected)


def test_formats_of_one_layer_say_so(layered: Scene, tmp_path: Path) -> None:
    with pytest.raises(SceneError, match=r"A .png file holds one layer: choose one of rgb, nir, or a .tif"):
        export_scene(layered, tmp_path / "a.png", layers=["rgb", "nir"])
    with pytest.raises(SceneError, match=r"The layer sar has no content here: choose among rgb, nir"):
        export_scene(layered, tmp_path / "a.tif", layers=["rgb", "sar"])
    export_scene(layered, tmp_path / "nir.zip", layers=["nir"])
    export_scene(layered, tmp_path / "nir.mbtiles", layers=["nir"])


def test_a_file_of_four_bands_says_or_is_told_which_is_near_infrared(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (4, 64, 64), dtype=np.uint8)
    plain = write_bands(tmp_path / "plain.tif", values, photometric="RGB", alpha="NO")
    with Scene.create(tmp_path / "a.t2e", 2.0) as scene:
        assert describe(plain, scene)["layers"] == {"rgb": [1, 2, 3]}
        made = import_image(scene, plain, bands=[3, 2, 1, 4])
        assert [entry.request["layer"] for entry in made.entries] == ["rgb", "nir"]
        assert np.array_equal(scene.read(Rect(0, 0, 64, 64), "nir").pixels[..., 0], values[3])
        assert np.array_equal(scene.read(Rect(0, 0, 64, 64)).pixels[..., 0], values[2])
        with pytest.raises(SceneError, match=r"has 4 bands and the layer sar has one: say which it is"):
            import_image(scene, plain, layer="sar")
        with pytest.raises(SceneError, match="The layer nir has one band: name one of the 4"):
            import_image(scene, plain, layer="nir", bands=[1, 2, 3])
        assert import_image(scene, plain, layer="nir", bands=[4]).entries[0].request["layer"] == "nir"
    with rasterio.open(plain, "r+") as file:
        file.set_band_description(4, "Near infrared")
    with Scene.create(tmp_path / "b.t2e", 2.0) as scene:
        assert describe(plain, scene)["layers"] == {"rgb": [1, 2, 3], "nir": [4]}
        assert [entry.request["layer"] for entry in import_image(scene, plain).entries] == ["rgb", "nir"]
    with rasterio.open(plain) as file:
        assert file.colorinterp[3] == ColorInterp.undefined


def test_one_band_is_taken_as_grey_and_offered_as_a_layer_of_one(tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(0, 256, (1, 64, 64), dtype=np.uint8)
    file = write_bands(tmp_path / "grey.tif", values)
    with Scene.create(tmp_path / "a.t2e", 2.0) as scene:
        assert any("as the layer pan" in note for note in import_image(scene, file).notes)
        assert not import_image(scene, file, layer="pan").notes
        assert scene.summary()["layers"] == ["rgb", "pan"]
        assert np.array_equal(scene.read(Rect(0, 0, 64, 64), "pan").pixels[..., 0], values[0])


def test_deep_and_broken_values_of_one_band_become_bytes_or_holes(tmp_path: Path) -> None:
    values = np.random.default_rng(2).normal(-12, 4, (1, 64, 64)).astype(np.float32)  # backscatter in dB
    values[0, :8, :8] = np.nan
    file = write_bands(tmp_path / "sar.tif", values, nodata=-9999)
    with Scene.create(tmp_path / "a.t2e", 2.0) as scene:
        made = import_image(scene, file, layer="sar")
        patch = scene.read(Rect(0, 0, 64, 64), "sar")
        assert not patch.valid[:8, :8].any()
        assert patch.valid[8:, 8:].all()
        assert (patch.pixels[8:, 8:].min(), patch.pixels.max()) == (0, 255)
        assert any("became 0 to 255" in note for note in made.notes)
        whole = values[0, 8:, 8:]
        order = np.corrcoef(whole.ravel(), patch.pixels[8:, 8:].ravel())[0, 1]
        assert order > 0.98


def test_a_picture_with_a_colour_table_is_no_layer_of_one_band(tmp_path: Path) -> None:
    picture = Image.fromarray(np.zeros((16, 16), np.uint8), "L").convert("P")
    picture.save(tmp_path / "table.png")
    with (
        Scene.create(tmp_path / "a.t2e", 2.0) as scene,
        pytest.raises(SceneError, match="colour table cannot be the layer nir: import it as rgb"),
    ):
        import_image(scene, tmp_path / "table.png", 2.0, layer="nir")
