"""Translating files as scripts do: on the same grid, with its holes, on after a stop, one sentence for a mistake."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine

from app.cli.translate import WORKING
from canvas import Scene
from canvas.fill.region_fill import RegionFill
from tests.app.command_line import result, run

WEST = Affine.translation(500_000, 5_500_000) @ Affine.scale(10, -10)
TURNED = Affine.translation(11.5, 48.1) @ Affine.rotation(20) @ Affine.scale(1e-5, -1e-5)


def write(path: Path, bands: np.ndarray, **settings: Any) -> Path:
    """A GeoTIFF of bands (n, h, w)."""
    count, height, width = bands.shape
    settings = {"crs": "EPSG:32632", "transform": WEST} | settings
    with rasterio.open(
        path, "w", driver="GTiff", count=count, height=height, width=width, dtype=bands.dtype, **settings
    ) as file:
        file.write(bands)
    return path


def smooth(count: int, height: int = 50, width: int = 70) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([np.sin(x / (5 + n)) * np.cos(y / 7) for n in range(count)])


def naip_like(folder: Path) -> Path:
    """Four bands of 8 bits, red, green, blue and near infrared, in degrees and turned."""
    bands = (smooth(4) * 100 + 128).astype(np.uint8)
    return write(folder / "naip.tif", bands, crs="EPSG:4326", transform=TURNED, photometric="RGB", alpha="UNSPECIFIED")


def sentinel_like(folder: Path) -> Path:
    """Three bands of 16 bits whose nodata is 0, with a hole."""
    bands = (smooth(3) * 1000 + 2000).astype(np.uint16)
    bands[:, 10:21, 30:43] = 0
    return write(folder / "s2.tif", bands, nodata=0)


def sar_like(folder: Path) -> Path:
    """One band of decibels as floats, with NaN where nothing was measured."""
    bands = (smooth(1) * 10 - 12).astype(np.float32)
    bands[:, :9, :17] = np.nan
    return write(folder / "sar.tif", bands)


FILES: list[tuple[Callable[[Path], Path], str, list[str], int, int]] = [
    (naip_like, "rgb2nir", [], 1, 1),
    (naip_like, "nir2rgb", ["--bands", "4"], 3, 1),
    (sentinel_like, "sr2", [], 3, 2),
    (sar_like, "sar2rgb", [], 3, 1),
]


@pytest.mark.parametrize(("make", "task", "more", "count", "finer"), FILES)
def test_files_of_every_kind_keep_their_grid_and_their_holes(
    tmp_path: Path, translating_folder: Path, make: Callable[[Path], Path], task: str, more: list[str], count: int,
    finer: int,
) -> None:  # fmt: skip
    file, out = make(tmp_path), tmp_path / "out.tif"
    made = result(
        "translate", file, "--task", task, "--out", out, *more, "--steps", "1", "--model", translating_folder,
        "--device", "cpu", "--yes",
    )  # fmt: skip
    assert (made["width"], made["height"]) == (70 * finer, 50 * finer)
    with rasterio.open(file) as source, rasterio.open(out) as target:
        assert target.count == count
        assert set(target.dtypes) == {"uint8"}
        assert target.crs == source.crs
        assert target.transform.almost_equals(source.transform @ Affine.scale(1 / finer))
        assert target.tags()["SYNTHETIC"] == "YES"
        assert target.tags()["TASK"] == task
        values = source.read(1)
        holes = ~np.isfinite(values) if values.dtype.kind == "f" else source.read_masks(1) == 0
        found = target.read_masks(1) == 0
        wanted = np.kron(holes, np.ones((finer, finer), bool))
        off = found != wanted
        assert off.sum() <= (0 if finer == 1 else 4 * (11 + 13))  # a finer grid may shift the rim of a hole by a pixel
    assert [path.name for path in tmp_path.iterdir() if WORKING in path.name] == []


def test_a_translation_that_was_stopped_goes_on_to_the_same_pixels(
    tmp_path: Path, translating_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, out, again = naip_like(tmp_path), tmp_path / "out.tif", tmp_path / "again.tif"
    tail = ("--task", "rgb2sar", "--steps", "2", "--model", translating_folder, "--device", "cpu", "--yes")
    result("translate", file, "--out", out, *tail)
    working = tmp_path / f"again.tif{WORKING}"
    whole = RegionFill._step

    def stopped(self: RegionFill, state: Any, number: int, *rest: Any) -> None:
        if number == 1:
            raise KeyboardInterrupt
        whole(self, state, number, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(RegionFill, "_step", stopped)
        assert run("translate", file, "--out", again, *tail).returncode == 130
    assert not again.exists()
    assert working.exists()
    other = run("translate", sentinel_like(tmp_path), "--out", again, *tail)
    assert other.returncode == 1
    assert "unfinished work on something else" in other.stderr
    done = run("translate", file, "--out", again, *tail)
    assert "Going on" in done.stderr
    with rasterio.open(out) as one, rasterio.open(again) as two:
        assert np.array_equal(one.read(), two.read())
    assert not working.exists()


def test_mistakes_are_one_sentence_and_leave_no_file(tmp_path: Path, translating_folder: Path) -> None:
    model = ("--model", translating_folder, "--device", "cpu")
    naip = naip_like(tmp_path)
    nothing = write(tmp_path / "nothing.tif", np.full((1, 20, 20), np.nan, np.float32))
    plain = write(tmp_path / "plain.tif", np.zeros((3, 20, 20), np.uint8), crs=None, transform=Affine.identity())
    files = {path.name for path in tmp_path.iterdir()}
    for arguments, words in (
        ((naip, "--task", "nir2rgb", "--out", tmp_path / "o.tif"), "say which it is"),
        ((naip, "--task", "rgb2nir", "--bands", "7", "--out", tmp_path / "o.tif"), "are not possible"),
        ((nothing, "--task", "sar2rgb", "--out", tmp_path / "o.tif"), "no known pixel"),
        ((plain, "--task", "dehaze", "--out", tmp_path / "o.tif"), "--resolution"),
        ((naip, "--task", "rgb2uv", "--out", tmp_path / "o.tif"), "There is no translation 'rgb2uv'"),
        ((naip, "--task", "dehaze", "--out", tmp_path / "o.png"), "GeoTIFF"),
        ((tmp_path / "none.tif", "--task", "dehaze", "--out", tmp_path / "o.tif"), "There is no file"),
    ):
        done = run("translate", *arguments, *model)
        assert done.returncode == 1, arguments
        assert words in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
        assert {path.name for path in tmp_path.iterdir()} == files


def test_a_layer_of_a_scene_is_made_of_another_and_taken_back(tmp_path: Path, translating_folder: Path) -> None:
    scene, model = tmp_path / "a.t2e", ("--model", translating_folder, "--device", "cpu")
    result("scene", "new", scene, "--resolution", "10")
    result("scene", "import", scene, sentinel_like(tmp_path))
    made = result("scene", "translate", scene, "--task", "rgb2nir", "--steps", "1", *model)
    assert made["request"]["task"] == "rgb2nir"
    with Scene.open(scene) as opened:
        colours, infrared = opened.layer_bounds["rgb"], opened.layer_bounds["nir"]
        assert infrared == colours
        assert np.array_equal(opened.read(colours.snap_out(), "nir").valid, opened.read(colours.snap_out()).valid)
    assert "nir" not in result("scene", "undo", scene)["layer_bounds"]
    x, y = colours[:2]
    part = result(
        "scene", "translate", scene, "--task", "rgb2nir", "--steps", "1", "--bbox", f"{x},{y},{x + 16},{y + 16}", *model
    )
    assert part["rect"][2] <= 24
