"""An imported image lies at its true place, has its true size, means its colours, and is one change of the scene."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from PIL import Image, ImageOps
from rasterio.crs import CRS
from rasterio.enums import ColorInterp

from canvas import Change, Rect, Scene, SceneError
from canvas.anchor import Anchor
from canvas.maps.export import export_scene
from canvas.maps.import_image import describe, import_image

Make = Callable[..., Change]
UTM = CRS.from_epsg(32632)


def pixels(scene: Scene, rect: Rect | None = None) -> tuple[np.ndarray, np.ndarray]:
    with scene.snapshot() as at:
        return at.pixels(rect or at.bounds)


def noise(height: int, width: int, bands: int = 3, dtype: str = "uint8", seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (bands, height, width)).astype(dtype)


def geotiff(path: Path, data: np.ndarray, **profile: Any) -> Path:
    """Write (bands, h, w)."""
    count, height, width = data.shape
    interp = profile.pop("colorinterp", None)
    with rasterio.open(
        path, "w", driver="GTiff", count=count, height=height, width=width, dtype=data.dtype, **profile
    ) as file:
        file.write(data)
        if interp:
            file.colorinterp = interp
    return path


def north_up(east: float, north: float, pixel: float) -> Affine:
    return Affine(pixel, 0, east, 0, -pixel, north)


def test_a_second_import_under_way_does_not_move_the_scene_to_its_own_place(tmp_path: Path, scene: Scene) -> None:
    """Both find the scene empty; the one that is accepted first says where it lies."""
    first, second = (
        geotiff(tmp_path / f"{east}.tif", noise(16, 24), crs=UTM, transform=north_up(east, 5_400_000.0, 1.0))
        for east in (500_000.0, 600_000.0)
    )

    def meanwhile(done: int, total: int) -> None:
        if scene.bounds is None:
            import_image(scene, first)

    with pytest.raises(SceneError, match="another place on Earth meanwhile"):
        import_image(scene, second, progress=meanwhile)
    assert scene.anchor == Anchor(32632, 500_000.0, 5_400_000.0)
    assert len(scene.history()) == 1
    import_image(scene, second)
    assert scene.bounds == Rect(0, 0, 100_024, 16)


def test_a_resolution_chosen_meanwhile_is_told(tmp_path: Path, scene: Scene) -> None:
    file = geotiff(tmp_path / "a.tif", noise(16, 24), crs=UTM, transform=north_up(500_000.0, 5_400_000.0, 1.0))
    with pytest.raises(SceneError, match="m/px"):
        import_image(scene, file, progress=lambda done, total: scene.set_resolution(2.0))
    assert scene.bounds is None


def test_nothing_can_stop_an_import_that_is_in_the_scene(tmp_path: Path, scene: Scene) -> None:
    """Who cancels in its last moment would be told that it was cancelled, and a retry would import it twice."""
    file = geotiff(tmp_path / "a.tif", noise(16, 24), crs=UTM, transform=north_up(500_000.0, 5_400_000.0, 1.0))
    told = []
    import_image(scene, file, progress=lambda done, total: told.append(scene.revision))
    assert told
    assert set(told) == {0}


def test_exported_imported_and_exported_again_is_the_same_map(scene: Scene, tmp_path: Path, make_change: Make) -> None:
    change = make_change(Rect(-264, -16, 600, 520))
    change.valid[100:200, 50:90] = False
    scene.accept(change)
    for name, anchor in (("local", None), ("anchored", Anchor(32632, 500_000.0, 5_400_000.0))):
        first, second = tmp_path / f"{name}.tif", tmp_path / f"{name}-again.tif"
        export_scene(scene, first, anchor=anchor)
        with Scene.create(tmp_path / f"{name}.t2e", 1.0) as other:
            assert describe(first, other)["placed"]
            import_image(other, first)
            export_scene(other, second)
        with rasterio.open(first) as a, rasterio.open(second) as b:
            assert a.transform == b.transform
            assert a.crs == b.crs
            assert np.array_equal(a.dataset_mask(), b.dataset_mask())
            assert np.array_equal(a.read(), b.read())


def test_a_grid_that_does_not_agree_comes_back_within_the_error_of_resampling(tmp_path: Path) -> None:
    """A smooth picture is moved by fractions of a pixel, out and in again."""
    y, x = np.mgrid[0:200, 0:240]
    smooth = np.stack([128 + 90 * np.sin(x / 9), 128 + 90 * np.cos(y / 7), 128 + 60 * np.sin((x + y) / 11)])
    file = geotiff(tmp_path / "a.tif", smooth.astype("uint8"), crs=UTM, transform=north_up(500_000.4, 5_400_000.7, 1.0))
    with Scene.create(tmp_path / "a.t2e", 1.0) as scene:
        scene.set_anchor(Anchor(32632, 500_000.0, 5_400_000.0))
        import_image(scene, file)
        assert scene.bounds == Rect(0, -1, 240, 200)  # less than half of the pixels at two sides is covered
        export_scene(scene, tmp_path / "b.tif")
    with Scene.create(tmp_path / "b.t2e", 1.0) as scene:
        scene.set_anchor(Anchor(32632, 500_000.4, 5_400_000.7))
        import_image(scene, tmp_path / "b.tif")
        again, valid = pixels(scene, Rect(4, 4, 232, 192))
    assert valid.all()
    expected = np.moveaxis(smooth, 0, 2)[4:196, 4:236]
    assert np.abs(again - expected).max() < 4


def test_one_step_with_the_file_named_by_its_hash_that_undo_takes_back(scene: Scene, tmp_path: Path) -> None:
    file = tmp_path / "roof.png"
    Image.fromarray(np.moveaxis(noise(300, 310), 0, 2)).save(file)
    import_image(scene, file, resolution=1.0, at=(-7, 13))
    (step,) = scene.history()
    assert step.request["kind"] == "import"
    assert step.request["frame"] == [-7, 13, 310, 300]
    assert step.request["source"]["file"] == "roof.png"
    assert step.request["source"]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert step.request["source"]["resolution"] == 1.0
    assert np.array_equal(pixels(scene)[0], np.asarray(Image.open(file)))
    scene.undo()
    assert scene.bounds is None
    scene.redo()
    assert scene.bounds == Rect(-7, 13, 310, 300)


def test_an_import_replaces_what_was_there_and_nothing_beside_it(
    scene: Scene, tmp_path: Path, make_change: Make
) -> None:
    change = make_change(Rect(0, 0, 512, 512))
    scene.accept(change)
    data = noise(100, 200, 4)
    data[3] = 255
    data[3, 20:40, 30:50] = 0
    Image.fromarray(np.moveaxis(data, 0, 2)).save(tmp_path / "a.png")
    import_image(scene, tmp_path / "a.png", resolution=1.0, at=(150, 203))
    expected = change.pixels.copy()
    shown = data[3] > 0
    expected[203:303, 150:350][shown] = np.moveaxis(data[:3], 0, 2)[shown]
    assert np.array_equal(pixels(scene)[0], expected)
    patch = scene.read(Rect(0, 0, 512, 512))
    assert not patch.latent_valid[203 // 8 : 303 // 8, 150 // 8 : 350 // 8][:, :2].any()
    assert patch.latent_valid[:24].all()  # latents beside it are as they were


def test_a_hundred_pixels_of_half_a_metre_are_averaged_to_fifty(tmp_path: Path) -> None:
    data = noise(300, 200)
    Image.fromarray(np.moveaxis(data, 0, 2)).save(tmp_path / "a.png")
    with Scene.create(tmp_path / "a.t2e", 2.0) as scene:
        import_image(scene, tmp_path / "a.png", resolution=0.5)
        found, valid = pixels(scene)
    assert valid.all()
    means = data.reshape(3, 75, 4, 50, 4).mean((2, 4))
    assert np.abs(np.moveaxis(found, 2, 0) - means).max() <= 0.51


def test_any_shrinking_keeps_the_mean(tmp_path: Path) -> None:
    """Point sampling would show some of the noise, averaging shows its mean."""
    Image.fromarray(np.moveaxis(noise(700, 700), 0, 2)).save(tmp_path / "a.png")
    for factor in (1.7, 3.3, 10.5):
        with Scene.create(tmp_path / f"{factor}.t2e", factor) as scene:
            import_image(scene, tmp_path / "a.png", resolution=1.0)
            found, _ = pixels(scene)
        assert abs(found.mean() - 127.5) < 2
        assert found.std() < 74 / factor * 1.35  # noise of 74 over factor**2 pixels; less sharp filters give less


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_lies_as_it_was_held(scene: Scene, tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(np.moveaxis(noise(40, 56), 0, 2)).save(tmp_path / "a.png", exif=exif)
    told = describe(tmp_path / "a.png", scene)
    import_image(scene, tmp_path / "a.png", resolution=1.0)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "a.png")))
    assert np.array_equal(pixels(scene)[0], upright)
    assert (told["height"], told["width"]) == upright.shape[:2], "the dialog speaks of what is meant"


@pytest.mark.parametrize(
    ("suffix", "options"), [("jpg", {"quality": 95, "subsampling": 0}), ("webp", {"lossless": True}), ("png", {})]
)
def test_every_format_is_read_as_a_viewer_reads_it(
    scene: Scene, tmp_path: Path, suffix: str, options: dict[str, Any]
) -> None:
    file = tmp_path / f"a.{suffix}"
    Image.fromarray(np.repeat(np.repeat(np.moveaxis(noise(9, 12), 0, 2), 8, 0), 8, 1)).save(file, **options)
    import_image(scene, file, resolution=1.0)
    shown = np.asarray(Image.open(file).convert("RGB")).astype(int)
    assert np.abs(pixels(scene)[0] - shown).max() <= (3 if suffix == "jpg" else 0)


def test_grey_palette_and_transparent_pictures_mean_their_colours(scene: Scene, tmp_path: Path) -> None:
    grey = noise(30, 40, 1)[0]
    pictures = {
        "grey": Image.fromarray(grey),
        "grey-alpha": Image.fromarray(np.dstack([grey, grey]), "LA"),
        "palette": Image.fromarray(np.moveaxis(noise(30, 40), 0, 2)).quantize(17),
        "bits": Image.fromarray(grey > 128),
    }
    for number, (name, picture) in enumerate(pictures.items()):
        picture.save(tmp_path / f"{name}.png")
        import_image(scene, tmp_path / f"{name}.png", resolution=1.0, at=(0, 64 * number))
        shown = np.asarray(Image.open(tmp_path / f"{name}.png").convert("RGBA"))
        found, valid = pixels(scene, Rect(0, 64 * number, 40, 30))
        assert np.array_equal(valid, shown[..., 3] >= 128), name
        assert np.array_equal(found[valid], shown[..., :3][valid]), name


def test_sixteen_bits_are_stretched_and_it_is_told(tmp_path: Path) -> None:
    data = np.linspace(1000, 3000, 3 * 90 * 100).reshape(3, 90, 100).astype("uint16")
    file = geotiff(tmp_path / "a.tif", data, crs=UTM, transform=north_up(0, 0, 1.0))
    with Scene.create(tmp_path / "a.t2e", 1.0) as scene:
        made = import_image(scene, file)
        found, _ = pixels(scene)
        assert "percentile" in " ".join(made.notes)
        low, high = made.entries[0].request["source"]["range"]
        assert (low, high) == pytest.approx(tuple(np.percentile(data, (2, 98))), abs=60)
        expected = np.clip((data - low) * (255 / (high - low)) + 0.5, 0, 255).astype(np.uint8)
        assert np.abs(np.moveaxis(found, 2, 0).astype(int) - expected).max() <= 1
        scene.undo()
        made = import_image(scene, file, value_range=(0, 4000))
        assert made.notes == ["The scene now lies at its place on Earth: EPSG:32632 at 0,0."] or not made.notes
        assert pixels(scene)[0][0, 0, 0] == round(1000 * 255 / 4000)


def test_of_many_bands_the_first_three_are_shown_and_others_can_be_chosen(scene: Scene, tmp_path: Path) -> None:
    data = noise(40, 50, 8)
    file = geotiff(tmp_path / "a.tif", data, photometric="MINISBLACK")
    made = import_image(scene, file, resolution=1.0)
    assert any("1, 2, 3" in note and "8 bands" in note for note in made.notes)
    assert np.array_equal(pixels(scene)[0], np.moveaxis(data[:3], 0, 2))
    import_image(scene, file, resolution=1.0, at=(0, 0), bands=(7, 5, 3))
    assert np.array_equal(pixels(scene)[0], np.moveaxis(data[[6, 4, 2]], 0, 2))
    with pytest.raises(SceneError, match="of 8"):
        import_image(scene, file, resolution=1.0, bands=(9, 1, 1))


def test_bands_that_say_which_colour_they_are_are_believed(scene: Scene, tmp_path: Path) -> None:
    data = noise(40, 50, 4)
    bgr = [ColorInterp.blue, ColorInterp.green, ColorInterp.red, ColorInterp.undefined]
    import_image(scene, geotiff(tmp_path / "a.tif", data, colorinterp=bgr), resolution=1.0)
    assert np.array_equal(pixels(scene)[0], np.moveaxis(data[[2, 1, 0]], 0, 2))


def test_nodata_and_not_a_number_are_unknown_ground(tmp_path: Path) -> None:
    data = noise(64, 64)
    data[:, 10:20, 30:40] = 0
    data[0, 50, 50] = 0  # nodata in one band only is a dark pixel
    hole = np.zeros((64, 64), bool)
    hole[10:20, 30:40] = True
    with Scene.create(tmp_path / "a.t2e", 1.0) as scene:
        import_image(scene, geotiff(tmp_path / "a.tif", np.maximum(data, 0), nodata=0), resolution=1.0)
        valid = pixels(scene, Rect(0, 0, 64, 64))[1]
        assert not valid[hole].any()
        assert valid[50, 50]
    floats = data.astype("float32")
    floats[:, hole] = np.nan
    with Scene.create(tmp_path / "b.t2e", 1.0) as scene:
        import_image(scene, geotiff(tmp_path / "b.tif", floats), resolution=1.0, value_range=(0, 255))
        assert np.array_equal(pixels(scene, Rect(0, 0, 64, 64))[1], ~hole)


def test_a_file_in_degrees_has_the_size_of_its_ground(tmp_path: Path) -> None:
    """0.00001 degrees at 60 north: 1.1141 m to the north (ellipsoid) and 0.5580 m to the east."""
    file = geotiff(tmp_path / "a.tif", noise(400, 800), crs=CRS.from_epsg(4326), transform=north_up(10, 60, 1e-5))
    with Scene.create(tmp_path / "a.t2e", 0.5) as scene:
        assert describe(file, scene)["resolution"] == pytest.approx((1.1141 * 0.5580) ** 0.5, rel=1e-3)
        import_image(scene, file)
        assert scene.anchor is not None
        assert scene.anchor.epsg == 32632, "degrees cannot carry a scene, its UTM zone can"
        ground = 800 * 0.5580 * 400 * 1.1141
        assert pixels(scene)[1].sum() * 0.5**2 == pytest.approx(ground, rel=2e-3)


def test_a_file_of_another_system_lands_at_its_true_place(tmp_path: Path) -> None:
    """A mark in zone 33 is found in a scene in zone 32 where PROJ says it is."""
    data = np.zeros((3, 300, 300), np.uint8)
    data[1] = 90
    data[0, 148:153, 148:153] = 255
    file = geotiff(tmp_path / "a.tif", data, crs=CRS.from_epsg(32633), transform=north_up(200_000, 5_400_000, 1.0))
    (east,), (north,) = rasterio.warp.transform(CRS.from_epsg(32633), UTM, [200_150.5], [5_399_849.5])
    with Scene.create(tmp_path / "a.t2e", 1.0) as scene:
        scene.set_anchor(Anchor(32632, east - 1000, north + 1000))
        made = import_image(scene, file)
        assert any("EPSG:32633" in note for note in made.notes)
        found, valid = pixels(scene, Rect(900, 900, 200, 200))
    assert valid.all()
    ys, xs = np.nonzero(found[..., 0] > 100)
    assert abs(ys.mean() + 0.5 - 100) < 0.6
    assert abs(xs.mean() + 0.5 - 100) < 0.6


def test_the_first_map_of_an_empty_scene_gives_it_its_place_on_earth(tmp_path: Path) -> None:
    file = geotiff(tmp_path / "a.tif", noise(64, 64), crs=UTM, transform=north_up(500_000, 5_400_000, 1.0))
    with Scene.create(tmp_path / "a.t2e", 1.0) as scene:
        import_image(scene, file)
        assert scene.anchor == Anchor(32632, 500_000.0, 5_400_000.0)
        assert scene.bounds == Rect(0, 0, 64, 64)


def test_a_picture_without_a_place_never_covers_what_is_there_by_itself(
    scene: Scene, tmp_path: Path, make_change: Make
) -> None:
    scene.accept(make_change(Rect(8, 16, 64, 64)))
    Image.fromarray(np.moveaxis(noise(20, 30), 0, 2)).save(tmp_path / "a.png")
    made = import_image(scene, tmp_path / "a.png", resolution=1.0)
    assert made.entries[0].rect == Rect(72, 16, 30, 20)


def test_a_map_says_which_files_it_was_made_from(scene: Scene, tmp_path: Path) -> None:
    Image.fromarray(np.moveaxis(noise(20, 30), 0, 2)).save(tmp_path / "field.png")
    import_image(scene, tmp_path / "field.png", resolution=1.0)
    export_scene(scene, tmp_path / "a.tif")
    with rasterio.open(tmp_path / "a.tif") as file:
        assert file.tags()["IMPORTED"] == "field.png"
        assert "in part" in file.tags()["SOURCE"]
