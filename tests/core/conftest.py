"""Pictures to overfit."""

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest


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
