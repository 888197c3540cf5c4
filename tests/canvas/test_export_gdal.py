"""What GDAL's own command says of an export, for it is what users of maps will ask."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from canvas import Change, Rect, Scene
from canvas.anchor import Anchor
from canvas.maps.export import export_scene

pytestmark = pytest.mark.skipif(
    shutil.which("gdalinfo") is None, reason="gdalinfo is not installed (Debian's package is `gdal-bin`)"
)
UTM = Anchor(32632, 500_000.0, 5_400_000.0)
RECT = Rect(-264, -16, 600, 520)


def gdalinfo(path: Path) -> dict[str, Any]:
    """Its answer as JSON; whatever it complains of is an error."""
    plain, answer = (
        subprocess.run(["gdalinfo", *options, str(path)], capture_output=True, text=True, check=True)
        for options in ([], ["-json"])
    )
    assert plain.stderr == ""  # for JSON some versions want an ellipsoid, which a local system has not
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


@pytest.mark.parametrize("anchor", [None, UTM])
def test_gdal_reads_size_place_mask_and_tags_of_a_cog(
    scene: Scene, tmp_path: Path, make_change: Callable[..., Change], anchor: Anchor | None
) -> None:
    scene.accept(make_change(RECT, 4))
    export_scene(scene, tmp_path / "a.tif", None, anchor)
    found = gdalinfo(tmp_path / "a.tif")
    east, north = (anchor.east, anchor.north) if anchor else (0, 0)
    assert found["size"] == [600, 520]
    assert found["geoTransform"] == [east - 264, 1, 0, north + 16, 0, -1]
    assert ("UTM zone 32N" in found["coordinateSystem"]["wkt"]) == (anchor is not None)
    assert found["metadata"]["IMAGE_STRUCTURE"]["LAYOUT"] == "COG"
    assert found["metadata"][""]["SYNTHETIC"] == "YES"
    assert [band["colorInterpretation"] for band in found["bands"]] == ["Red", "Green", "Blue"]
    assert all(band["mask"]["flags"] == ["PER_DATASET"] and band["overviews"] for band in found["bands"])


def test_gdal_reads_an_mbtiles_as_a_web_mercator_map(
    scene: Scene, tmp_path: Path, make_change: Callable[..., Change]
) -> None:
    scene.accept(make_change(RECT, 4))
    export_scene(scene, tmp_path / "a.mbtiles", None, UTM)
    found = gdalinfo(tmp_path / "a.mbtiles")
    assert found["driverShortName"] == "MBTiles"
    assert "Pseudo-Mercator" in found["coordinateSystem"]["wkt"]
    assert found["metadata"][""]["synthetic"] == "yes"
    west, south, east, north = map(float, found["metadata"][""]["bounds"].split(","))
    assert west < 9 < east  # the anchor lies on the zone's central meridian
    assert 48.7 < south < north < 48.8
    assert len(found["bands"]) == 4
