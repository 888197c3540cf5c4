"""Borders of masks: a planted edge is found, an untouched picture scores 1; and clouds put over known ground."""

from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.measures.borders import (
    CLEARANCE,
    SIDE,
    border_pieces,
    border_ratio,
    colour_steps,
    masked_patch_distance,
    roughness,
    texture_steps,
)
from benchmarks.measures.cloud_simulation import FILE, SHOWS, load_cloud_textures, with_cloud
from text2earth_core.errors import Text2EarthError
from text2earth_core.evaluation.lines import LENGTH

PICTURES = 12


def ground(seed, side=192):
    noise = np.random.default_rng(seed).normal(0, 1, (side, side, 3)).astype(np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), 2)
    return (np.array((120, 130, 100)) + 25 * blurred / blurred.std()).clip(0, 255).astype(np.uint8)


def disc(x=60, y=60, radius=34, side=192):
    rows, columns = np.mgrid[:side, :side]
    return np.hypot(columns - x, rows - y) < radius


MASKS = [disc()] * PICTURES


def test_pieces_cover_the_border_and_nothing_far_from_it():
    mask = disc()
    pieces = border_pieces(mask)
    rows, columns = np.mgrid[:192, :192]
    distance = np.abs(np.hypot(columns - 60, rows - 60) - 34)
    assert (pieces[distance < SIDE - 2] > 0).all()
    assert (pieces[distance > SIDE + 2] == 0).all()
    circumference = np.pi * 2 * 34 * 0.9  # along pixels, diagonals count once
    assert pieces.max() == pytest.approx(circumference / LENGTH, abs=1)
    assert border_pieces(np.zeros((64, 64), bool)).max() == 0
    assert border_pieces(np.ones((64, 64), bool)).max() == 0, "the picture's edge is no border"


def test_pieces_keep_clear_of_another_mask():
    assert border_pieces(disc(), away_from=disc(70, 70)).max() == 0
    rows, columns = np.nonzero(border_pieces(disc(100, 60), away_from=disc(20, 60, 10)))
    assert np.hypot(columns - 20, rows - 60).min() > 10 + CLEARANCE - SIDE - 2


@pytest.mark.parametrize("figure", [roughness, colour_steps, texture_steps])
def test_where_nothing_was_filled_the_ratio_is_one(figure):
    found = border_ratio(figure, [ground(n) for n in range(PICTURES)], MASKS)
    assert found.low <= 1 <= found.high
    assert found.value == pytest.approx(1, abs=0.25)


def test_a_hard_edge_is_rough_and_a_blurred_border_is_smooth():
    pictures = [ground(n) for n in range(PICTURES)]
    pasted = [np.where(disc()[..., None], ground(n + 100), p) for n, p in enumerate(pictures)]
    assert border_ratio(roughness, pasted, MASKS).low > 2
    blurred = [np.where(disc(radius=42)[..., None], cv2.GaussianBlur(p, (0, 0), 6), p) for p in pictures]
    assert border_ratio(roughness, blurred, MASKS).high < 0.7
    assert border_ratio(texture_steps, blurred, MASKS).low > 2
    darker = [np.where(disc()[..., None], p * 0.7, p).astype(np.uint8) for p in pictures]
    assert border_ratio(colour_steps, darker, MASKS).low > 2


def test_a_border_without_room_for_another_is_told():
    with pytest.raises(ValueError, match="room"):
        border_ratio(roughness, [ground(0)], [disc(96, 96, 80)])


def test_patches_of_the_same_kind_are_near_and_blurred_ones_far():
    pictures, others = [ground(n) for n in range(PICTURES)], [ground(n + 50) for n in range(PICTURES)]
    near = masked_patch_distance(pictures, others, MASKS)
    blurred = [cv2.GaussianBlur(p, (0, 0), 3) for p in pictures]
    assert masked_patch_distance(blurred, others, MASKS) > 3 * near
    outside = [np.where(disc(radius=44)[..., None], p, 0) for p in pictures]
    assert masked_patch_distance(outside, others, MASKS) < 2 * near, "what lies beyond the mask does not count"


@pytest.fixture
def textures():
    rng = np.random.default_rng(0)
    fields = [cv2.GaussianBlur(rng.normal(0, 1, (64, 64)).astype(np.float32), (0, 0), 6) for _ in range(3)]
    grey = [(128 + 60 * f / f.std()).clip(0, 255).astype(np.uint8) for f in fields]
    return [np.dstack([g, g, g]) for g in grey]


def test_a_simulated_cloud_changes_the_image_under_its_mask_only(textures):
    image = ground(0)
    covered = []
    for seed in range(8):
        made = with_cloud(image, textures, np.random.default_rng(seed))
        again = with_cloud(image, textures, np.random.default_rng(seed))
        assert np.array_equal(made.pixels, again.pixels)
        change = np.abs(made.pixels.astype(int) - image).max(axis=2)
        assert change[~made.mask].max() <= SHOWS * 255 * 2
        assert not (made.cloud & made.shadow).any()
        assert made.shadow.any()
        assert made.pixels[made.shadow].mean() < image[made.shadow].mean()
        covered.append(made.mask.mean())
    assert 0.05 < np.mean(covered) < 0.6


def test_uniform_textures_are_left_out_and_missing_ones_told(tmp_path: Path, textures):
    with pytest.raises(Text2EarthError, match="is missing"):
        load_cloud_textures(tmp_path)
    uniform = np.full((64, 64, 3), 180, np.uint8)

    def write(pictures):
        rows = [{"image": {"bytes": cv2.imencode(".png", p)[1].tobytes(), "path": ""}} for p in pictures]
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / FILE)

    write([uniform, *textures, uniform])
    assert len(load_cloud_textures(tmp_path)) == 3
    write([uniform])
    with pytest.raises(Text2EarthError, match="no texture"):
        load_cloud_textures(tmp_path)
