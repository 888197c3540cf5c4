"""Captions as ChatEarthNet publishes them: three lists a version, and the images beside them."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from text2earth_core.data.chatearthnet.layout import (
    JSON_FOLDER,
    RGB_FOLDER,
    SPLITS,
    images_in,
    is_file_name,
    list_name,
    split_of,
)
from text2earth_core.data.chatearthnet.reading import MISSING
from text2earth_core.errors import Text2EarthError, reason_of
from text2earth_core.values import is_text
from text2earth_core.whole_file import whole_file


@dataclass(frozen=True)
class Captioned:
    """A caption and the name of its image's file; split: one of `SPLITS`, or "" to be decided by the name."""

    name: str
    caption: str
    split: str = ""


def captions_in(path: Path) -> Iterator[Captioned]:
    """The captions of a file of JSON lines, as `data caption` and `data chatearthnet read` write them.

    Tiles of a map have no name: they are called after the file, their row and their column.

    Raises:
        Text2EarthError: it cannot be read, or a line is no JSON object.
    """
    number = 0
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                number += 1
                if line.strip():
                    yield _captioned(json.loads(line), path.stem)
    except (OSError, ValueError, RecursionError, AttributeError) as error:
        where = "" if isinstance(error, OSError) else f" in line {number + isinstance(error, UnicodeDecodeError)}"
        raise Text2EarthError(f"{path} cannot be read as captions{where} ({reason_of(error)}).") from None


def _captioned(values: dict[str, Any], stem: str) -> Captioned:
    name = values.get("name")
    if not name and "column" in values:
        name = f"{stem}_{values['row']}_{values['column']}.png"
    caption = values.get("caption")
    if isinstance(caption, list):
        caption = " ".join(map(str, caption))
    split = values.get("split")
    return Captioned(str(name or ""), str(caption or ""), split if split in SPLITS else "")


def write(
    captions: Iterable[Captioned], folder: Path, version: str, images: Path | None = None
) -> dict[str, Any]:  # fmt: skip
    """Write the three lists of a version into a folder, and copy the images that are found.

    Args:
        images: where images are looked for by name; None looks among those that the folder has.

    Returns:
        {"lists": {file: count}, "faults": {reason: count}, "images": found}. An image that is missing is counted, and
        its caption is written; a caption without words or with an unusable name is counted and left out.

    Raises:
        Text2EarthError: the folder has such lists already, or cannot be written.
    """
    lists = {split: folder / JSON_FOLDER / list_name(version, split) for split in SPLITS}
    there = next((path for path in lists.values() if path.exists()), None)
    if there is not None:
        raise Text2EarthError(f"{there} is there already: give another folder.")
    if images is not None and not images.is_dir():
        raise Text2EarthError(f"There is no folder {images} to take images from.")
    known = images_in(images if images is not None else folder / RGB_FOLDER)
    counts: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    names: set[str] = set()
    try:
        (folder / JSON_FOLDER).mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            files = {}
            for split, path in lists.items():
                part = stack.enter_context(whole_file(path))
                files[split] = stack.enter_context(part.open("w", encoding="utf-8"))
            for one in captions:
                fault = _fault(one, names)
                if fault:
                    faults[fault] += 1
                    continue
                names.add(one.name)
                if one.name not in known:
                    faults[MISSING] += 1
                elif images is not None:
                    _copy(known[one.name], folder / RGB_FOLDER / one.name)
                split = one.split or split_of(one.name)
                entry = json.dumps({"image_id": one.name, "caption": one.caption}, ensure_ascii=False)
                files[split].write(f"{',' if counts[split] else '['}\n{entry}")
                counts[split] += 1
            for split, file in files.items():
                file.write("\n]\n" if counts[split] else "[]\n")
                file.close()
    except OSError as error:
        raise Text2EarthError(f"{folder} cannot be written ({error.strerror}).") from None
    return {
        "lists": {path.name: counts[split] for split, path in lists.items()}, "faults": dict(faults.most_common()),
        "images": sum(counts.values()) - faults[MISSING],
    }  # fmt: skip


def _fault(one: Captioned, names: set[str]) -> str:
    if not one.name:
        return "no image name"
    if not is_text(one.name + one.caption):
        return "half a character"
    if not is_file_name(one.name):
        return "image name is a path"
    if not one.caption.strip():
        return "no caption"
    return "image is there twice" if one.name in names else ""


def _copy(source: Path, target: Path) -> None:
    """Copy an image that is not there yet."""
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(target, durable=False) as part:
            shutil.copyfile(source, part)
