"""`text2earth enhance`: maps keep their place, folders and tables go on where they were, mistakes are one sentence."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import rasterio
import torch
from PIL import Image
from rasterio.transform import from_origin

from tests.app import command_line
from text2earth_core.enhancement.enhancer import Enhancer
from text2earth_core.enhancement.weights import save_network
from text2earth_core.networks.rrdb import RRDBNet, Shape


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network with random weights."""
    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("enhancer") / "small.safetensors"
    save_network(RRDBNet(Shape(features=8, blocks=1, growth=4, over_bicubic=True)), file)
    return file


def run(source: Path, out: Path, weights: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return command_line.run("enhance", source, "--out", out, "--weights", weights, "--device", "cpu", *more)


def done(source: Path, out: Path, weights: Path, *more: str) -> str:
    """What a command that must succeed says on stderr."""
    found = run(source, out, weights, *more)
    assert found.returncode == 0, found.stderr
    return found.stderr


def photograph(height: int, width: int, bands: int = 3, seed: int = 0) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(20, 236, (height // 4 + 2, width // 4 + 2, bands), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).reshape(height, width, bands)


def write_map(path: Path, pixels: np.ndarray, **more: object) -> None:
    height, width, bands = pixels.shape
    place = {"crs": "EPSG:32632", "transform": from_origin(500_000, 5_000_000, 2, 2)}
    settings = {"driver": "GTiff", "width": width, "height": height, "count": bands, "dtype": pixels.dtype} | place
    with rasterio.open(path, "w", **(settings | more)) as file:
        file.write(np.moveaxis(pixels, 2, 0))


def write_rows(path: Path, count: int, bad: tuple[int, ...] = (), group: int = 3) -> None:
    """A table as Git-10M's, whose numbers are texts."""
    rows = [
        {
            "image": {"bytes": cv2.imencode(".png", photograph(24, 24, seed=n))[1].tobytes(), "path": f"{n}.png"},
            "img_name": f"{n}.png", "img_quality_score": "4.9", "caption": "a field", "caption_length": "2",
            "resolution": "1.0", "Google_location": f"17_{n}_4",
        }
        for n in range(count)
    ]  # fmt: skip
    for n in bad:
        rows[n]["image"] = {"bytes": b"junk", "path": ""}
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=group)


def test_a_map_keeps_its_place_and_what_is_unknown(tmp_path: Path, weights: Path) -> None:
    """More than one window, with nodata, in blocks that are no windows."""
    pixels = photograph(350, 340)
    pixels[:40, :50] = 0
    source, out = tmp_path / "a.tif", tmp_path / "b.tif"
    write_map(source, pixels, nodata=0, tiled=True, blockxsize=64, blockysize=64)
    done(source, out, weights)
    with rasterio.open(out) as made:
        assert (made.width, made.height, made.count) == (680, 700, 3)
        assert made.crs.to_epsg() == 32632
        assert made.transform == from_origin(500_000, 5_000_000, 1, 1)
        known = made.dataset_mask() > 0
        values = np.moveaxis(made.read(), 0, 2)
    assert np.array_equal(known, (pixels > 0).any(2).repeat(2, 0).repeat(2, 1))
    assert not values[~known].any()
    whole = Enhancer.load(weights, "cpu").enhance(pixels)
    far = np.s_[220:, 220:]  # from what is unknown
    assert np.array_equal(values[far], whole[far])
    done(source, out, weights, "--same-size")
    with rasterio.open(out) as made:
        assert (made.shape, made.transform) == ((350, 340), from_origin(500_000, 5_000_000, 2, 2))


def test_maps_of_other_kinds_go_through(tmp_path: Path, weights: Path) -> None:
    out = tmp_path / "out.tif"
    four = photograph(40, 48, 4)
    write_map(tmp_path / "naip.tif", four, photometric="RGB")
    assert "Of its 4 bands 1, 2, 3 are taken" in done(tmp_path / "naip.tif", out, weights)
    with rasterio.open(out) as made:
        assert (made.count, made.shape) == (3, (80, 96))
    deep = (photograph(40, 48).astype(np.uint16) * 12) + 300
    write_map(tmp_path / "sentinel.tif", deep)
    assert "more than 8 bits" in done(tmp_path / "sentinel.tif", out, weights)
    radar = photograph(40, 48, 1).astype(np.float32) / 255
    radar[:8, :8] = np.nan
    write_map(tmp_path / "sar.tif", radar)
    done(tmp_path / "sar.tif", out, weights)
    with rasterio.open(out) as made:
        assert made.count == 1
        assert not made.dataset_mask()[:16, :16].any()
        assert made.dataset_mask()[16:, 16:].all()
    out.unlink()
    write_map(tmp_path / "none.tif", np.zeros((20, 20, 3), np.uint8), nodata=0)
    failed = run(tmp_path / "none.tif", out, weights)
    assert (failed.returncode, "no known pixel" in failed.stderr) == (1, True)
    assert not out.exists()


def test_pictures_keep_grey_transparency_and_how_they_were_held(tmp_path: Path, weights: Path) -> None:
    grey, clear, held = tmp_path / "grey.png", tmp_path / "clear.png", tmp_path / "held.jpg"
    Image.fromarray(photograph(330, 20, 1)[..., 0]).save(grey)
    alpha = np.full((30, 40, 1), 255, np.uint8)
    alpha[:10] = 0
    Image.fromarray(np.dstack([photograph(30, 40), alpha])).save(clear)
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(photograph(30, 40)).save(held, exif=exif)
    for path in (grey, clear, held):
        done(path, tmp_path / f"made-{path.name}", weights)
    with Image.open(tmp_path / "made-grey.png") as made:
        assert (made.mode, made.size) == ("L", (40, 660))
    with Image.open(tmp_path / "made-clear.png") as made:
        assert (made.mode, made.size) == ("RGBA", (80, 60))
        assert np.array_equal(np.asarray(made)[..., 3], alpha[..., 0].repeat(2, 0).repeat(2, 1))
    with Image.open(tmp_path / "made-held.jpg") as made:
        assert (made.size, made.getexif()[274]) == ((80, 60), 6)


def test_a_folder_keeps_names_and_goes_on_with_what_is_missing(tmp_path: Path, weights: Path) -> None:
    source = tmp_path / "in"
    out = source / "out"  # what was made is not made again, wherever it lies
    (source / "deep").mkdir(parents=True)
    names = ["a.png", "b.jpg", "deep/c.webp", "d.tif"]
    for number, name in enumerate(names):
        Image.fromarray(photograph(20, 24, seed=number)).save(source / name)
    (source / "notes.txt").write_text("no picture")
    (source / "broken.png").write_bytes(b"junk")
    (source / "out").mkdir()
    Image.fromarray(photograph(20, 24)).save(source / "out" / "e.png")
    told = done(source, out, weights, "--workers", "1")
    assert "Left out 1: a picture is damaged" in told
    made = {name: (out / name).stat().st_mtime_ns for name in names}
    (out / "b.jpg").unlink()
    assert "3 of 5 images are there already" in done(source, out, weights, "--workers", "1")
    again = {name: (out / name).stat().st_mtime_ns for name in names}
    assert [name for name in names if again[name] != made[name]] == ["b.jpg"]
    torch.manual_seed(1)
    other = tmp_path / "other.safetensors"
    save_network(RRDBNet(Shape(8, 1, 4)), other)
    refused = run(source, out, other)
    assert (refused.returncode, "another enhancer" in refused.stderr) == (1, True)
    done(source, out, other, "--anew", "--workers", "1")
    assert all((out / name).stat().st_mtime_ns != again[name] for name in names)


def test_tables_of_several_processes_are_those_of_one(tmp_path: Path, weights: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for name in ("0.parquet", "1.parquet"):
        write_rows(source / name, 7, bad=(5,) if name == "1.parquet" else ())
    one, two = tmp_path / "one", tmp_path / "two"
    told = run(source, one, weights, "--workers", "1", "--json")
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["reasons"] == {"image cannot be decoded": 1}
    done(source, two, weights, "--workers", "2")
    for name, count in (("0.parquet", 7), ("1.parquet", 6)):
        table = pq.read_table(one / name)
        assert table.equals(pq.read_table(two / name))
        assert table.num_rows == count
        assert set(table["resolution"].to_pylist()) == {"0.5"}
        assert table["Google_location"][0].as_py() == "17_0_4"
    assert sorted(path.name for path in one.iterdir()) == ["0.parquet", "1.parquet"]
    assert "14 of 14 images are there already" in done(source, one, weights)


def test_too_many_bad_rows_are_an_error_at_the_end(tmp_path: Path, weights: Path) -> None:
    source, out = tmp_path / "a.parquet", tmp_path / "b.parquet"
    write_rows(source, 8, bad=(1, 4))
    for _ in range(2):  # also when all is there already
        failed = run(source, out, weights, "--workers", "1")
        assert failed.returncode == 1
        assert "Left out 2: image cannot be decoded" in failed.stderr
        assert "2 of 8 images were left out, and at most 1% may be" in failed.stderr
    assert pq.read_table(out).num_rows == 6


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_stopped_or_killed_it_goes_on_with_the_rest(how: signal.Signals, tmp_path: Path, weights: Path) -> None:
    source, out, whole = tmp_path / "a.parquet", tmp_path / "b.parquet", tmp_path / "whole.parquet"
    write_rows(source, 400, group=4)
    command = [
        sys.executable, "-m", "app.cli", "enhance", source, "--out", out, "--weights", weights, "--workers", "1",
        "--device", "cpu",
    ]  # fmt: skip
    parts = tmp_path / ".b.parquet.parts"
    with subprocess.Popen(command, cwd=command_line.ROOT, stderr=subprocess.PIPE, text=True) as process:
        while len(list(parts.glob("[0-9]*.parquet"))) < 3:
            assert process.poll() is None, process.stderr and process.stderr.read()
            time.sleep(0.01)
        os.kill(process.pid, how)
        assert process.stderr is not None
        told = process.stderr.read()
    assert not out.exists()
    there = {path.name: path.stat().st_mtime_ns for path in parts.glob("[0-9]*.parquet")}
    assert 3 <= len(there) < 100
    if how == signal.SIGINT:
        assert "the same command goes on from here" in told
        assert not list(parts.glob(".*"))
    assert "images are there already" in done(source, out, weights, "--workers", "1")
    done(source, whole, weights, "--workers", "1")
    assert pq.read_table(out).equals(pq.read_table(whole))
    assert not parts.exists()


def test_mistakes_are_one_sentence(tmp_path: Path, weights: Path) -> None:
    picture, empty = tmp_path / "a.png", tmp_path / "empty"
    Image.fromarray(photograph(20, 20)).save(picture)
    empty.mkdir()
    pickled = tmp_path / "net.pth"
    torch.save({"params_ema": {"a": torch.zeros(1)}}, pickled)
    for source, out, net, words in (
        (tmp_path / "no.png", tmp_path / "b.png", weights, "There is no file or folder"),
        (picture, picture, weights, "--out is"), (picture, tmp_path / "b.gif", weights, "format of b.gif"),
        (picture, tmp_path / "no" / "b.png", weights, "There is no folder"),
        (empty, tmp_path / "out", weights, "holds no picture"), (empty, picture, weights, "is a file"),
        (picture, tmp_path / "b.png", pickled, "is a pickle"),
        (picture, tmp_path / "b.png", tmp_path / "no.safetensors", "There is no file"),
    ):  # fmt: skip
        failed = run(source, out, net)
        assert failed.returncode == 1
        assert words in failed.stderr
        assert len(failed.stderr.strip().splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "empty", "net.pth"]


def test_where_no_enhancer_is_shipped_one_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.cli.enhance.SHIPPED_ENHANCER", tmp_path / "none")
    Image.fromarray(photograph(20, 20)).save(tmp_path / "a.png")
    failed = command_line.run("enhance", tmp_path / "a.png", "--out", tmp_path / "b.png")
    assert (failed.returncode, "--weights" in failed.stderr) == (1, True)
    assert len(failed.stderr.strip().splitlines()) == 1


def test_without_ray_one_sentence_says_so(tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    write_rows(tmp_path / "a.parquet", 2)
    failed = run(tmp_path / "a.parquet", tmp_path / "out.parquet", weights, "--ray", "auto")
    assert failed.returncode == 1
    assert "Ray is not installed" in failed.stderr


def test_a_cluster_makes_what_one_process_makes(tmp_path: Path, weights: Path) -> None:
    ray = pytest.importorskip("ray", reason="the optional extra text2earth-canvas[cluster] is not installed")
    context = ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=100 * 2**20)
    write_rows(tmp_path / "a.parquet", 8, group=2)
    try:
        done(tmp_path / "a.parquet", tmp_path / "b.parquet", weights, "--ray", context.address_info["gcs_address"])
    finally:
        ray.shutdown()
    done(tmp_path / "a.parquet", tmp_path / "c.parquet", weights, "--workers", "1")
    assert pq.read_table(tmp_path / "b.parquet").equals(pq.read_table(tmp_path / "c.parquet"))
