"""Packing what a training run needs into a folder of small files, to be carried to a machine without network."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import pyarrow as pa
import pyarrow.parquet as pq
from rich.progress import track

from text2earth_core.data.corpus import decode_image, read_rows, scene_sets, shrink_to
from text2earth_core.data.damage import leave_out
from text2earth_core.errors import Text2EarthError
from text2earth_core.folder import FACTS_FILE

SHARD_BYTES = 16 * 2**20
"""No file of a pack is larger."""

FROZEN_PARTS = ("vae", "text_encoder", "tokenizer")
"""What a UNet is trained on; these parts stay as they are."""

MODEL = "model"
"""Folder of the parts in a pack."""

HELD_BACK = 24
"""Held-back images of each data set in a pack: on these a run measures itself."""

SAMPLE = 96
"""Images by which a setting's size is estimated."""


@dataclass(frozen=True)
class Setting:
    """How images are stored: shrunk to a shorter side, as WebP of a quality; None and None: as they are."""

    side: int | None = None
    quality: int | None = None

    def __str__(self) -> str:
        return "as they are" if self.quality is None else f"{self.side} px, WebP quality {self.quality}"


LADDER = (
    Setting(),
    *(Setting(side, quality) for side in (256, 192, 128) for quality in (80, 70, 60, 50, 40, 30)),
)  # fmt: skip
"""From best to smallest. Quality goes before size: a model learns the blocks of a poor image, but not what is too small
for its window, and images smaller than half of a window cannot be used at all."""


