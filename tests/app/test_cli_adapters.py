"""Modalities and adapters on the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.cli.adapters import add_adapters, split_weight
from app.errors import AppError
from tests.app.command_line import result, run
from text2earth_core import Text2Earth, Text2EarthError


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("snow.safetensors", ("snow.safetensors", 1.0)),
        ("snow.safetensors:0.5", ("snow.safetensors", 0.5)),
        ("a:b/snow", ("a:b/snow", 1.0)),
        (r"C:\snow:-1", (r"C:\snow", -1.0)),
    ],
)
def test_a_weight_follows_the_last_colon(text: str, meant: tuple[str, float]) -> None:
    assert split_weight(text) == meant


def test_adapters_are_given_as_files_or_by_name_and_once(adapted_folder: Path, style_folder: Path) -> None:
    model = Text2Earth.from_pretrained(adapted_folder, device="cpu")
    assert add_adapters(model, [f"{style_folder}:0.5", "nir"]) == (("autumn", 0.5), ("nir", 1.0))
    assert add_adapters(model, ["autumn"]) == (("autumn", 1.0),)
    with pytest.raises(AppError, match="given twice"):
        add_adapters(model, ["autumn", f"{style_folder}:2"])
    with pytest.raises(Text2EarthError, match="cannot be read"):
        add_adapters(model, ["winter.safetensors"])


def test_generate_makes_other_modalities_with_a_style(tmp_path: Path, adapted_folder: Path, style_folder: Path) -> None:
    made = {}
    for name, options in {
        "rgb": (), "nir": ("--modality", "nir"), "styled": ("--modality", "nir", "--adapter", f"{style_folder}:0.5"),
    }.items():  # fmt: skip
        file = tmp_path / f"{name}.png"
        result("generate", "--prompt", "forest", "--out", file, "--steps", "1", "--model", adapted_folder, *options)
        made[name] = np.asarray(Image.open(file))
    assert made["rgb"].shape == (64, 64, 3)
    assert made["nir"].shape == made["styled"].shape == (64, 64)
    assert not np.array_equal(made["nir"], made["styled"])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--modality", "uv"), "one of rgb, pan, nir, sar"),
        (("--adapter", "none.safetensors"), "none.safetensors cannot be read"),
        (("--adapter", "nir"), "makes nir, not rgb"),
        (("--modality", "nir", "--adapter", "nir:5"), "a weight from -2 to 2"),
    ],
)
def test_bad_wishes_are_one_sentence(
    tmp_path: Path, adapted_folder: Path, options: tuple[str, ...], sentence: str
) -> None:
    file = tmp_path / "a.png"
    done = run("generate", "--prompt", "forest", "--out", file, "--steps", "1", "--model", adapted_folder, *options)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not file.exists()


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (("lora", "--modality", "uv", "--preset", "tiny", "--samples", "8"), "cannot be trained for 'uv'"),
        (("lora", "--modality", "sar", "--preset", "tiny", "--samples", "8"), "with --simulator"),
        (("simulator", "pan", "--samples", "8"), "nothing to simulate for 'pan'"),
        (("simulator", "nir", "--samples", "8"), "pairs_rgb_nir.parquet is missing"),
        (("simulator", "sar", "--samples", "8"), "pairs_sar_pan.parquet is missing"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_any_work(
    tmp_path: Path, adapted_folder: Path, command: tuple[str, ...], sentence: str
) -> None:
    start = ("--start", adapted_folder) if command[0] == "lora" else ()
    done = run("train", *command, "--data", tmp_path, "--out", tmp_path / "out", *start)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert not (tmp_path / "out").exists()
