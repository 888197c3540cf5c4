"""A folder of images, with captions in `metadata.jsonl`, in a text beside each, or in the names of folders."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from text2earth_core.data.corpus import Picture, decode_image, shrink_to
from text2earth_core.data.damage import leave_out
from text2earth_core.errors import Text2EarthError
from text2earth_core.prompts import take_level
from text2earth_core.values import is_text, positive

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"}

METADATA = "metadata.jsonl"

CAPTION_KEYS = ("text", "caption", "captions", "prompt")
"""Under which a caption may stand, in a line of metadata or a column of a table."""

LARGEST_FILE = 256 << 20
MOST_WORDS = 4_000
"""Characters of a caption; a text beside an image that is longer is none."""

SHORTER_SIDE = 1024
"""px; what is larger is shrunk to it, for crops are much smaller."""


def pictures_of_images(data: Path, files: Sequence[Path]) -> list[Picture]:
    """Decode images and find what is said of each; damaged ones are left out, see `damage.leave_out`.

    Raises:
        Text2EarthError: a metadata.jsonl is damaged, or too many images are.
    """
    told: dict[Path, dict[str, Any]] = {}
    for path in sorted(data.rglob(METADATA)):
        told |= _read_metadata(path, data)
    found: list[Picture] = []
    damaged: list[str] = []
    for file in files:
        try:
            found.append(_picture(file, data, told.get(file.resolve(), {})))
        except Text2EarthError as error:
            damaged.append(str(error))
    leave_out(damaged, len(files), str(data))
    return found


def _picture(file: Path, data: Path, line: dict[str, Any]) -> Picture:
    if file.stat().st_size > LARGEST_FILE:
        raise Text2EarthError(f"{file} is larger than {LARGEST_FILE >> 20} MB: cut it into pieces.")
    full = decode_image(file.read_bytes(), str(file))
    pixels = shrink_to(full, SHORTER_SIDE)
    captions = texts_of(line) or _text_beside(file)
    resolution = positive(line.get("resolution"))
    if resolution is None:
        resolution = next((metres for caption in captions if (metres := take_level(caption)[1])), None)
    if resolution is not None:
        resolution = resolution * min(full.shape[:2]) / min(pixels.shape[:2])
    label = "" if captions or file.parent == data else file.parent.name.replace("_", " ").replace("-", " ").strip()
    return Picture(pixels, label, captions, resolution, data.name)


def texts_of(values: dict[str, Any]) -> tuple[str, ...]:
    """The captions among the values of a line or a row, under whichever name."""
    for key in CAPTION_KEYS:
        value = values.get(key)
        several = [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else []
        texts = tuple(one.strip() for one in several if is_text(one) and one.strip())
        if texts:
            return texts
    return ()


def _text_beside(file: Path) -> tuple[str, ...]:
    """The lines of the `.txt` of the same name; none where there is no such text."""
    path = file.with_suffix(".txt")
    try:
        if not path.is_file() or path.stat().st_size > MOST_WORDS:
            return ()
        return tuple(line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip())
    except (OSError, ValueError):
        raise Text2EarthError(f"{path} is no text in UTF-8: save it again as that.") from None


def _read_metadata(path: Path, data: Path) -> dict[Path, dict[str, Any]]:
    """{image: its line}; a file that a line names must lie in the folder."""
    found: dict[Path, dict[str, Any]] = {}
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError):
        raise Text2EarthError(f"{path} is no text in UTF-8: save it again as that.") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
            name = values["file_name"]
            place = (path.parent / name).resolve()
        except (ValueError, TypeError, KeyError, RecursionError):
            raise Text2EarthError(f'Line {number} of {path} is no JSON object with a "file_name".') from None
        if not place.is_relative_to(data.resolve()):
            raise Text2EarthError(f"Line {number} of {path} names {name[:80]}, which is not in {data}.")
        if not place.is_file():
            raise Text2EarthError(f"Line {number} of {path} names {name[:80]}, which is not there.")
        found[place] = values
    return found
