"""A map has the scene's pixels at their true size and place, is what GIS software expects, and says it is synthetic."""

from __future__ import annotations

import io
import json
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.crs import CRS
from rasterio.warp import transform
from rio_cogeo.cogeo import cog_validate

from canvas import Change, Rect, Request, Scene, SceneError
from canvas.anchor import Anchor
from canvas.maps.export import export_scene
from canvas.maps.tile_tree import build, levels_above
from canvas.scene_file.pyramid import halve

Make = Callable[..., Change]
UTM = Anchor(32632, 500_000.0, 5_400_000.0)
RECT = Rect(-264, -16, 600, 520)


def with_hole(change: Change) -> Change:
    change.valid[100:200, 50:90] = False
    return change


def pixels(scene: Scene, rect: Rect) -> tuple[np.ndarray, np.ndarray]:
    with scene.snapshot() as at:
        return at.pixels(rect)


def test_a_geotiff_is_a_valid_cog_with_the_pixels_and_the_mask_of_the_scene(
    scene: Scene, tmp_path: Path, make_change: Make
) -> None:
    scene.accept(with_hole(make_change(RECT, 4)))
    done: list[int] = []
    assert export_scene(scene, tmp_path / "a.tif", progress=lambda n, total: done.append(n * 100 // total)) == RECT
    assert done == sorted(done)
    assert done[-1] == 100
    valid, errors, warnings = cog_validate(tmp_path / "a.tif", strict=True, quiet=True)
    assert (valid, errors, warnings) == (True, [], [])
    with rasterio.open(tmp_path / "a.tif") as file:
        known = file.dataset_mask() > 0
        written = np.moveaxis(file.read(), 0, 2)
    expected, valid = pixels(scene, RECT)
    assert np.array_equal(known, valid)
    assert np.array_equal(written[known], expected[known])
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".t2e" and ".t2e-" not in path.name] == ["a.tif"]


def test_without_a_place_the_system_is_local_and_the_file_says_that_it_is_synthetic(
    tmp_path: Path, make_change: Make
) -> None:
    with Scene.create(tmp_path / "a.t2e", 2.0, title="Valley") as scene:
        scene.accept(make_change(Rect(-8, 16, 64, 64), 7, resolution=2.0))
        export_scene(scene, tmp_path / "a.tif")
    with rasterio.open(tmp_path / "a.tif") as file:
        assert not file.crs.is_projected
        assert not file.crs.is_geographic
        assert "synthetic" in file.crs.to_wkt()
        assert file.crs.units_factor[1] == 1.0
        assert file.transform.to_gdal() == (-16.0, 2.0, 0.0, -32.0, 0.0, -2.0)
        tags = file.tags()
    assert tags["SYNTHETIC"] == "YES"
    assert "not an observation" in tags["SOURCE"]
    assert tags["GROUND_RESOLUTION"] == "2 m/px"
    assert tags["PROMPTS"] == "prompt 7"
    assert tags["TIFFTAG_SOFTWARE"].startswith("Text2Earth Canvas")
    assert tags["TIFFTAG_DOCUMENTNAME"] == "Valley"


@pytest.mark.parametrize(
    ("anchor", "pixel"),
    [
        (Anchor(32632, 500_000.0, 5_400_000.0), 1.0),
        (Anchor(2263, 980_000.0, 200_000.0), 3937 / 1200),  # a system in US survey feet
        (Anchor(3857, 0.0, 8_399_737.89), 2.0),  # Web Mercator at 60 degrees north stretches everything twofold
    ],
)
def test_an_anchored_map_has_true_pixels_at_the_true_place(
    scene: Scene, tmp_path: Path, make_change: Make, anchor: Anchor, pixel: float
) -> None:
    scene.accept(make_change(Rect(0, 0, 64, 64)))
    scene.set_anchor(anchor)
    export_scene(scene, tmp_path / "a.tif", Rect(16, 8, 32, 32))
    with rasterio.open(tmp_path / "a.tif") as file:
        assert file.crs == CRS.from_epsg(anchor.epsg)
        assert file.transform.a == pytest.approx(pixel, rel=1e-3)
        assert file.transform.e == pytest.approx(-pixel, rel=1e-3)
        assert file.transform.c == pytest.approx(anchor.east + 16 * pixel, abs=0.1)
        assert file.transform.f == pytest.approx(anchor.north - 8 * pixel, abs=0.1)


def test_the_anchor_is_kept_in_the_scene_and_can_be_taken_away(scene: Scene) -> None:
    assert scene.anchor is None
    scene.set_anchor(UTM)
    with Scene.open(scene.path) as again:
        assert again.anchor == UTM
        assert again.summary()["anchor"] == {"epsg": 32632, "east": 500_000.0, "north": 5_400_000.0}
    scene.set_anchor(None)
    assert scene.anchor is None


@pytest.mark.parametrize(
    ("crs", "origin", "words"),
    [
        ("EPSG:4326", "11.5,48", "EPSG:32632"),  # the zone that lies there is proposed
        ("EPSG:999999", "0,0", "not known"),
        ("EPSG:4978", "0,0", "not a projected system"),
        ("EPSG:32632", "1e8,48", "outside"),
        ("EPSG:32632", "nan,0", "two numbers"),
        ("EPSG:3857", "1e30,1e30", "two numbers"),
        ("EPSG:32632", "5", "E,N"),
        ("http://example.org/crs", "0,0", "EPSG:32632"),
        ("/etc/passwd", "0,0", "EPSG:32632"),
    ],
)
def test_a_place_where_no_scene_can_lie_is_one_sentence(
    scene: Scene, tmp_path: Path, make_change: Make, crs: str, origin: str, words: str
) -> None:
    scene.accept(make_change(Rect(0, 0, 64, 64)))
    with pytest.raises(SceneError, match=words):
        export_scene(scene, tmp_path / "a.tif", anchor=Anchor.parse(crs, origin))
    assert not (tmp_path / "a.tif").exists()


def test_mbtiles_show_the_scene_where_it_lies(scene: Scene, tmp_path: Path, make_change: Make) -> None:
    """A red square in a known place is found again at the web tile and pixel that spherical Mercator gives."""
    change = make_change(Rect(0, 0, 512, 512))
    change.pixels[:] = (0, 90, 0)
    change.pixels[200:232, 300:332] = (255, 0, 0)
    scene.accept(change)
    scene.set_anchor(UTM)
    export_scene(scene, tmp_path / "a.mbtiles")
    with sqlite3.connect(tmp_path / "a.mbtiles") as file:
        meta = dict(file.execute("SELECT name, value FROM metadata"))
        zoom = int(meta["maxzoom"])
        assert meta["format"] == "webp"
        assert "not an observation" in meta["attribution"]
        assert json.loads(meta["prompts"]) == ["prompt 0"]
        (lon,), (lat,) = transform(CRS.from_epsg(32632), CRS.from_epsg(4326), [500_316.0], [5_399_784.0])
        west, south, east, north = map(float, meta["bounds"].split(","))
        assert west < lon < east
        assert south < lat < north
        x = (lon + 180) / 360 * 2**zoom * 256
        y = (1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2 * 2**zoom * 256
        column, row = int(x // 256), 2**zoom - 1 - int(y // 256)
        (data,) = file.execute(
            "SELECT tile_data FROM tiles WHERE zoom_level = ? AND tile_column = ? AND tile_row = ?", (zoom, column, row)
        ).fetchone()
        lowest = file.execute("SELECT count(*) FROM tiles WHERE zoom_level = ?", (int(meta["minzoom"]),)).fetchone()[0]
    assert 1 <= lowest <= 4
    tile = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    red, green, _ = tile[int(y % 256), int(x % 256)]
    assert red > 200
    assert green < 60
    ys, xs = np.nonzero((tile[..., 0] > 128) & (tile[..., 1] < 80))
    assert abs(xs.mean() - x % 256) < 1.5
    assert abs(ys.mean() - y % 256) < 1.5
    with rasterio.open(tmp_path / "a.mbtiles") as known:  # GDAL reads it as a map
        assert known.crs == CRS.from_epsg(3857)


@pytest.mark.parametrize("epsg", [32660, 32601, 3857])
def test_mbtiles_go_on_across_the_antimeridian(scene: Scene, tmp_path: Path, make_change: Make, epsg: int) -> None:
    """Two marks on either side of 180 degrees are found in the last and the first columns of the world."""
    here, system = CRS.from_epsg(4326), CRS.from_epsg(epsg)
    (east,), (north,) = transform(here, system, [-179.99999 if epsg == 32601 else 179.99999], [-17.0])
    change = make_change(Rect(0, 0, 512, 512))
    change.pixels[:] = (0, 90, 0)
    change.pixels[240:272, 100:132] = change.pixels[240:272, 380:412] = (255, 0, 0)
    scene.accept(change)
    anchor = Anchor(epsg, round(east) - 256.0, round(north) + 256.0)
    scene.set_anchor(anchor)
    export_scene(scene, tmp_path / "a.mbtiles")
    with sqlite3.connect(tmp_path / "a.mbtiles") as file:
        meta = dict(file.execute("SELECT name, value FROM metadata"))
        zoom = int(meta["maxzoom"])
        tiles = file.execute("SELECT tile_column, tile_row, tile_data FROM tiles WHERE zoom_level = ?", (zoom,))
        found: dict[bool, list[float]] = {}
        for column, _, data in tiles.fetchall():
            picture = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
            _, xs = np.nonzero((picture[..., 0] > 128) & (picture[..., 1] < 80))
            found.setdefault(column < 2 ** (zoom - 1), []).extend(column * 256 + xs + 0.5)
        assert int(meta["minzoom"]) >= 1
        coarsest = file.execute("SELECT count(*) FROM tiles WHERE zoom_level = ?", (int(meta["minzoom"]),)).fetchone()
    assert 1 <= coarsest[0] <= 4
    assert meta["bounds"].startswith("-180.0")
    assert abs(float(meta["center"].split(",")[0])) > 179.9
    ground = 1 / np.cos(np.radians(17)) if epsg == 3857 else 1  # a metre of the ground is more map units there
    for column, west in ((116, False), (396, True)):
        (lon,), _ = transform(system, here, [anchor.east + column * ground], [anchor.north - 256.0])
        assert (lon < 0) == west
        assert np.mean(found[west]) == pytest.approx((lon + 180) / 360 * 2**zoom * 256, abs=1.5)


def test_mbtiles_of_a_scene_that_lies_nowhere_are_refused_and_the_pyramid_offered(
    scene: Scene, tmp_path: Path, make_change: Make
) -> None:
    scene.accept(make_change(Rect(0, 0, 64, 64)))
    with pytest.raises(SceneError, match=r"\.zip"):
        export_scene(scene, tmp_path / "a.mbtiles")
    assert not list(tmp_path.glob("*mbtiles*"))


def test_a_plain_pyramid_has_the_pixels_of_the_scene_and_a_page_that_needs_no_network(
    scene: Scene, tmp_path: Path, make_change: Make
) -> None:
    scene.accept(with_hole(make_change(RECT, 1)))
    export_scene(scene, tmp_path / "a.zip", Rect(-100, 0, 300, 400))
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        facts = json.loads(archive.read("scene.json"))
        names = set(archive.namelist())
        page = archive.read("index.html").decode()
        x0, y0, x1, y1 = facts["bounds"]
        whole = np.zeros((y1, x1, 4), np.uint8)
        for name in names:
            if name.startswith(f"{facts['maxzoom']}/"):
                _, x, y = name.removesuffix(".webp").split("/")
                tile = np.asarray(Image.open(archive.open(name)).convert("RGBA"))
                at = whole[int(y) * 256 :][:256, int(x) * 256 :][:, :256]
                at[:] = tile[: at.shape[0], : at.shape[1]]
    assert "0/0/0.webp" in names
    assert "http" not in page
    assert "not an observation" in page
    expected, valid = pixels(scene, Rect(-100, 0, 300, 400))
    assert np.array_equal(whole[y0:, x0:, 3] == 255, valid)
    assert np.array_equal(whole[y0:, x0:, :3][valid], expected[valid])


def test_every_level_of_a_tile_tree_is_half_of_the_one_below() -> None:
    rng = np.random.default_rng(0)
    span = Rect(3, 5, 3, 2)
    base = {xy: rng.integers(0, 256, (256, 256, 4), dtype=np.uint8) for xy in span.tiles(1)}
    base[4, 5] = None
    found: dict[tuple[int, int, int], np.ndarray] = {}
    build(span, 3, lambda x, y: base[x, y], lambda z, x, y, image: found.__setitem__((z, x, y), image))
    assert {key[1:] for key in found if key[0] == 0} == {xy for xy, image in base.items() if image is not None}
    for z, x, y in [key for key in found if key[0]]:
        square = np.zeros((512, 512, 4), np.uint8)
        for cx, cy in [(0, 0), (1, 0), (0, 1), (1, 1)]:
            part = found.get((z - 1, 2 * x + cx, 2 * y + cy))
            if part is not None:
                square[cy * 256 : cy * 256 + 256, cx * 256 : cx * 256 + 256] = part
        assert np.array_equal(found[z, x, y], halve(square))
    assert {key for key in found if key[0] == 3} == {(3, 0, 0)}
    assert levels_above(Rect(0, 0, 1, 1)) == 0
    assert levels_above(Rect(0, 0, 5, 2)) == 3


@pytest.mark.parametrize("suffix", ["tif", "mbtiles", "zip"])
def test_a_stopped_export_leaves_nothing(scene: Scene, tmp_path: Path, make_change: Make, suffix: str) -> None:
    scene.accept(make_change(RECT))
    scene.set_anchor(UTM)
    (tmp_path / "out").mkdir()
    for stop_at in (1, 70):

        def stop(done: int, total: int, stop_at: int = stop_at) -> None:
            if done * 100 >= stop_at * total:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            export_scene(scene, tmp_path / "out" / f"a.{suffix}", progress=stop)
        assert list((tmp_path / "out").iterdir()) == []


def test_a_disk_without_room_is_one_sentence_and_leaves_nothing(tmp_path: Path, make_change: Make) -> None:
    """A process that may not write more than so much to a file: what a full disk or a quota does."""
    with Scene.create(tmp_path / "a.t2e", 1.0) as scene:
        scene.accept(make_change(RECT))
        scene.set_anchor(UTM)
    (tmp_path / "out").mkdir()
    program = """
import resource, sys
from canvas import Scene, SceneError
from canvas.maps.export import export_scene
scene = Scene.open(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    export_scene(scene, sys.argv[2])
except SceneError as error:
    print(error)
"""
    for suffix, limit in (("tif", 200_000), ("tif", 930_000), ("mbtiles", 100_000), ("zip", 100_000)):
        command = [sys.executable, "-c", program, str(tmp_path / "a.t2e"), str(tmp_path / "out" / f"a.{suffix}")]
        done = subprocess.run(
            [*command, str(limit)], capture_output=True, text=True, cwd=Path(__file__).parents[2], timeout=240
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("\n") == 1, (suffix, limit, done.stdout)
        assert list((tmp_path / "out").iterdir()) == []


def flat_tiles(scene: Scene, columns: int) -> None:
    """A row of one-coloured tiles, cheap to make."""
    rect = Rect(0, 0, 256 * columns, 256)
    scene.accept(
        Change(
            Request("generate", rect, 1.0), "rgb", rect, np.full((256, rect.w, 3), 90, np.uint8),
            np.ones((256, rect.w), bool), np.zeros((4, 32, rect.w // 8), np.float32), np.zeros((32, rect.w // 8), bool),
        )
    )  # fmt: skip


def test_fifty_thousand_pixels_wide_is_exported_with_progress(scene: Scene, tmp_path: Path) -> None:
    flat_tiles(scene, 196)
    done: list[int] = []
    rect = export_scene(scene, tmp_path / "a.tif", progress=lambda n, total: done.append(n))
    assert rect == Rect(0, 0, 50_176, 256)
    assert len(set(done)) > 20
    with rasterio.open(tmp_path / "a.tif") as file:
        assert (file.width, file.height) == (50_176, 256)
        assert file.read(1, window=((255, 256), (50_175, 50_176))).item() == 90
