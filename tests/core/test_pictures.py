"""A picture means what a viewer shows, whatever its mode: bit depth, transparency, orientation."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from text2earth_core import Text2Earth
from text2earth_core.pictures import as_mask, as_rgb, percentiles, stretched

WHITE = np.zeros((16, 16), np.uint8)
WHITE[4:8, 4:12] = 255


def clear_elsewhere(mode: str) -> Image.Image:
    """White where `WHITE` is, and everywhere else just as white but transparent."""
    rgba = np.full((16, 16, 4), 255, np.uint8)
    rgba[..., 3] = WHITE
    image = Image.fromarray(rgba)
    if mode in ("P", "PA"):
        image = Image.fromarray((WHITE > 0).astype(np.uint8), "P")
        image.putpalette([255, 255, 255] * 2)
        image.info["transparency"] = b"\x00\xff"
        return image.convert(mode)
    if mode in ("L", "RGB", "1"):
        light = Image.fromarray(np.where(WHITE > 0, 255, 254).astype(np.uint8)).convert(mode)
        if mode == "1":
            light = Image.fromarray(WHITE > 0)
        light.info["transparency"] = {"L": 254, "RGB": (254, 254, 254), "1": 0}[mode]
        return light
    if mode == "I;16":
        deep = Image.fromarray(np.where(WHITE > 0, 65535, 65000).astype(np.uint16))
        deep.info["transparency"] = 65000
        return deep
    if mode == "La":
        return image.convert("LA").convert("La")
    return image.convert(mode)


@pytest.mark.parametrize("mode", ["RGBA", "RGBa", "LA", "La", "PA", "P", "L", "RGB", "1", "I;16"])
def test_transparent_means_keep_in_every_mode(mode):
    assert np.array_equal(as_mask(clear_elsewhere(mode)), WHITE)


def deep_png(pixels: np.ndarray, colour: int, clear: bytes = b"") -> Image.Image:
    """A PNG with 16 bits a channel, which Pillow reads but cannot write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = pixels.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0))
    clear = chunk(b"tRNS", clear) if clear else b""
    data = b"\x89PNG\r\n\x1a\n" + head + clear + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return Image.open(io.BytesIO(data))


def test_sixteen_bits_with_transparency_are_read_as_eight_bits_would_be():
    full = np.full((16, 16), 65535)
    alpha = WHITE.astype(int) * 257
    for channels, colour in ((1, 4), (3, 6)):
        assert np.array_equal(as_mask(deep_png(np.dstack([full] * channels + [alpha]), colour)), WHITE)
    marked = np.where(WHITE > 0, 65535, 60000)
    assert np.array_equal(as_mask(deep_png(marked, 0, struct.pack(">H", 60000))), WHITE)
    assert np.array_equal(as_mask(deep_png(np.dstack([marked] * 3), 2, struct.pack(">HHH", *[60000] * 3))), WHITE)


@pytest.mark.parametrize("kind", ["uint16", "int32", "float32"])
def test_more_than_eight_bits_are_scaled(kind):
    values = np.array([[0, 300, 8192], [32768, 65535, 65535]])
    if kind == "float32":
        values = values / 65535
    image = Image.fromarray(values.astype(kind))
    assert as_mask(image).tolist() == [[0, 1, 32], [128, 255, 255]]
    assert as_rgb(image)[..., 1].tolist() == [[0, 1, 32], [128, 255, 255]]


def test_eight_bits_in_a_wider_coat_stay_as_they_are():
    assert as_mask(Image.fromarray(np.array([[0, 200, 255]], np.int32))).tolist() == [[0, 200, 255]]
    assert as_mask(Image.fromarray(np.array([[0, 200, 255]], np.float32))).tolist() == [[0, 200, 255]]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_photograph_is_taken_upright(kind):
    lying = np.arange(24, dtype=np.uint8).reshape(4, 6)
    exif = Image.Exif()
    exif[274] = 6  # the right side is the top
    file = io.BytesIO()
    Image.fromarray(lying).save(file, kind, exif=exif, compression="tiff_lzw")
    assert np.array_equal(as_mask(Image.open(file)), np.rot90(lying, -1))
    assert np.array_equal(as_rgb(Image.open(file))[..., 0], np.rot90(lying, -1))


def test_measurements_are_stretched_between_their_percentiles():
    values = np.linspace(0, 4000, 10_001)
    low, high = percentiles(values)
    assert (low, high) == (80, 3920)
    assert stretched(np.array([0, 80, 2000, 3920, 9000, np.nan]), low, high).tolist() == [0, 0, 128, 255, 255, 0]
    assert percentiles(np.full(5, 7)) == (7, 8)
    assert percentiles(np.empty(0)) == (0, 1)


def test_inpainting_takes_a_picture_and_a_mask_as_scenes_do():
    """A 16-bit picture keeps its known pixels, and a transparent mask its known ground."""
    model = Text2Earth.from_preset("tiny")
    deep = np.random.default_rng(0).integers(0, 65536, (64, 64)).astype(np.uint16)
    alpha = np.zeros((64, 64), np.uint8)
    alpha[24:40, 24:40] = 255
    mask = Image.fromarray(np.dstack([np.full((64, 64, 3), 255, np.uint8), alpha]))
    made = np.asarray(model.inpaint(Image.fromarray(deep), mask, "a lake", feather=0, steps=1))
    assert np.array_equal(made[alpha == 0][:, 0], np.rint(deep / 257)[alpha == 0])
    assert (made != np.rint(deep / 257)[..., None]).any(2)[alpha > 0].mean() > 0.5
