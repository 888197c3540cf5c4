"""Labelled or captioned images from what people have: folders of classes, or parquet tables in Git-10M's layout."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq

from text2earth_core.data.captions import class_of, clean
from text2earth_core.data.corpus import decode_image
from text2earth_core.data.damage import leave_out
from text2earth_core.data.sources.tables import opened
from text2earth_core.errors import Text2EarthError, reason_of

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
HELD_BACK, ALL = "val", "all"
READ_AT_ONCE = 64
"""Rows of a table in memory."""

MAX_BYTES = 64 * 2**20
"""Of one encoded image."""


@dataclass(frozen=True)
class Known:
    """What is said about one image: its class ("" if none), and its captions, possibly none."""

    label: str
    captions: tuple[str, ...] = ()


@dataclass
class ImageSet:
    """A set of images on disk that is read once, from the first to the last; `known` tells of those read so far.

    split: of a table with such a column, else everything counts. limit: at most about so many, spread over the set.
    """

    name: str
    path: Path
    split: str = HELD_BACK
    limit: int | None = None
    known: list[Known] = field(default_factory=list)

    def images(self) -> Iterator[np.ndarray]:
        """uint8 (H, W, 3) one after the other; damaged ones are left out, see `damage.leave_out`."""
        self.known.clear()
        damaged: list[str] = []
        for data, place, known in self._rows():
            try:
                pixels = decode_image(data, place) if data else None
            except (Text2EarthError, cv2.error) as error:  # OpenCV itself refuses pictures of 2**30 pixels
                damaged.append(
                    f"{place} is damaged: {reason_of(error)}." if isinstance(error, cv2.error) else str(error)
                )
                continue
            if pixels is None:
                damaged.append(f"{place} is damaged: it has no image.")
                continue
            self.known.append(known)
            yield pixels
        leave_out(damaged, len(self.known) + len(damaged), str(self.path))
        if not self.known:
            raise Text2EarthError(f'{self.path} holds no images (of the split "{self.split}").')

    def _rows(self) -> Iterator[tuple[bytes, str, Known]]:
        return self._files() if self.path.is_dir() else self._table()

    def _files(self) -> Iterator[tuple[bytes, str, Known]]:
        found = [(file, folder.name) for folder in class_folders(self.path) for file in pictures_in(folder)]
        for file, name in found[:: self._stride(len(found))]:
            if file.stat().st_size > MAX_BYTES:
                raise Text2EarthError(f"{file} has more than {MAX_BYTES >> 20} MB: cut it into scenes of one class.")
            yield file.read_bytes(), str(file), Known(class_name(name))

    def _table(self) -> Iterator[tuple[bytes, str, Known]]:
        with opened(str(self.path)) as table:
            names = table.schema_arrow.names
            if "image" not in names:
                raise Text2EarthError(f'{self.path} has no column "image": give a table in the layout of Git-10M.')
            columns = [name for name in ("image", "label", "captions") if name in names]
            chosen = self._chosen(table, names)
            number = -1
            for batch in table.iter_batches(READ_AT_ONCE, columns=columns):
                for row in batch.to_pylist():
                    number += 1
                    if number in chosen:
                        yield _bytes_of(row["image"]), f"Row {number} of {self.path}", _known(row)

    def _chosen(self, table: pq.ParquetFile, names: list[str]) -> set[int]:
        """Numbers of the rows that count."""
        rows = list(range(table.metadata.num_rows))
        if self.split != ALL and "split" in names:
            rows = [i for i, split in enumerate(table.read(["split"])["split"].to_pylist()) if split == self.split]
        return set(rows[:: self._stride(len(rows))])

    def _stride(self, count: int) -> int:
        return max(1, -(-count // self.limit)) if self.limit else 1


def find_sets(path: Path, split: str = HELD_BACK, limit: int | None = None) -> list[ImageSet]:
    """The sets of images behind a path: a parquet file, a folder of class folders, or a folder of parquet files.

    Raises:
        Text2EarthError: there are none.
    """
    if not path.exists():
        raise Text2EarthError(f"There is no {path}: give a folder of class folders, or a parquet file.")
    if path.is_file():
        return [ImageSet(path.stem, path, split, limit)]
    tables = [table for table in sorted(path.glob("*.parquet")) if _tells(table)]
    if tables:
        return [ImageSet(table.stem, table, split, limit) for table in tables]
    if len(class_folders(path)) < 2:
        raise Text2EarthError(
            f"{path} holds neither two folders of images, one for each class, nor parquet files with images and labels."
        )
    return [ImageSet(path.name, path, split, limit)]


def class_folders(path: Path) -> list[Path]:
    """Its folders that hold images."""
    return [folder for folder in sorted(path.iterdir()) if folder.is_dir() and pictures_in(folder)]


def pictures_in(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES and file.is_file())


def class_name(folder: str) -> str:
    """A folder's name in words: AnnualCrop, annual_crop and annual-crop are "annual crop"."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", folder)
    return class_of(" ".join(re.split(r"[\s_-]+", words)).strip().lower())


def _tells(table: Path) -> bool:
    """Whether a table has images of two classes, or with captions."""
    with opened(str(table)) as file:
        names = set(file.schema_arrow.names)
        if "image" not in names:
            return False
        labels = set(file.read(["label"])["label"].to_pylist()) if "label" in names else set()
        captions = file.read(["captions"])["captions"].to_pylist() if "captions" in names else []
    return len(labels - {None, ""}) >= 2 or any(captions)


def _bytes_of(image: Any) -> bytes:
    data = image.get("bytes") if isinstance(image, dict) else image
    return data if isinstance(data, bytes) else b""


def _known(row: dict[str, Any]) -> Known:
    captions = row.get("captions") or ()
    captions = (captions,) if isinstance(captions, str) else captions
    said = tuple(cleaned for caption in captions if caption and (cleaned := clean(str(caption))))
    return Known(class_of(str(row.get("label") or "")), said)
