"""Maps and images from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from PIL import Image

from canvas.scene import Scene
from tests.app import command_line
from tests.app.command_line import ROOT


def result(*arguments: str | Path) -> Any:
    return command_line.result("scene", *arguments)


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    Scene.create(tmp_path / "a.t2e", 1.0).close()
    return tmp_path / "a.t2e"


def test_an_image_goes_in_and_a_map_comes_out(scene: Path, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "in.png")
    step = result("import", scene, tmp_path / "in.png", "--resolution", "1", "--at", "-8,16")
    assert step["rect"] == [-8, 16, 40, 30]
    assert result("anchor", scene)["anchor"] == "none"
    result("anchor", scene, "--crs", "EPSG:32632", "--origin", "500000,5400000")
    written = result("export", scene, "--out", tmp_path / "out.tif", "--bbox", "-8,20,12,40")
    assert (written["width"], written["height"]) == (20, 20)
    with rasterio.open(tmp_path / "out.tif") as file:
        assert file.crs.to_epsg() == 32632
        assert file.transform.to_gdal() == (499_992.0, 1.0, 0.0, 5_399_980.0, 0.0, -1.0)
        assert np.array_equal(np.moveaxis(file.read(), 0, 2), pixels[4:24, :20])
    assert result("anchor", scene, "--clear")["anchor"] == "none"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["import", "{scene}", "{tmp}/in.png"], "how large its pixels are"),
        (["import", "{scene}", "{tmp}/none.png", "--resolution", "1"], "no file"),
        (["import", "{scene}", "{root}/LICENSE", "--resolution", "1"], "no PNG"),
        (["import", "{scene}", "{tmp}/in.png", "--resolution", "1", "--at", "here"], "two whole numbers"),
        (["import", "{scene}", "{tmp}/in.png", "--resolution", "1", "--bands", "1,2"], "one, three or four"),
        (["import", "{scene}", "{tmp}/in.png", "--resolution", "1", "--range", "low"], "two numbers"),
        (["export", "{scene}", "--out", "{tmp}/a.tif", "--bbox", "0,0,0,5"], "four whole numbers"),
        (["export", "{scene}", "--out", "{tmp}/a.tif", "--crs", "EPSG:32632"], "needs both"),
        (["export", "{scene}", "--out", "{tmp}/a.mbtiles", "--bbox", "0,0,9,9"], ".zip"),
        (["anchor", "{scene}", "--crs", "EPSG:4326", "--origin", "8,48"], "EPSG:32632"),
    ],
)
def test_a_mistake_is_one_sentence(scene: Path, tmp_path: Path, arguments: list[str], words: str) -> None:
    Image.new("RGB", (20, 20)).save(tmp_path / "in.png")
    given = [argument.format(tmp=tmp_path, root=ROOT, scene=scene) for argument in arguments]
    done = command_line.run("scene", *given)
    assert done.returncode == 1
    assert done.stdout == ""
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert {path.suffix for path in tmp_path.iterdir()} <= {".t2e", ".t2e-wal", ".t2e-shm", ".png"}
