"""Pictures to overfit, and pairs of pictures and other bands."""

import shutil

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

LOOKS = 4
"""Of the radar pairs."""


@pytest.fixture(scope="session")
def few_images(tmp_path_factory):
    """Sixteen synthetic pictures of four kinds in the layout of the data folder."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    rows = []
    for number in range(16):
        label = ("forest", "desert", "beach", "farmland")[number % 4]
        base = np.zeros((128, 128, 3)) + [(40, 80, 40), (210, 180, 120), (90, 140, 190), (130, 150, 70)][number % 4]
        base[:, :: 16 + number] += 30
        pixels = (base + rng.normal(0, 6, (128, 128, 3))).clip(0, 255).astype(np.uint8)
        data = cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()
        image = {"bytes": data, "path": ""}
        rows.append({"image": image, "label": label, "captions": [], "resolution": 0.5, "split": "train"})
        rows.append(rows[-1] | {"split": "val"})
    for name in ("rsicd", "resisc", "rsscn7", "ucm"):
        pq.write_table(pa.Table.from_pylist(rows if name == "rsicd" else rows[:2]), folder / f"{name}.parquet")
    return folder


def encoded(pixels):
    return {"bytes": cv2.imencode(".png", pixels[..., ::-1])[1].tobytes(), "path": ""}


def speckled(grey, rng):
    """Grey with the speckle of intensities averaged over `LOOKS` looks."""
    return (grey * rng.gamma(LOOKS, 1 / LOOKS, grey.shape)).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def pairs(tmp_path_factory):
    """Synthetic pairs of 32 px: near infrared is twice green less blue, radar is speckled grey."""
    folder, rng = tmp_path_factory.mktemp("pairs"), np.random.default_rng(0)
    rows = {"pairs_rgb_nir": [], "pairs_sar_pan": [], "pairs_sar_rgb": []}
    for number in range(40):
        coarse = rng.integers(20, 110, (4, 4, 3)).astype(np.float32)
        rgb = cv2.resize(coarse, (32, 32), interpolation=cv2.INTER_LINEAR).astype(np.uint8)
        nir = (2 * rgb[..., 1].astype(int) - rgb[..., 2] + 20).clip(0, 255).astype(np.uint8)
        grey = np.repeat(rgb[..., 1:2], 3, axis=2)
        sar = speckled(grey[..., 0], rng)
        told = {"label": ("river", "forest", "gorge")[number % 3], "split": "val" if number % 5 == 0 else "train"}
        for name, kinds, images in (
            ("pairs_rgb_nir", ("rgb", "nir"), (rgb, nir)), ("pairs_sar_pan", ("sar", "pan"), (sar, grey)),
            ("pairs_sar_rgb", ("sar", "rgb"), (sar, rgb)),
        ):  # fmt: skip
            three = [image if image.ndim == 3 else np.repeat(image[..., None], 3, 2) for image in images]
            rows[name].append(
                {"source_image": encoded(three[0]), "target_image": encoded(three[1]), "source_modality": kinds[0],
                 "target_modality": kinds[1]} | told
            )  # fmt: skip
    for name, table in rows.items():
        pq.write_table(pa.Table.from_pylist(table), folder / f"{name}.parquet")
    return folder


@pytest.fixture(scope="session")
def everything(few_images, pairs, tmp_path_factory):
    """A data folder with pictures and pairs."""
    folder = tmp_path_factory.mktemp("everything")
    for source in (few_images, pairs):
        shutil.copytree(source, folder, dirs_exist_ok=True)
    return folder
