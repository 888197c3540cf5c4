"""Variables that other GIS programs leave behind do not reach our maps."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from pathlib import Path
{first}
from canvas import Scene
from canvas.anchor import Anchor
from canvas.maps.export import export_scene
from canvas.maps.import_image import import_image
folder = Path(sys.argv[1])
with Scene.create(folder / "a.t2e", 1.0) as scene:
    import_image(scene, folder / "a.png", resolution=1.0)
    export_scene(scene, folder / "a.tif", anchor=Anchor(32633, 500000.0, 5400000.0))
import rasterio
with rasterio.open(folder / "a.tif") as made:
    print(made.crs.to_epsg())
"""


@pytest.mark.parametrize("first", ["", "import rasterio"])
@pytest.mark.parametrize("variable", ["PROJ_LIB", "PROJ_DATA", "GDAL_DATA"])
def test_the_tables_of_another_program_are_not_read(tmp_path: Path, variable: str, first: str) -> None:
    """Also where rasterio was imported before us, and by the process that writes a GeoTIFF."""
    (tmp_path / "empty").mkdir()
    Image.new("RGB", (32, 32), (9, 99, 9)).save(tmp_path / "a.png")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(first=first), str(tmp_path)],
        env=os.environ | {variable: str(tmp_path / "empty"), "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.split() == ["32633"], done.stderr
