"""Records of ChatEarthNet's lists, each with its image where there is one; what is wrong is told and loses nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from text2earth_core.data.chatearthnet.layout import IMAGE_FOLDERS, images_in, is_file_name, list_name, list_of
from text2earth_core.errors import Text2EarthError, reason_of
from text2earth_core.values import is_text

EXAMPLES = 5
MISSING = "image is missing"
MAX_LIST_BYTES = 2 << 30


@dataclass(frozen=True)
class Record:
    """name: of the image's file. captions: mostly one. image: its place, None where it is missing."""

    version: str
    split: str
    name: str
    captions: tuple[str, ...]
    image: Path | None
    faults: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """{"version", "split", "name", "caption", "image", "faults"}; several captions are a list."""
        caption = self.captions[0] if len(self.captions) == 1 else list(self.captions)
        image = str(self.image) if self.image else None
        return {"version": self.version, "split": self.split, "name": self.name, "caption": caption or "",
                "image": image, "faults": list(self.faults)}  # fmt: skip


@dataclass
class Findings:
    """What was counted while records were read; `lists` holds the number of records by file."""

    good: int = 0
    lists: dict[str, int] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add_fault(self, fault: str, place: str, was_good: bool = False) -> None:
        """Count a fault; was_good: of a record that was counted without any."""
        self.good -= was_good
        self.faults[fault] += 1
        shown = self.examples.setdefault(fault, [])
        if len(shown) < EXAMPLES:
            shown.append(place)

    def as_json(self) -> dict[str, Any]:
        """{"rows", "good", "faults": {reason: count}, "examples": {reason: [place]}, "lists": {file: count}}."""
        return {"rows": sum(self.lists.values()), "good": self.good, "faults": dict(self.faults.most_common()),
                "examples": self.examples, "lists": self.lists}  # fmt: skip


def read(folder: Path, findings: Findings) -> Iterator[Record]:
    """All records of the lists that are in a folder or its folders, in the order of the six.

    Args:
        findings: counts what is seen.

    Raises:
        Text2EarthError: there is none of the six lists, or one is no list.
    """
    lists = sorted(
        (path for path in folder.rglob("ChatEarthNet_caps_*.json") if list_of(path.name)), key=lambda path: path.name
    )
    if not lists:
        raise Text2EarthError(f"{folder} holds none of ChatEarthNet's lists, such as {list_name('35', 'train')}.")
    images: dict[str, Path] = {}
    for name in IMAGE_FOLDERS:
        for found, path in images_in(folder / name).items():
            images.setdefault(found, path)
    seen: set[tuple[str, str]] = set()
    for path in lists:
        version, split = list_of(path.name) or ("", "")
        entries = _entries(path)
        findings.lists[path.name] = findings.lists.get(path.name, 0) + len(entries)
        for number, entry in enumerate(entries):
            record = _record(entry, version, split, images, seen)
            findings.good += not record.faults
            for fault in record.faults:
                findings.add_fault(fault, f"{record.name or 'entry'} ({number} of {path.name})")
            yield record


def _entries(path: Path) -> list[Any]:
    try:
        if path.stat().st_size > MAX_LIST_BYTES:
            raise Text2EarthError(f"{path} is larger than {MAX_LIST_BYTES >> 30} GiB: that is no list of captions.")
        entries = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, Text2EarthError):
            raise
        raise Text2EarthError(f"{path} is no JSON ({reason_of(error)}).") from None
    if not isinstance(entries, list):
        raise Text2EarthError(f"{path} is no list of captions: it holds one thing, and not a list of them.")
    return entries


def _record(
    entry: Any, version: str, split: str, images: dict[str, Path], seen: set[tuple[str, str]]
) -> Record:  # fmt: skip
    values = entry if isinstance(entry, dict) else {}
    name = values.get("image_id", values.get("image"))  # the lists do not agree on it
    said = values.get("caption")
    several = said if isinstance(said, list) else [said]
    captions = tuple(one for one in several if isinstance(one, str) and is_text(one) and one.strip())
    faults = []
    if not is_text(name) or not name:
        name = "" if name is None else str(name).encode("ascii", "backslashreplace").decode()
        faults.append("no image name")
    elif not is_file_name(name):
        faults.append("image name is a path")
    elif (version, name) in seen:
        faults.append("image is there twice")
    image = images.get(name) if not faults or faults == ["image is there twice"] else None
    if not captions:
        faults.append("no caption")
    if image is None and name:
        faults.append(MISSING)
    seen.add((version, name))
    return Record(version, split, name, captions, image, tuple(faults))
