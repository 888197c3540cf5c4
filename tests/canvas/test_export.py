"""An exported picture has exactly the pixels of the scene, says what it is, and needs the memory of one band."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from canvas import Change, Rect, Request, Scene, SceneError
from canvas.maps.export import export_png
from canvas.maps.png_writer import PngWriter

Make = Callable[..., Change]


@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 300, 3), (40, 33, 4)])
@pytest.mark.parametrize("rows", [1, 3, 100])
def test_a_png_reads_back_whatever_the_bands(shape: tuple[int, int, int], rows: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    out = io.BytesIO()
    writer = PngWriter(out, shape[1], shape[0], shape[2], {"Title": "Größe"})
    for y in range(0, shape[0], rows):
        writer.band(pixels[y : y + rows])
    writer.finish()
    image = Image.open(out)
    assert np.array_equal(np.asarray(image), pixels)
    assert image.info["Title"] == "Größe"


def test_a_filled_scene_exports_its_pixels_and_says_it_is_synthetic(
    scene: Scene, tmp_path: Path, make_change: Make
) -> None:
    rect = Rect(-264, -16, 600, 520)
    change = make_change(rect, 4)
    scene.accept(change)
    done: list[tuple[int, int]] = []
    assert export_png(scene, tmp_path / "a.png", progress=lambda rows, total: done.append((rows, total))) == rect
    image = Image.open(tmp_path / "a.png")
    assert image.mode == "RGB"
    assert np.array_equal(np.asarray(image), change.pixels)
    assert "synthetic" in image.info["Source"]
    assert image.info["Resolution"] == "1 m/px"
    assert image.info["Description"] == "prompt 4"
    assert image.info["Software"].startswith("Text2Earth Canvas")
    assert "trainedAlgorithmicMedia" in image.info["XML:com.adobe.xmp"]
    assert done[-1] == (520, 520)


def test_unknown_pixels_are_transparent_and_any_region_can_be_cut(
    scene: Scene, tmp_path: Path, make_change: Make
) -> None:
    scene.accept(make_change(Rect(0, 0, 64, 64), 1))
    scene.accept(make_change(Rect(64, 64, 64, 64), 2))
    export_png(scene, tmp_path / "a.png", Rect(-3, 5, 150, 101))
    picture = np.asarray(Image.open(tmp_path / "a.png"))
    with scene.snapshot() as at:
        pixels, valid = at.pixels(Rect(-3, 5, 150, 101))
    assert np.array_equal(picture[..., :3], pixels)
    assert np.array_equal(picture[..., 3] == 255, valid)


def test_undone_prompts_are_not_in_the_picture(scene: Scene, tmp_path: Path, make_change: Make) -> None:
    scene.accept(make_change(Rect(0, 0, 64, 64), 1))
    scene.accept(make_change(Rect(64, 0, 64, 64), 2))
    scene.undo()
    export_png(scene, tmp_path / "a.png")
    assert Image.open(tmp_path / "a.png").info["Description"] == "prompt 1"


def test_nothing_to_export(scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(SceneError, match="empty"):
        export_png(scene, tmp_path / "a.png")
    with pytest.raises(SceneError, match="at least 1 px"):
        export_png(scene, tmp_path / "a.png", Rect(0, 0, 0, 5))
    with pytest.raises(SceneError, match="too large"):
        export_png(scene, tmp_path / "a.png", Rect(-(2**29), 0, 2**30, 1))
    assert not (tmp_path / "a.png").exists()


def test_a_stopped_or_failed_export_leaves_nothing(scene: Scene, tmp_path: Path, make_change: Make) -> None:
    scene.accept(make_change(Rect(0, 0, 64, 600)))
    (tmp_path / "out").mkdir()

    def stop(rows: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_png(scene, tmp_path / "out" / "a.png", progress=stop)
    assert list((tmp_path / "out").iterdir()) == []
    with pytest.raises(SceneError, match="cannot be written"):
        export_png(scene, tmp_path / "nowhere" / "a.png")


def test_memory_does_not_grow_with_the_height(tmp_path: Path) -> None:
    """Flat tiles keep the scene cheap to make; what is held while exporting is counted, not the machine's mood."""

    def peak(tiles: int) -> int:
        with Scene.create(tmp_path / f"{tiles}.t2e", 1.0) as scene:
            shape = (256, 256)
            for y in range(tiles):
                rect = Rect(0, y * 256, 256, 256)
                scene.accept(
                    Change(
                        Request("generate", rect, 1.0), "rgb", rect, np.full((*shape, 3), y % 256, np.uint8),
                        np.ones(shape, bool), np.zeros((4, 32, 32), np.float32), np.zeros((32, 32), bool),
                    )
                )  # fmt: skip
            tracemalloc.start()
            export_png(scene, tmp_path / f"{tiles}.png")
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return found

    assert peak(96) < 1.3 * peak(8)
