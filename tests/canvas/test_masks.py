"""Masks as pictures, growing masks, and the weights of the feather."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from canvas import Rect, SceneError
from canvas.masks import decode_mask, dilate, encode_mask, placed, read_mask, spread
from text2earth_core.sampling.feather import blend, feather_weight


def point(size: int = 11) -> np.ndarray:
    mask = np.zeros((size, size), bool)
    mask[size // 2, size // 2] = True
    return mask


@pytest.mark.parametrize("by", [0, 1, 2, 5])
def test_a_point_grows_into_a_square(by: int) -> None:
    grown = dilate(point(), by)
    assert grown.sum() == (2 * by + 1) ** 2
    assert grown[5 - by : 6 + by, 5 - by : 6 + by].all()


def test_masks_end_at_the_border_of_the_array() -> None:
    mask = np.zeros((3, 4), bool)
    mask[0, 0] = True
    assert dilate(mask).sum() == 4
    assert dilate(np.zeros((3, 3), bool), 5).sum() == 0


def test_weights_fall_smoothly_alike_in_all_directions_and_end_after_the_feather() -> None:
    weights = feather_weight(point(21), 5)
    row = weights[10, 10:]
    assert row[0] == 1
    assert (np.diff(row[:7]) < 0).all()
    assert (row[6:] == 0).all()
    assert weights[13, 14] == pytest.approx(row[5], abs=1e-4)  # 3-4-5: as far as five to the right
    assert np.array_equal(feather_weight(point(), 0), point())
    assert not feather_weight(np.zeros((4, 4), bool), 3).any()


def png(mask: np.ndarray, **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(mask).save(out, "PNG", **options)
    return out.getvalue()


def test_a_mask_is_cut_to_what_is_painted_and_keeps_its_place() -> None:
    mask = np.zeros((60, 70), np.uint8)
    mask[11:13, 20:31] = 200
    frame, cut = placed(mask, -100, 40)
    assert frame == Rect(-80, 48, 16, 8)
    assert frame.on_cells
    assert cut.shape == (8, 16)
    assert cut.sum() == mask.sum()
    assert cut[3, 0] == 200  # scene pixel (-80, 51)


@pytest.mark.parametrize("values", [[0, 255], [0, 17, 128, 255]])
def test_a_mask_comes_back_from_a_request(values: list[int]) -> None:
    mask = np.random.default_rng(0).choice(np.array(values, np.uint8), (24, 40))
    assert np.array_equal(decode_mask(encode_mask(mask), Rect(0, 0, 40, 24)), mask)
    with pytest.raises(SceneError, match="frame"):
        decode_mask(encode_mask(mask), Rect(0, 0, 24, 40))


def test_every_kind_of_png_reads_as_white_on_black() -> None:
    grey = np.zeros((8, 8), np.uint8)
    grey[2:5, 3:6] = 255
    rgba = np.dstack([np.full((8, 8, 3), 255, np.uint8), grey])
    for picture in (grey, grey > 0, np.dstack([grey] * 3), rgba):
        assert np.array_equal(read_mask(png(picture)), grey)


def test_a_mask_of_sixteen_bits_is_scaled_and_not_cut_off() -> None:
    """300 of 65535 is nearly "keep", and an eighth of white is an eighth."""
    deep = np.full((8, 8), 300, np.uint16)
    deep[2:5, 3:6] = 65535
    deep[6] = 8192
    expected = np.full((8, 8), 1, np.uint8)
    expected[2:5, 3:6] = 255
    expected[6] = 32
    assert np.array_equal(read_mask(png(deep)), expected)


def bomb() -> bytes:
    """A PNG of a few bytes that says it is 100,000 px wide and high."""
    data = bytearray(png(np.zeros((8, 8), np.uint8)))
    data[16:24] = struct.pack(">II", 100_000, 100_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a PNG"),
        (b"GIF89a" + bytes(100), "not a PNG"),
        (png(np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8))[:900], "not a PNG"),
        (bomb(), "more pixels than can be read"),
    ],
)
def test_a_picture_that_is_no_mask_is_told(data: bytes, words: str) -> None:
    with pytest.raises(SceneError, match=words):
        read_mask(data)


def test_an_empty_and_a_huge_mask_are_told() -> None:
    with pytest.raises(SceneError, match="is empty"):
        placed(np.zeros((8, 8), np.uint8), 0, 0)
    wide = np.zeros((8, 3000), np.uint8)
    wide[4, 0] = wide[4, -1] = 255
    with pytest.raises(SceneError, match="3000 x 1 px"):
        placed(wide, 0, 0)
    with pytest.raises(SceneError, match="origin"):
        placed(np.full((8, 8), 255, np.uint8), 2**31, 0)
    with pytest.raises(SceneError, match="details"):
        encode_mask(np.random.default_rng(0).integers(0, 256, (2048, 2048), dtype=np.uint8))


def test_spreading_keeps_the_known_and_repeats_its_edge() -> None:
    values = np.arange(12, dtype=np.float32).reshape(1, 3, 4)
    known = np.zeros((3, 4), bool)
    known[:, 1] = True
    out = spread(np.where(known, values, 99), known, 2)
    assert np.array_equal(out[:, known], values[:, known])
    assert np.array_equal(out[0], np.repeat(values[0, :, 1:2], 4, axis=1))
    assert spread(values, known, 1)[0, :, 3].tolist() == [0, 0, 0]  # out of reach


def test_a_blend_of_two_textures_keeps_their_energy_and_leaves_what_is_not_between() -> None:
    rng = np.random.default_rng(3)
    old, new = rng.integers(60, 196, (2, 96, 96, 3)).astype(np.uint8)
    weights = np.repeat(np.clip((np.arange(96, dtype=np.float32) - 24) / 48, 0, 1)[None], 96, axis=0)
    mixed = blend(old, new, weights)
    assert np.array_equal(mixed[:, :25], old[:, :25])
    assert np.array_equal(mixed[:, 72:], new[:, 72:])
    averaged = old + weights[..., None] * (new.astype(np.float32) - old)
    middle = (slice(None), slice(44, 52))
    assert averaged[middle].std() < 0.8 * old.std()  # what a plain average loses
    assert mixed[middle].std() > 0.92 * old.std()


def test_a_blend_of_equal_pictures_is_the_picture() -> None:
    picture = np.random.default_rng(4).integers(0, 256, (40, 40, 3)).astype(np.uint8)
    weights = np.full((40, 40), 0.5, np.float32)
    assert np.array_equal(blend(picture, picture, weights), picture)
