"""Real images held in memory, with labels, captions and their true metres per pixel."""

import math
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
from rich.progress import track

from text2earth_core.data.damage import leave_out
from text2earth_core.errors import Text2EarthError, reason_of
from text2earth_core.pictures import percentiles, stretched
from text2earth_core.prompts import take_level

SCENES = ("rsicd", "resisc", "rsscn7", "ucm")
"""The data sets that the shipped model was trained on and is measured with."""

NEVER_TRAINED = "eurosat"
"""The data set by which evaluation asks for ground that no training has seen."""

COLUMNS = ("image", "label", "captions", "resolution", "split")

QUALITY = "quality"
"""A column that a data set may have: a score of the image, of which a run can ask for a least one."""


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
    data: Path,
    split: str = "train",
    files: Iterable[str] | None = None,
    limit: int | None = None,
    side: int | None = None,
    min_quality: float | None = None,
) -> list[Picture]:
    """Decode every image of one split into memory (about 0.2 MB an image).

    Args:
        data: folder with Git-10M-like parquet files: `image` {bytes}, `label`, `captions`, `resolution`, `split`. A
            data set is one file, `rsicd.parquet`, or several, `rsicd-00000.parquet` and so on, or
            `rsicd-00000-of-00002.parquet`. Damaged images are left out, see `damage.leave_out`.
        split: "train" or "val".
        files: names of the data sets; None takes those of `scene_sets`.
        limit: at most so many images from each data set, spread evenly over it (files may be sorted by class).
        side: shrink larger images so that their shorter side has so many px.
        min_quality: only images whose `quality` is above it, as the paper's second stage; those without one are none.

    Raises:
        Text2EarthError: the folder or a file is missing, a file lacks a column or is damaged, or too many rows are.
    """
    data = _existing(data)
    rows: list[dict] = []
    for name in scene_sets(data) if files is None else files:
        mine = [row for row in read_rows(data, name) if row["split"] == split and _good_enough(row, min_quality)]
        rows += mine[:: max(1, len(mine) // limit)][:limit] if limit else mine
    if not rows:
        with_quality = "" if min_quality is None else f" whose quality is above {min_quality:g}"
        raise Text2EarthError(f'{data} holds no images of the split "{split}"{with_quality}.')
    decode = partial(_decode, side=side)
    with ThreadPoolExecutor() as pool:
        found = list(track(pool.map(decode, rows), f"Reading {split} images", total=len(rows), transient=True))
    leave_out([one for one in found if isinstance(one, str)], len(found), f'{data}, split "{split}"')
    return [one for one in found if isinstance(one, Picture)]


def scene_sets(data: Path) -> list[str]:
    """Names of the data sets in a folder that can be trained on: those with all `COLUMNS`, without `NEVER_TRAINED`.

    Raises:
        Text2EarthError: there is no such folder, none in it, or a file is damaged or missing.
    """
    data = _existing(data)
    found = {_name_of(path) for path in data.glob("*.parquet") if set(COLUMNS) <= set(_columns_of(path))}
    if not found - {NEVER_TRAINED}:
        there = ", ".join(sorted(path.name for path in data.glob("*.parquet"))) or "no parquet files"
        raise Text2EarthError(
            f"{data} holds no images to train on: of its parquet files one at least needs the columns "
            f"{', '.join(COLUMNS)}. It holds {there}."
        )
    return sorted(found - {NEVER_TRAINED})


def read_rows(data: Path, name: str) -> list[dict]:
    """The rows of one data set as dictionaries of `COLUMNS` and `QUALITY`, images still encoded.

    `source` is the data set's name, and `place` names file and row. Damaged rows are left out, see `damage.leave_out`.

    Raises:
        Text2EarthError: there is no file of that name, it is not a table of images, or too many rows are damaged.
    """
    paths = files_of(data, name)
    if not paths:
        there = sorted({_name_of(path) for path in data.glob("*.parquet")})
        raise Text2EarthError(
            f"{data / name}.parquet is missing: the folder holds {', '.join(there) or 'no parquet files'}."
        )
    rows, damaged = [], []
    for path in paths:
        try:
            scored = [QUALITY] if QUALITY in pq.read_schema(path).names else []
            table = pq.read_table(path, columns=[*COLUMNS, *scored])
        except (OSError, KeyError, ValueError) as error:
            raise Text2EarthError(f"{path} cannot be read as a table of images: {reason_of(error)}.") from None
        for number, row in enumerate(table.to_pylist()):
            try:
                rows.append(_checked(row) | {"source": name, "place": f"Row {number} of {path}"})
            except ValueError as error:
                damaged.append(f"Row {number} of {path} is damaged: {error}.")
    leave_out(damaged, len(rows) + len(damaged), name)
    return rows


def _checked(row: dict) -> dict:
    """A row as the rest expects it; ValueError, which says what is wrong, where it cannot be made so."""
    image, captions, resolution = row["image"], row["captions"] or (), row["resolution"]
    encoded = image.get("bytes") if isinstance(image, dict) else image
    if not isinstance(encoded, bytes) or not encoded:
        raise ValueError("it has no image")
    captions = (captions,) if isinstance(captions, str) else tuple(captions)
    if not all(caption is None or isinstance(caption, str) for caption in captions):
        raise ValueError("its captions are no texts")
    if resolution is not None and not (isinstance(resolution, int | float) and 0 < resolution < math.inf):
        raise ValueError(f"its resolution is {resolution!r}, not a number of m/px")
    if resolution is None:  # Git-10M says it before the words
        resolution = next((metres for caption in captions if caption and (metres := take_level(caption)[1])), None)
    quality = row.get(QUALITY)
    if quality is not None and not isinstance(quality, int | float):
        raise ValueError(f"its quality is {quality!r}, not a number")
    if not all(row[key] is None or isinstance(row[key], str) for key in ("label", "split")):
        raise ValueError("its label or split is no text")
    return {
        "image": {"bytes": encoded, "path": ""},
        "label": row["label"] or "",
        "captions": [caption for caption in captions if caption and caption.strip()],
        "resolution": resolution,
        "split": row["split"] or "",
        QUALITY: quality,
    }


def _good_enough(row: dict, min_quality: float | None) -> bool:
    return min_quality is None or (row[QUALITY] is not None and row[QUALITY] > min_quality)


def has_data_set(data: Path, name: str) -> bool:
    """Whether a data folder holds a data set."""
    return bool(files_of(Path(data), name))


def _existing(data: Path) -> Path:
    data = Path(data)
    if not data.is_dir():
        raise Text2EarthError(f"There is no data folder {data}: give one with --data or TEXT2EARTH_DATA.")
    return data


def files_of(data: Path, name: str) -> list[Path]:
    """The parquet files of a data set, none where the folder does not hold it.

    Raises:
        Text2EarthError: the files say how many they are, and one is missing.
    """
    whole = data / f"{name}.parquet"
    if whole.is_file():
        return [whole]
    parts = sorted(path for path in data.glob("*-*.parquet") if _name_of(path) == name)
    numbers = {tuple(map(int, found.groups())) for path in parts if (found := _PART_OF.search(path.stem))}
    for count in {count for _, count in numbers}:
        missing = sorted(set(range(count)) - {number for number, of in numbers if of == count})
        if missing:
            raise Text2EarthError(
                f"{data / name}-{missing[0]:05d}-of-{count:05d}.parquet is missing, as the files say that they are "
                f"{count}: download it, or rename the others if they are all there is."
            )
    return parts


_PART_OF = re.compile(r"-(\d+)-of-(\d+)(?:-[0-9a-f]{16})?$")


def _name_of(path: Path) -> str:
    """The data set that a file belongs to: "mine" of mine.parquet, mine-00000.parquet, mine-00000-of-00002.parquet."""
    return re.sub(r"-\d+$", "", _PART_OF.sub("", path.stem))


def _columns_of(path: Path) -> list[str]:
    try:
        return pq.read_schema(path).names
    except (OSError, ValueError) as error:
        raise Text2EarthError(
            f"{path} is damaged or no parquet file, perhaps downloaded in part ({reason_of(error)}): "
            "download it again, or take it out of the folder."
        ) from None


def decode_image(data: bytes, place: str) -> np.ndarray:
    """uint8 (H, W, 3) RGB of an encoded image, upright; more than 8 bits are stretched as an import does.

    Raises:
        Text2EarthError: it is damaged; the sentence begins with `place`.
    """
    encoded = np.frombuffer(data, np.uint8)
    bgr = cv2.imdecode(encoded, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    if bgr is None:  # OpenCV makes no colours of a grey picture of floats
        bgr = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
        if bgr is None:
            raise Text2EarthError(f"{place} is damaged: its image cannot be decoded.")
        bgr = np.repeat(bgr[..., None], 3, axis=2) if bgr.ndim == 2 else bgr[..., :3]
    if bgr.dtype != np.uint8:
        bgr = stretched(bgr, *percentiles(bgr[np.isfinite(bgr)]))
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def shrink_to(pixels: np.ndarray, side: int) -> np.ndarray:
    """Bring the shorter side to `side` px; a smaller image stays as it is."""
    height, width = pixels.shape[:2]
    scale = side / min(height, width)
    if scale >= 1:
        return pixels
    return cv2.resize(pixels, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)


def _decode(row: dict, side: int | None) -> Picture | str:
    """A picture, or the sentence about why there is none."""
    try:
        full = decode_image(row["image"]["bytes"], row["place"])
    except Text2EarthError as error:
        return str(error)
    pixels = full if side is None else shrink_to(full, side)
    resolution = row["resolution"] and row["resolution"] * min(full.shape[:2]) / min(pixels.shape[:2])
    return Picture(pixels, row["label"], tuple(row["captions"]), resolution, row["source"])


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