def pack(data: Path, model: Path, out: Path, megabytes: float) -> dict:
    """Write the training images of `data`, some held-back ones and the parts of `model` into a new folder `out`.

    The folder is a data folder as `load_corpus` reads it, with the parts in `model/`; no file is larger than 16 MiB.

    Args:
        megabytes: 10^6 bytes that the whole folder may have; the images are shrunk and compressed until it fits.

    Returns:
        {"images", "stored", "megabytes", "files"}; images: those for training.

    Raises:
        Text2EarthError: `out` is there already, a part is missing or too large, or the budget is too small.
    """
    if out.exists() and any(out.iterdir()):
        raise Text2EarthError(f"{out} is not empty: give a new folder.")
    names = scene_sets(data)
    rows = {name: _sound(_packed(read_rows(data, name)), name) for name in names}
    everything = [row for several in rows.values() for row in several]
    images = sum(row["split"] == "train" for row in everything)
    if not images:
        raise Text2EarthError(f'{data} holds no images of the split "train".')
    part = out.with_name(out.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    copy_parts(model, part / MODEL)
    for path in (part / MODEL).rglob("*"):
        if path.is_file() and path.stat().st_size > SHARD_BYTES:
            raise Text2EarthError(f"{path.name} of {model} is larger than 16 MiB: packs are for small models.")
    budget = megabytes * 1e6 - size_of(part) - _words(everything)
    for setting in _settings(everything, budget):
        for name, several in rows.items():
            write_shards(part, name, several, setting)
        if size_of(part) <= megabytes * 1e6:
            break
        for path in part.glob("*.parquet"):  # the estimate was too low: take the next setting
            path.unlink()
    else:
        shutil.rmtree(part)
        raise Text2EarthError(f"{len(everything)} images do not fit into {megabytes:g} MB: allow more.")
    if out.exists():
        out.rmdir()
    part.rename(out)
    return {
        "images": images,
        "stored": str(setting),
        "megabytes": round(size_of(out) / 1e6, 1),
        "files": sum(1 for path in out.rglob("*") if path.is_file()),
    }


def _packed(rows: list[dict]) -> list[dict]:
    """All training rows and a few held-back ones, spread evenly (files may be sorted by class)."""
    held_back = [row for row in rows if row["split"] == "val"]
    return [row for row in rows if row["split"] == "train"] + held_back[:: -(-len(held_back) // HELD_BACK) or 1]


def _sound(rows: list[dict], name: str) -> list[dict]:
    """Those rows whose image can be decoded: a pack goes where nobody can mend it."""

    def wrong(row: dict) -> str | None:
        try:
            decode_image(row["image"]["bytes"], row["place"])
        except Text2EarthError as error:
            return str(error)
        return None

    with ThreadPoolExecutor() as pool:
        told = list(track(pool.map(wrong, rows), f"Checking {name}", total=len(rows), transient=True))
    leave_out([one for one in told if one], len(rows), name)
    return [row for row, one in zip(rows, told, strict=True) if one is None]


def copy_parts(model: Path, to: Path) -> None:
    """Copy the parts that a UNet is trained on, and the model's facts, byte by byte; what is there already stays.

    An interruption leaves whole parts: what is copied gets its name last.
    """
    for name in FROZEN_PARTS:
        if not (model / name).is_dir():
            raise Text2EarthError(f"{model} lacks {name}/: a UNet is trained on {', '.join(FROZEN_PARTS)}.")
    fresh = to / "parts.new"
    shutil.rmtree(fresh, ignore_errors=True)
    for name in (*FROZEN_PARTS, FACTS_FILE):
        if (model / name).is_dir():
            shutil.copytree(model / name, fresh / name)
        elif (model / name).is_file():
            shutil.copyfile(model / name, fresh / name)
    for path in fresh.iterdir():
        if not (to / path.name).exists():
            path.rename(to / path.name)
    shutil.rmtree(fresh)


def write_shards(folder: Path, name: str, rows: list[dict], setting: Setting) -> None:
    """Write one data set as `{name}-00000.parquet` and so on."""
    with ThreadPoolExecutor() as pool:
        encoded = pool.map(partial(encode_row, setting=setting), rows)
        for number, shard in enumerate(_shards(track(encoded, f"Packing {name}", total=len(rows), transient=True))):
            pq.write_table(pa.Table.from_pylist(shard), folder / f"{name}-{number:05d}.parquet", compression="zstd")


def encode_row(row: dict, setting: Setting) -> dict:
    """A row with its image stored as a setting says; what cannot become smaller stays as it is."""
    data, resolution = row["image"]["bytes"], row["resolution"]
    if setting.quality is not None and setting.side is not None:
        full = decode_image(data, row["place"])
        small = shrink_to(full, setting.side)
        options = [cv2.IMWRITE_WEBP_QUALITY, setting.quality]
        encoded = cv2.imencode(".webp", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), options)[1].tobytes()
        if len(encoded) < len(data):
            data, scale = encoded, min(full.shape[:2]) / min(small.shape[:2])
            resolution = None if resolution is None else resolution * scale
    kept = {key: row[key] for key in ("label", "captions", "split")}
    return {"image": {"bytes": data, "path": ""}, "resolution": resolution, **kept}


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _settings(rows: list[dict], budget: float) -> Iterator[Setting]:
    """The settings that should fit into a budget of bytes, best first."""
    sample = rows[:: max(1, len(rows) // SAMPLE)]
    for setting in LADDER:
        sizes = [len(encode_row(row, setting)["image"]["bytes"]) for row in sample]
        if sum(sizes) / len(sizes) * len(rows) <= budget:
            yield setting


def _words(rows: list[dict]) -> int:
    """About the bytes of all captions, which compress to a third."""
    return len(json.dumps([row["captions"] for row in rows]).encode()) // 3


def _shards(rows: Iterable[dict]) -> Iterator[list[dict]]:
    """Cut rows into parts that stay below `SHARD_BYTES` as parquet."""
    shard: list[dict] = []
    size, room = 0, 0.98 * SHARD_BYTES
    for row in rows:
        needed = len(row["image"]["bytes"]) + sum(len(caption.encode()) for caption in row["captions"]) + 200
        if needed > room:
            raise Text2EarthError("An image of more than 16 MiB does not fit into a file of a pack: store it smaller.")
        if shard and size + needed > room:
            yield shard
            shard, size = [], 0
        shard.append(row)
        size += needed
    if shard:
        yield shard
