"""A file's place on Earth is used in whatever system it is told, or it is said why not and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.transform import from_origin
from rasterio.warp import transform

from canvas import Rect, Scene, SceneError
from canvas.anchor import Anchor
from canvas.maps.export import export_scene
from canvas.maps.import_image import describe, import_image
from canvas.maps.picture import open_picture
from canvas.maps.placement import Ground, place

SIDE = 128
AT_HOME = from_origin(500_000, 5_400_000, 1, 1)
SITE = CRS.from_wkt('LOCAL_CS["site grid",UNIT["metre",1],AXIS["E",EAST],AXIS["N",NORTH]]')


def geotiff(path: Path, crs: CRS | str | None, place: Any, side: int = SIDE, **profile: Any) -> Path:
    data = np.full((3, side, side), 90, np.uint8)
    data[0, side // 2 - 4 : side // 2 + 4, side // 2 - 4 : side // 2 + 4] = 255  # a mark in the middle
    with rasterio.open(
        path, "w", driver="GTiff", count=3, height=side, width=side, dtype="uint8", crs=crs, transform=place, **profile
    ) as file:
        file.write(data)
    return path


def mark(scene: Scene) -> tuple[float, float]:
    """The middle of the mark, in map units of the scene."""
    assert scene.anchor is not None
    with scene.snapshot() as at:
        bounds = at.bounds
        pixels, valid = at.pixels(bounds)
    ys, xs = np.nonzero((pixels[..., 0] > 170) & valid)
    return scene.anchor.east + bounds.x + xs.mean() + 0.5, scene.anchor.north - bounds.y - ys.mean() - 0.5


@pytest.mark.parametrize(
    ("crs", "place", "anchor"),
    [
        ("EPSG:32633", AT_HOME, Anchor(32633, 500_000, 5_400_000)),
        ("EPSG:32633+5773", AT_HOME, Anchor(32633, 500_000, 5_400_000)),
        ("EPSG:4326", from_origin(15.0, 48.7, 1e-5, 1e-5), Anchor(32633, 500_000, 5_394_107)),
        ("EPSG:4979", from_origin(15.0, 48.7, 1e-5, 1e-5), Anchor(32633, 500_000, 5_394_107)),
        ("EPSG:4326", from_origin(15.0, -48.7, 1e-5, 1e-5), Anchor(32733, 500_000, 4_605_893)),
        ("EPSG:4326", from_origin(375.0, 48.7, 1e-5, 1e-5), Anchor(32633, 500_000, 5_394_107)),
    ],
    ids=["with a code", "with heights", "in degrees", "in degrees with heights", "in the south", "beyond 180"],
)
def test_an_empty_scene_takes_the_place_of_its_first_file(
    tmp_path: Path, scene: Scene, crs: str, place: Any, anchor: Anchor
) -> None:
    file = geotiff(tmp_path / "a.tif", crs, place)
    assert describe(file, scene)["placed"]
    assert any(str(anchor) in note for note in import_image(scene, file).notes)
    assert scene.anchor == anchor
    export_scene(scene, tmp_path / "out.tif")
    with rasterio.open(tmp_path / "out.tif") as out:
        assert out.crs.to_epsg() == anchor.epsg


@pytest.mark.parametrize(
    ("definition", "epsg"),
    [
        ("+proj=laea +lat_0=47 +lon_0=11 +datum=WGS84 +units=m", 32632),
        ("+proj=stere +lat_0=90 +lon_0=20 +datum=WGS84 +units=m", 5041),
    ],
)
def test_a_system_without_a_code_is_warped_into_the_zone_of_the_file(
    tmp_path: Path, scene: Scene, definition: str, epsg: int
) -> None:
    crs = CRS.from_proj4(definition)
    file = geotiff(tmp_path / "a.tif", crs, from_origin(20_000, 30_000, 1, 1))
    notes = import_image(scene, file).notes
    assert any("warped from its own system" in note for note in notes)
    assert scene.anchor is not None
    assert scene.anchor.epsg == epsg
    (east,), (north,) = transform(crs, CRS.from_epsg(epsg), [20_064.0], [29_936.0])
    assert mark(scene) == pytest.approx((east, north), abs=0.7)


def test_a_file_that_spans_much_of_the_earth_is_placed_by_nobody_and_it_is_told(tmp_path: Path) -> None:
    with open_picture(geotiff(tmp_path / "a.tif", "EPSG:4326", from_origin(-60, 60, 0.2, 0.2))) as source:
        found = place(source, Ground(128.0, None, None))
    assert any("spans too much of the Earth" in note for note in found.notes)
    assert found.anchor is None


def test_a_place_that_an_occupied_scene_cannot_use_is_told(tmp_path: Path, scene: Scene) -> None:
    Image.new("RGB", (20, 20)).save(tmp_path / "a.png")
    import_image(scene, tmp_path / "a.png", resolution=1.0)
    file = geotiff(tmp_path / "a.tif", "EPSG:32633", AT_HOME)
    assert any("anchor the scene first" in note for note in import_image(scene, file).notes)
    assert import_image(scene, file, at=(500, 0)).notes == [], "who names a place needs not be told of another"


# ---- control points, world files, systems of a site


def corners(error: float = 0.0) -> list[GroundControlPoint]:
    places = [(0, 0), (0, SIDE), (SIDE, 0), (SIDE, SIDE)]
    return [
        GroundControlPoint(row, col, 500_000 + col + (error if row == col == SIDE else 0), 5_400_000 - row)
        for row, col in places
    ]


def with_points(path: Path, points: list[GroundControlPoint]) -> Path:
    return geotiff(path, "EPSG:32633", None, gcps=points)


def test_control_points_on_a_plane_grid_are_the_place(tmp_path: Path, scene: Scene) -> None:
    import_image(scene, with_points(tmp_path / "a.tif", corners()))
    assert scene.anchor == Anchor(32633, 500_000, 5_400_000)
    assert scene.bounds == Rect(0, 0, SIDE, SIDE)


def test_control_points_that_warp_the_picture_are_not_used_and_it_is_told(tmp_path: Path, scene: Scene) -> None:
    file = with_points(tmp_path / "a.tif", corners(error=30))
    with pytest.raises(SceneError, match=r"how large its pixels are.*4 control points"):
        import_image(scene, file)
    assert any("warp it first" in note for note in import_image(scene, file, resolution=1.0).notes)
    assert scene.anchor is None


@pytest.mark.parametrize("suffix", [".pgw", ".wld", ".PGW"])
def test_a_world_file_is_not_read_and_it_is_told(tmp_path: Path, scene: Scene, suffix: str) -> None:
    Image.new("RGB", (20, 20)).save(tmp_path / "a.png")
    (tmp_path / "a").with_suffix(suffix).write_text("5\n0\n0\n-5\n0\n0\n")
    with pytest.raises(SceneError, match=f"how large its pixels are.*a{suffix}"):
        import_image(scene, tmp_path / "a.png")
    assert any(f"a{suffix}" in note for note in import_image(scene, tmp_path / "a.png", resolution=1.0).notes)


def test_coordinates_without_a_system_are_told(tmp_path: Path, scene: Scene) -> None:
    file = geotiff(tmp_path / "a.tif", None, AT_HOME)
    assert any("in which system" in note for note in import_image(scene, file, resolution=1.0).notes)


def test_a_site_of_its_own_is_placed_by_hand_on_an_anchored_scene(tmp_path: Path, scene: Scene) -> None:
    scene.set_anchor(Anchor(32633, 500_000, 5_400_000))
    file = geotiff(tmp_path / "a.tif", SITE, from_origin(1000, 2000, 1, 1))
    with pytest.raises(SceneError, match=r"site grid.*by hand") as error:
        import_image(scene, file)
    assert "damaged" not in str(error.value)
    told = describe(file, scene)
    assert (told["placed"], told["resolution"]) == (False, 1.0)
    import_image(scene, file, at=(7, 9))
    assert scene.bounds == Rect(7, 9, SIDE, SIDE)


def test_a_site_of_its_own_lies_beside_the_rest_where_nothing_is_anchored(tmp_path: Path, scene: Scene) -> None:
    file = geotiff(tmp_path / "a.tif", SITE, from_origin(1000, 2000, 1, 1))
    assert any("site grid" in note for note in import_image(scene, file).notes)
    assert scene.bounds == Rect(0, 0, SIDE, SIDE)
    assert scene.anchor is None


# ---- across 180 degrees


def anchored(path: Path, anchor: Anchor) -> Scene:
    scene = Scene.create(path, 1.0)
    scene.set_anchor(anchor)
    return scene


@pytest.mark.parametrize("west", [179.999, -180.001])
def test_a_file_across_the_antimeridian_is_whole(tmp_path: Path, west: float) -> None:
    """188 m wide, of which 73 m lie west of 180 degrees; the scene is the zone to the east."""
    file = geotiff(tmp_path / "a.tif", "EPSG:4326", from_origin(west, 48.7, 2e-5, 2e-5))
    with anchored(tmp_path / "a.t2e", Anchor(32601, 279_000, 5_398_000)) as scene:
        import_image(scene, file)
        with scene.snapshot() as at:
            _, valid = at.pixels(at.bounds)
        assert valid[len(valid) // 2].sum() == pytest.approx(188, abs=2)
        columns = 279_000 + scene.bounds.x + np.flatnonzero(valid[:12].any(axis=0))
        assert (columns[0], columns[-1]) == pytest.approx((279_197, 279_385), abs=2)
        (east,), (north,) = transform("EPSG:4326", "EPSG:32601", [179.999 + SIDE / 2 * 2e-5], [48.7 - SIDE / 2 * 2e-5])
        assert mark(scene) == pytest.approx((east, north), abs=0.8)


def test_one_place_has_two_longitudes(tmp_path: Path) -> None:
    found = []
    for west in (195.0, -165.0):
        file = geotiff(tmp_path / f"{west}.tif", "EPSG:4326", from_origin(west, 48.7, 1e-5, 1e-5))
        with anchored(tmp_path / f"{west}.t2e", Anchor(32603, 500_000, 5_394_000)) as scene:
            import_image(scene, file)
            with scene.snapshot() as at:
                found.append((at.bounds, at.pixels(at.bounds)[0]))
    assert found[0][0] == found[1][0]
    assert np.abs(found[0][1].astype(int) - found[1][1]).max() <= 1


def test_an_empty_scene_gets_the_zone_of_the_middle_of_a_file_across_the_antimeridian(
    tmp_path: Path, scene: Scene
) -> None:
    import_image(scene, geotiff(tmp_path / "a.tif", "EPSG:4326", from_origin(179.999, 48.7, 2e-5, 2e-5)))
    assert scene.anchor is not None
    assert scene.anchor.epsg == 32601
    assert scene.anchor.east == pytest.approx(279_190, abs=12)


@pytest.mark.parametrize("epsg", [3857, 3395])
def test_mercator_goes_around_too(tmp_path: Path, epsg: int) -> None:
    """A file that ends beyond the edge of the projection, and a scene at the edge that gets a file from beyond it."""
    (edge,), (y,) = transform("EPSG:4326", f"EPSG:{epsg}", [180.0], [10.0])
    file = geotiff(tmp_path / "a.tif", f"EPSG:{epsg}", from_origin(edge - 40, y, 1, 1))
    (east,), (north,) = transform("EPSG:4326", "EPSG:32660", [179.9999999], [10.0])
    with anchored(tmp_path / "a.t2e", Anchor(32660, round(east) - 100, round(north) + 100)) as scene:
        import_image(scene, file)
        mid = transform(f"EPSG:{epsg}", "EPSG:32660", [edge + 24], [y - 64])
        assert mark(scene) == pytest.approx((mid[0][0], mid[1][0]), abs=0.8)
    other = geotiff(tmp_path / "b.tif", "EPSG:32601", from_origin(*[v[0] + d for v, d in zip(
        transform("EPSG:4326", "EPSG:32601", [-179.9995], [10.0]), (-64, 64), strict=True)], 1, 1))  # fmt: skip
    with anchored(tmp_path / "b.t2e", Anchor(epsg, edge - 100, y + 100)) as scene:
        import_image(scene, other)
        import_image(scene, geotiff(tmp_path / "c.tif", f"EPSG:{epsg}", from_origin(-edge + 500, y, 1, 1)))
        assert scene.bounds is not None
        assert 0 < scene.bounds.x < 100
        assert scene.bounds.x1 == pytest.approx((600 + SIDE) * 1 / 0.985, rel=0.03)
