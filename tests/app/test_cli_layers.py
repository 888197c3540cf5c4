"""Layers from a terminal: each is grown, edited, filled, taken away and brought back by its name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image

from tests.app.command_line import result, run


def test_a_layer_grows_is_edited_and_filled_and_goes_out_with_the_colours(
    tmp_path: Path, adapted_folder: Path, style_folder: Path
) -> None:
    scene, model = tmp_path / "a.t2e", ("--model", adapted_folder, "--device", "cpu")
    result("scene", "new", scene, "--resolution", "1")
    grow = ("scene", "extend", scene, "--direction", "right", "--prompt", "forest", "--seed", "1", "--steps", "1")
    result(*grow, *model)
    styled = result(*grow, "--layer", "nir", "--adapter", f"{style_folder}:0.5", *model)
    assert (styled["request"]["layer"], len(styled["request"]["adapters"])) == ("nir", 2)
    Image.fromarray(np.full((16, 16), 255, np.uint8)).save(tmp_path / "mask.png")
    edit = ("scene", "edit", scene, "--mask", tmp_path / "mask.png", "--at", "8,8", "--prompt", "lake", "--steps", "1")
    assert result(*edit, "--layer", "nir", *model)["request"]["layer"] == "nir"
    recipe = {"version": 1, "resolution": 1.0, "seed": 1, "bbox": [0, 0, 96, 64], "prompts": [{"text": "forest"}]}
    (tmp_path / "recipe.json").write_text(json.dumps(recipe | {"steps": 1}))
    fill = ("scene", "fill", scene, "--recipe", tmp_path / "recipe.json", "--layer", "sar", "--yes")
    assert result(*fill, *model)["request"]["layer"] == "sar"
    assert result("scene", "info", scene)["layer_bounds"] == {
        "rgb": [0, 0, 64, 64], "nir": [0, 0, 64, 64], "sar": [0, 0, 96, 64],
    }  # fmt: skip
    result("scene", "export", scene, "--layers", "rgb,nir", "--out", tmp_path / "both.tif")
    with rasterio.open(tmp_path / "both.tif") as file:
        assert file.descriptions == ("red", "green", "blue", "nir")
    each = result("scene", "export", scene, "--layers", "rgb,sar", "--out", tmp_path / "map.png")
    assert [Path(one["file"]).name for one in each] == ["map.rgb.png", "map.sar.png"]
    assert Image.open(tmp_path / "map.sar.png").mode == "L"
    other = tmp_path / "b.t2e"
    result("scene", "new", other, "--resolution", "1")
    entries = result("scene", "import", other, tmp_path / "both.tif")
    assert [entry["request"]["layer"] for entry in entries] == ["rgb", "nir"]
    assert (
        result("scene", "import", other, tmp_path / "map.sar.png", "--resolution", "1", "--layer", "pan")["request"][
            "layer"
        ]
        == "pan"
    )
    result("scene", "recipe", scene, "--out", tmp_path / "history.json")
    refused = run("scene", "replay", tmp_path / "history.json", tmp_path / "c.t2e", *model)
    assert "There is no adapter" in refused.stderr


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (("extend", "--direction", "right", "--prompt", "x", "--layer", "uv"), "one of rgb, pan, nir, sar"),
        (("export", "--layers", "rgb,uv", "--out", "a.tif"), "There is no layer 'uv'"),
        (("import", "none.tif", "--layer", "uv"), "uv"),
    ],
)
def test_a_layer_that_does_not_exist_is_one_sentence(
    tmp_path: Path, adapted_folder: Path, command: tuple[str, ...], sentence: str
) -> None:
    scene = tmp_path / "a.t2e"
    result("scene", "new", scene, "--resolution", "1")
    name, *rest = command
    if name == "import":
        Image.new("L", (8, 8)).save(tmp_path / "grey.png")
        rest = [str(tmp_path / "grey.png"), "--resolution", "1", "--layer", "uv"]
    refused = run("scene", name, scene, *rest, *(("--model", adapted_folder) if name == "extend" else ()))
    assert refused.returncode == 1
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_model_without_the_adapter_says_how_to_get_one(tmp_path: Path, student_folder: Path) -> None:
    scene = tmp_path / "a.t2e"
    result("scene", "new", scene, "--resolution", "1")
    grow = ("scene", "extend", scene, "--direction", "right", "--prompt", "x", "--layer", "sar")
    refused = run(*grow, "--model", student_folder, "--device", "cpu")
    assert "has no adapter for sar: make one with `text2earth train lora --modality sar`" in refused.stderr
    assert result("scene", "info", scene)["empty"]
