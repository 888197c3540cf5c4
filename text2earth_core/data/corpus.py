"""Real images held in memory, with labels, captions and their true metres per pixel."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
from rich.progress import track

from text2earth_core.errors import Text2EarthError

SCENES = ("rsicd", "resisc", "rsscn7", "ucm")
"""Parquet files (without suffix) whose images are large enough for 128 px crops."""


@dataclass(frozen=True)
class Picture:
    """One image of a corpus.

    pixels: uint8 (H, W, 3) RGB. label: class name in words ("" if none). captions: sentences, possibly none.
    resolution: m/px of the stored pixels, or None where the source does not say.
    """

    pixels: np.ndarray
    label: str
    captions: tuple[str, ...]
    resolution: float | None
    source: str


def load_corpus(
    data: Path, split: str = "train", files: Iterable[str] = SCENES, limit: int | None = None
) -> list[Picture]:
    """Decode every image of one split into memory (about 0.2 MB an image).

    Args:
        data: folder with Git-10M-like parquet files: `image` {bytes}, `label`, `captions`, `resolution`, `split`.
        split: "train" or "val".
        files: names of the parquet files, without suffix.
        limit: at most so many images from each file, spread evenly over it (files may be sorted by class).

    Raises:
        Text2EarthError: the folder or a file is missing, or a file lacks a column.
    """
    data = Path(data)
    if not data.is_dir():
        raise Text2EarthError(f"There is no data folder {data}: give one with --data or TEXT2EARTH_DATA.")
    rows: list[dict] = []
    for name in files:
        path = data / f"{name}.parquet"
        if not path.is_file():
            raise Text2EarthError(f"{path} is missing: the data folder must hold {', '.join(files)} as .parquet files.")
        try:
            table = pq.read_table(path, columns=["image", "label", "captions", "resolution", "split"])
        except (OSError, KeyError, ValueError) as error:
            raise Text2EarthError(
                f"{path} cannot be read as a table of images: {str(error).splitlines()[0]}."
            ) from None
        mine = [row | {"source": name} for row in table.to_pylist() if row["split"] == split]
        rows += mine[:: max(1, len(mine) // limit)][:limit] if limit else mine
    if not rows:
        raise Text2EarthError(f'{data} holds no images of the split "{split}".')
    with ThreadPoolExecutor() as pool:
        return list(track(pool.map(_decode, rows), f"Reading {split} images", total=len(rows), transient=True))


def _decode(row: dict) -> Picture:
    bgr = cv2.imdecode(np.frombuffer(row["image"]["bytes"], np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        raise Text2EarthError(f"An image of {row['source']}.parquet cannot be decoded: the file is damaged.")
    return Picture(
        cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB),
        row["label"] or "",
        tuple(row["captions"] or ()),
        row["resolution"],
        row["source"],
    )


def random_crop(
    picture: Picture, size: int, rng: np.random.Generator, native: bool = False
) -> tuple[np.ndarray, float | None]:
    """Cut a random square, shrink it to `size` px, and turn or mirror it at random.

    The square is never enlarged. Turning happens on pixels, before any encoder, because a learned latent does not
    turn with its image.

    Args:
        native: keep the stored resolution instead of shrinking by a random factor.

    Returns:
        uint8 (size, size, 3), and its true m/px (None if unknown).
    """
    height, width = picture.pixels.shape[:2]
    largest = min(height, width) / size
    if largest < 1:
        raise Text2EarthError(
            f"A {width}x{height} px image is too small for a {size} px crop and must not be enlarged."
        )
    factor = 1.0 if native else rng.uniform(1.0, largest)
    side = min(round(size * factor), height, width)
    top, left = rng.integers(0, height - side + 1), rng.integers(0, width - side + 1)
    crop = picture.pixels[top : top + side, left : left + side]
    if side != size:
        crop = cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)
    crop = np.rot90(crop, int(rng.integers(4)))
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    resolution = None if picture.resolution is None else picture.resolution * side / size
    return np.ascontiguousarray(crop), resolution
