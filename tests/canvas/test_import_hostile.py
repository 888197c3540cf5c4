"""A file is treated as hostile: limits are checked by the header, a refusal is one sentence, and nothing is lost."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.crs import CRS

from canvas import Change, Rect, Scene, SceneError
from canvas.maps.import_image import describe, import_image

Make = Callable[..., Change]


@pytest.fixture
def occupied(scene: Scene, make_change: Make) -> Scene:
    scene.accept(make_change(Rect(0, 0, 64, 64)))
    return scene


def refused(scene: Scene, file: Path, words: str, **options: Any) -> None:
    """The import must fail with one sentence that has `words` in it, and leave no trace."""
    files, revision = {path.name for path in scene.path.parent.iterdir()}, scene.revision
    with pytest.raises(SceneError, match=words) as error:
        import_image(scene, file, **({"resolution": 1.0} | options))
    assert "\n" not in str(error.value)
    assert file.name in str(error.value) or "Rect" not in str(error.value)
    assert scene.revision == revision
    assert {path.name for path in scene.path.parent.iterdir()} == files


def png_header(width: int, height: int, interlaced: bool = False) -> bytes:
    """A PNG that promises much and holds nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, int(interlaced))
    data = chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.png", b""),
        ("text.png", b"this is no picture"),
        ("cut.png", png_header(100, 100)[:40]),
        ("page.tif", b"<VRTDataset rasterXSize='1' rasterYSize='1'/>"),
        ("half.tif", b"II*\0\x08\0\0\0"),
        ("cut.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF"),
        ("cut.webp", b"RIFF\x10\0\0\0WEBPVP8 "),
        ("scene.png", b"SQLite format 3\0"),
    ],
)
def test_what_is_no_picture_is_refused(occupied: Scene, tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    refused(occupied, tmp_path / name, "damaged, or is no")


def test_a_file_that_ends_in_the_middle_is_refused(occupied: Scene, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    for suffix in ("png", "jpg", "webp", "tif"):
        Image.fromarray(noise).save(tmp_path / f"whole.{suffix}")
        data = (tmp_path / f"whole.{suffix}").read_bytes()
        (tmp_path / f"cut.{suffix}").write_bytes(data[: len(data) // 2])
        refused(occupied, tmp_path / f"cut.{suffix}", "damaged")


@pytest.mark.parametrize(
    ("width", "height", "interlaced", "words"),
    [
        (30_000, 30_000, False, "which no photograph does"),
        (900_000, 900_000, False, "cut it into parts"),
    ],
)
def test_a_decompression_bomb_is_refused_by_its_header(
    occupied: Scene, tmp_path: Path, width: int, height: int, interlaced: bool, words: str
) -> None:
    (tmp_path / "bomb.png").write_bytes(png_header(width, height, interlaced))
    tracemalloc.start()
    refused(occupied, tmp_path / "bomb.png", words)
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


def test_a_picture_that_can_only_be_decoded_whole_has_a_limit(occupied: Scene, tmp_path: Path) -> None:
    with (tmp_path / "a.png").open("wb") as file:
        file.write(png_header(11_000, 10_000, interlaced=True))
        file.truncate(2_000_000)
    refused(occupied, tmp_path / "a.png", "tiled GeoTIFF")


def test_a_tiff_in_one_huge_block_is_refused(occupied: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a smaller limit: a block beyond the real one would need its memory here."""
    monkeypatch.setattr("canvas.maps.picture.MAX_BLOCK", 2**20)
    with rasterio.open(
        tmp_path / "a.tif", "w", driver="GTiff", width=2000, height=500, count=3, dtype="uint8", blockysize=500,
        compress="DEFLATE",
    ) as file:  # fmt: skip
        file.write(np.zeros((3, 500, 2000), np.uint8))
    refused(occupied, tmp_path / "a.tif", "blocks of 2000 x 500")


def test_no_size_is_guessed(occupied: Scene, tmp_path: Path) -> None:
    Image.new("RGB", (20, 20)).save(tmp_path / "a.png")
    refused(occupied, tmp_path / "a.png", "how large its pixels are", resolution=None)
    with rasterio.open(
        tmp_path / "a.tif", "w", driver="GTiff", width=9, height=9, count=1, dtype="uint8",
        transform=rasterio.Affine(2, 0, 100, 0, -2, 100),
    ) as file:  # fmt: skip
        file.write(np.zeros((1, 9, 9), np.uint8))
    refused(occupied, tmp_path / "a.tif", "how large its pixels are", resolution=None)
    assert describe(tmp_path / "a.tif", occupied)["resolution"] is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"resolution": 0.0}, "no resolution"),
        ({"resolution": float("nan")}, "no resolution"),
        ({"resolution": 1e9}, "no resolution"),
        ({"resolution": 0.001}, "smaller than a pixel"),
        ({"resolution": 90_000.0}, "check its resolution"),
        ({"at": (2**30, 0)}, "too far away"),
        ({"bands": (1, 2)}, "not possible"),
        ({"bands": (0, 1, 2)}, "not possible"),
        ({"value_range": (5.0, 5.0)}, "smaller one first"),
        ({"value_range": (0.0, float("inf"))}, "smaller one first"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(
    occupied: Scene, tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    Image.new("RGB", (20, 20)).save(tmp_path / "a.png")
    refused(occupied, tmp_path / "a.png", words, **options)


def test_a_file_that_says_nonsense_about_its_place_is_refused(occupied: Scene, tmp_path: Path) -> None:
    for number, (crs, transform) in enumerate(
        [
            (32632, rasterio.Affine(1e9, 0, 0, 0, -1e9, 0)),
            (4326, rasterio.Affine(1, 0, 0, 0, -1, 1e6)),
            (3857, rasterio.Affine(1, 0, 1e30, 0, -1, 1e30)),
            (32632, rasterio.Affine(1, 0, float("nan"), 0, -1, 0)),
            (32632, rasterio.Affine(0, 0, 0, 0, 0, 5)),
        ]
    ):
        file = tmp_path / f"{number}.tif"
        with rasterio.open(
            file, "w", driver="GTiff", width=9, height=9, count=1, dtype="uint8", crs=CRS.from_epsg(crs),
            transform=transform,
        ) as made:  # fmt: skip
            made.write(np.zeros((1, 9, 9), np.uint8))
        refused(occupied, file, ".", resolution=None)


def test_a_picture_without_a_known_pixel_changes_nothing(occupied: Scene, tmp_path: Path) -> None:
    Image.new("RGBA", (20, 20)).save(tmp_path / "a.png")
    refused(occupied, tmp_path / "a.png", "no known pixel")


def test_what_lies_beside_a_file_is_not_looked_at(occupied: Scene, tmp_path: Path) -> None:
    """A world file, statistics or a mask beside an upload may have been put there by anybody."""
    Image.new("RGB", (20, 20), (9, 9, 9)).save(tmp_path / "a.png")
    (tmp_path / "a.pgw").write_text("5\n0\n0\n-5\n0\n0\n")
    (tmp_path / "a.png.aux.xml").write_text("<PAMDataset><SRS>EPSG:32632</SRS></PAMDataset>")
    assert describe(tmp_path / "a.png", occupied)["resolution"] is None


@pytest.mark.parametrize("name", ["/vsicurl/http://localhost/a.tif", "/vsizip/a.zip/a.tif", "missing.png", "."])
def test_only_files_of_this_machine_are_opened(occupied: Scene, name: str) -> None:
    with pytest.raises(SceneError, match="There is no file"):
        import_image(occupied, name, resolution=1.0)


@pytest.mark.parametrize(
    "notes", [b"Exif\0\0", b"Exif\0\0II*\0\x08\0\0\0\xff\xff", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"no notes"]
)
def test_notes_that_are_broken_do_not_keep_a_picture_out(scene: Scene, tmp_path: Path, notes: bytes) -> None:
    Image.new("RGB", (20, 10), (1, 2, 3)).save(tmp_path / "a.jpg", exif=notes)
    import_image(scene, tmp_path / "a.jpg", resolution=1.0)
    assert scene.bounds == Rect(0, 0, 20, 10)


def test_a_stopped_import_changes_nothing(occupied: Scene, tmp_path: Path) -> None:
    Image.new("RGB", (600, 600), (1, 2, 3)).save(tmp_path / "a.png")
    files, revision = {path.name for path in tmp_path.iterdir()}, occupied.revision
    for stop_at in (1, 70):

        def stop(done: int, total: int, stop_at: int = stop_at) -> None:
            if done >= stop_at:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            import_image(occupied, tmp_path / "a.png", resolution=1.0, progress=stop)
        assert occupied.revision == revision
        assert {path.name for path in tmp_path.iterdir()} == files


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Python's and numpy's share of it; GDAL's cache has a fixed size."""

    def peak(height: int) -> int:
        file = tmp_path / f"{height}.tif"
        with rasterio.open(
            file, "w", driver="GTiff", width=4096, height=height, count=3, dtype="uint8", compress="ZSTD", tiled=True
        ) as made:
            made.write(
                np.random.default_rng(0).integers(0, 256, (3, 64, 64), dtype=np.uint8), window=((0, 64), (0, 64))
            )
        with Scene.create(tmp_path / f"{height}.t2e", 8.0) as scene:
            tracemalloc.start()
            import_image(scene, file, resolution=1.0)
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return found

    assert peak(16_384) < 1.3 * peak(4096)
