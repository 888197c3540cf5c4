"""Enhancers: the official network as others define it, windows without seams, damage by chance, and training."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import save_file

from text2earth_core import Text2EarthError
from text2earth_core.data.runner.parts import BadRow, join_parts, make_part, table_of
from text2earth_core.enhancement.degradation import degraded, kernel
from text2earth_core.enhancement.enhancer import HALO, WINDOW, Enhancer, windows
from text2earth_core.enhancement.figures import eyes_distance, psnr
from text2earth_core.enhancement.rows import Enhancement, enhance_row
from text2earth_core.enhancement.weights import load_network, save_network
from text2earth_core.networks.eyes import Eyes
from text2earth_core.networks.rrdb import RRDBNet, Shape, begun, enlarged
from text2earth_core.training.enhancer import SHAPE, train_enhancer

SMALL = Shape(features=8, blocks=1, growth=4, over_bicubic=True)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Enhancer:
    """Random weights, which change pictures much, and see about 30 px far."""
    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("enhancer") / "small.safetensors"
    save_network(RRDBNet(SMALL), file)
    return Enhancer.load(file, "cpu")


def photograph(height: int, width: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 4 + 2, width // 4 + 2, 3), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_the_official_layout_is_read_as_spandrel_reads_it(scale: int, tmp_path: Path) -> None:
    """The official sizes, under the official key, with random weights."""
    import spandrel

    torch.manual_seed(scale)
    network = RRDBNet(Shape(blocks=23 if scale == 2 else 1, scale=scale)).eval()
    if scale == 2:
        assert network.conv_first.in_channels == 12
        assert sum(weight.numel() for weight in network.parameters()) == pytest.approx(16.70e6, abs=5e3)
    file = tmp_path / "net.pth"
    torch.save({"params_ema": network.state_dict()}, file)
    ours = load_network(file, allow_pth=True)
    theirs = spandrel.ModelLoader("cpu").load_from_file(file)
    assert (ours.scale, ours.multiple) == (theirs.scale, 4 // scale) == (scale, 4 // scale)
    pixels = torch.rand(1, 3, 16, 24)
    with torch.no_grad():
        made = ours.run(pixels)
        assert made.shape == (1, 3, 16 * scale, 24 * scale)
        torch.testing.assert_close(made, theirs.model.eval()(pixels), atol=1e-5, rtol=0)


def test_other_architectures_come_through_spandrel(tmp_path: Path) -> None:
    from spandrel.architectures.Compact import Compact

    torch.manual_seed(0)
    save_file(Compact(num_feat=8, num_conv=2, upscale=2).state_dict(), tmp_path / "compact.safetensors")
    enhancer = Enhancer.load(tmp_path / "compact.safetensors", "cpu")
    assert "Compact" in enhancer.architecture
    assert enhancer.enhance(photograph(21, 33)).shape == (42, 66, 3)


def test_weights_that_are_none_are_one_sentence(tmp_path: Path, small: Enhancer) -> None:
    torch.save({"params": {"a": torch.zeros(1)}}, tmp_path / "a.pth")
    (tmp_path / "b.safetensors").write_bytes(b"no such thing")
    save_file({"a": torch.zeros(1)}, tmp_path / "c.safetensors")
    for name, allow, words in (
        ("a.pth", False, "--allow-pth"), ("a.pth", True, "Nobody knows|spandrel"),
        ("b.safetensors", False, "cannot be read"), ("c.safetensors", False, "Nobody knows|spandrel"),
        ("d.safetensors", False, "no file"),
    ):  # fmt: skip
        with pytest.raises(Text2EarthError, match=words):
            load_network(tmp_path / name, allow)
    with pytest.raises(Text2EarthError, match=r"holds no enhancer\.safetensors"):
        Enhancer.load(tmp_path)


def test_a_pickle_that_is_a_program_is_not_run(tmp_path: Path) -> None:
    class Program:
        def __reduce__(self) -> tuple:
            return (Path.touch, (tmp_path / "was-run",))

    torch.save({"params_ema": Program()}, tmp_path / "evil.pth")
    with pytest.raises(Text2EarthError, match="cannot be read"):
        load_network(tmp_path / "evil.pth", allow_pth=True)
    assert not (tmp_path / "was-run").exists()


def test_windows_cover_every_pixel_once() -> None:
    for width, height in ((1, 1), (320, 200), (321, 100), (700, 1030)):
        seen = np.zeros((height, width), int)
        for one in windows(width, height):
            seen[one.y : one.y + one.h, one.x : one.x + one.w] += 1
            assert one.left % HALO == one.top % HALO == 0
            assert max(one.right - one.left, one.bottom - one.top) <= WINDOW + 2 * HALO
        assert (seen == 1).all()


def test_windows_leave_no_seams(small: Enhancer) -> None:
    """Made of many windows, a picture is what it is made in one, but for rounding."""
    picture = photograph(301, 611)
    pixels = torch.from_numpy(np.pad(picture, ((0, 1), (0, 1), (0, 0)), "reflect")).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        whole = small._network.run(pixels)[0, :, :602, :1222].clamp(0, 1).permute(1, 2, 0).numpy() * 255
    made = small.enhance(picture)
    assert made.shape == (602, 1222, 3)
    assert np.abs(made - whole).max() < 0.51
    bicubic = enlarged(pixels, 2)[0, :, :602, :1222].clamp(0, 1).permute(1, 2, 0).numpy() * 255
    assert np.abs(bicubic - whole).mean() > 1  # the network does something


def test_pictures_of_any_size_and_the_same_size(small: Enhancer) -> None:
    for height, width in ((1, 1), (3, 2), (17, 64)):
        assert small.enhance(photograph(height, width)).shape == (2 * height, 2 * width, 3)
    picture = photograph(40, 30)
    twice, same = small.enhance(picture), small.enhance(picture, same_size=True)
    means = twice.reshape(40, 2, 30, 2, 3).mean((1, 3))
    assert np.abs(same - means).max() <= 1


def test_one_that_knows_nothing_yet_is_bicubic_interpolation() -> None:
    network, pixels = begun(SMALL), torch.rand(1, 3, 8, 8)
    torch.testing.assert_close(network(pixels), enlarged(pixels, 2))


def test_damage_is_chance_that_can_be_repeated_and_is_damage() -> None:
    picture = photograph(64, 96)
    one, same, other = (degraded(picture, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert one.shape == (32, 48, 3)
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    clean = cv2.resize(picture, (48, 32), interpolation=cv2.INTER_AREA)
    values = [psnr(degraded(picture, np.random.default_rng(seed)), clean) for seed in range(60)]
    assert 15 < np.median(values) < 32
    assert max(values) > 100  # some are sound
    for seed in range(20):
        blur = kernel(np.random.default_rng(seed), (0.2, 2))
        assert blur.sum() == pytest.approx(1, abs=1e-5)
        assert blur[6, 6] == blur.max()


def test_eyes_see_damage(small: Enhancer) -> None:
    eyes, picture = Eyes(), photograph(64, 64)
    little, much = cv2.GaussianBlur(picture, (0, 0), 0.8), cv2.GaussianBlur(picture, (0, 0), 4)
    assert eyes_distance(eyes, picture, picture) == pytest.approx(0, abs=1e-6)
    assert 0 < eyes_distance(eyes, little, picture) < eyes_distance(eyes, much, picture)


def test_an_enhancer_is_trained_resumed_and_used(few_images: Path, tmp_path: Path) -> None:
    found = train_enhancer(few_images, tmp_path, samples=32, device="cpu")
    assert found["samples"] == 32
    assert {"psnr", "psnr_of_bicubic"} <= set(found)
    with pytest.raises(Text2EarthError, match="unfinished run"):
        train_enhancer(few_images, tmp_path, samples=48, device="cpu")
    assert train_enhancer(few_images, tmp_path, samples=48, resume=True, device="cpu")["samples"] == 48
    enhancer = Enhancer.load(tmp_path, "cpu")
    assert enhancer.scale == SHAPE.scale
    assert enhancer.enhance(photograph(32, 32)).shape == (64, 64, 3)
    assert (tmp_path / "enhancer.safetensors").stat().st_size < 3e6


def encoded(suffix: str, seed: int = 0) -> bytes:
    return cv2.imencode(suffix, photograph(24, 32, seed))[1].tobytes()


def test_a_row_keeps_its_format_and_tells_its_new_resolution(small: Enhancer) -> None:
    row = {
        "image": {"bytes": encoded(".jpg"), "path": "a.jpg"}, "img_name": "a", "resolution": "2.0",
        "caption": "16_GOOGLE_LEVEL_a field", "Google_location": "16_3_4",
    }  # fmt: skip
    better = enhance_row(row, small)
    assert better["image"]["bytes"].startswith(b"\xff\xd8\xff")
    assert cv2.imdecode(np.frombuffer(better["image"]["bytes"], np.uint8), 1).shape == (48, 64, 3)
    changed = ("1", "17_GOOGLE_LEVEL_a field", "16_3_4", "a.jpg")
    kept = (better["resolution"], better["caption"], better["Google_location"], better["image"]["path"])
    assert kept == changed
    same = enhance_row(row, small, same_size=True)
    assert (same["resolution"], same["caption"]) == (row["resolution"], row["caption"])
    assert enhance_row(row | {"image": encoded(".png"), "resolution": 0.5}, small)["resolution"] == 0.25
    for image, reason in (
        (None, "no image"), ({"bytes": None, "path": "x"}, "no image"), ({"bytes": b"junk"}, "cannot be decoded"),
        ({"bytes": encoded(".png")[:90]}, "cannot be decoded"),
    ):  # fmt: skip
        with pytest.raises(BadRow, match=reason):
            enhance_row(row | {"image": image}, small)


def test_a_table_is_made_part_by_part_and_remembers_what_it_left_out(small: Enhancer, tmp_path: Path) -> None:
    rows = [{"image": {"bytes": encoded(".png", n), "path": ""}, "img_name": str(n), "resolution": 4} for n in range(9)]
    rows[4]["image"]["bytes"] = b"junk"
    source, out = tmp_path / "a.parquet", tmp_path / "out" / "a.parquet"
    pq.write_table(pa.Table.from_pylist(rows), source, row_group_size=5)
    work = Enhancement(small)
    table = table_of(source, out, work.facts)
    assert [(job.group, job.start, job.stop) for job in table.jobs] == [(0, 0, 5), (1, 0, 4)]
    assert make_part(table.jobs[0], work, lambda: None) == Counter({"image cannot be decoded": 1})
    assert table.counted(table.jobs[0].part) == Counter({"image cannot be decoded": 1})
    assert table.counted(table.jobs[1].part) is None

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_part(table.jobs[1], work, stop)
    assert [path.name for path in table.parts.iterdir()] == [table.jobs[0].part.name]
    make_part(table.jobs[1], work, lambda: None)
    join_parts(table, work)
    made = pq.read_table(out)
    assert made["img_name"].to_pylist() == [str(n) for n in range(9) if n != 4]
    assert made["resolution"].to_pylist() == [2.0] * 8
    assert table.counted(out) == Counter({"image cannot be decoded": 1})
    assert not table.parts.exists()
    with pytest.raises(Text2EarthError, match="not made of this table in this way"):
        table_of(source, out, work.facts | {"enhancer": "another"}).counted(out)
    pq.write_table(pa.table({"a": [1]}), tmp_path / "b.parquet")
    (tmp_path / "c.parquet").write_bytes(b"junk")
    for name, words in (("b", "no column `image`"), ("c", "cannot be read")):
        with pytest.raises(Text2EarthError, match=words):
            table_of(tmp_path / f"{name}.parquet", out, work.facts)


def test_a_row_group_larger_than_a_part_is_cut(
    small: Enhancer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("text2earth_core.data.runner.parts.PART_ROWS", 10)
    rows = [{"image": {"bytes": encoded(".png", n), "path": ""}, "img_name": str(n)} for n in range(23)]
    source = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_pylist(rows), source)
    work = Enhancement(small, same_size=True)
    table = table_of(source, tmp_path / "b.parquet", work.facts)
    for job in table.jobs:
        make_part(job, work, lambda: None)
    join_parts(table, work)
    assert pq.read_table(table.out)["img_name"].to_pylist() == [str(n) for n in range(23)]
