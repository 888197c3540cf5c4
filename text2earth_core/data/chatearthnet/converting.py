"""From ChatEarthNet's lists and images to the columns of training: a row an image, with both versions' captions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from text2earth_core.data.chatearthnet.layout import IMAGE_FOLDERS, SPLITS, list_of
from text2earth_core.data.chatearthnet.reading import MISSING, Findings, Record, read
from text2earth_core.data.sources.faults import DAMAGED, look_at
from text2earth_core.data.sources.training_tables import LEFT_OUT, TrainingTables, check_output, new_folder
from text2earth_core.errors import Text2EarthError

NAME = "chatearthnet"

RESOLUTION = 10.0
"""m/px of Sentinel-2's visible bands."""

OTHER_SPLIT = "versions put it into different splits"

Progress = Callable[[str, int, int], None]


def holds_lists(source: str) -> bool:
    """Whether a folder, or a folder in it, has one of ChatEarthNet's six lists."""
    folder = Path(source)
    return folder.is_dir() and any(list_of(path.name) for path in folder.rglob("ChatEarthNet_caps_*.json"))


def convert_lists(source: Path, out: Path, name: str = NAME, progress: Progress = lambda *_: None) -> dict[str, Any]:
    """Write ChatEarthNet as a data folder of `corpus.load_corpus`.

    Every record of the lists is either in the tables or in `left_out.jsonl`. The splits stay; an image whose versions
    disagree is in the one that is held back longest, so that nothing is trained on and tested with.

    Args:
        name: of the data set in the folder.

    Returns:
        What was found as `Findings.as_json`, with "written" images and "left_out" records.

    Raises:
        Text2EarthError: `out` cannot be written or is there already, or nothing of the source can be used.
    """
    check_output(out, name)
    findings = Findings()
    by_image: dict[Path, list[Record]] = {}
    written = left = 0
    with new_folder(out) as part:
        with TrainingTables(part, name) as tables, (part / LEFT_OUT).open("w", encoding="utf-8") as left_out:

            def leave(records: Iterable[Record], fault: str = "") -> None:
                nonlocal left
                for record in records:
                    told = record.as_json() | {"faults": [*record.faults, *([fault] if fault else [])]}
                    left_out.write(json.dumps(told, ensure_ascii=False) + "\n")
                    left += 1

            for record in read(source, findings):
                if record.image is None or not record.captions:
                    leave([record])
                elif IMAGE_FOLDERS[0] not in record.image.relative_to(source).parts:
                    findings.add_fault(MISSING, record.name, not record.faults)  # bands without colours
                    leave([record], MISSING)
                else:
                    by_image.setdefault(record.image, []).append(record)
            for number, (path, records) in enumerate(by_image.items()):
                image = _bytes_of(path)
                if DAMAGED in look_at(image, path.name)[1] or not image:
                    for record in records:
                        findings.add_fault(DAMAGED, record.name, not record.faults)
                    leave(records, DAMAGED)
                else:
                    tables.write(_row(path.name, image, records, findings), len(image))
                    written += 1
                if number % 256 == 0:
                    progress("Writing", number, len(by_image))
        if not written:
            raise Text2EarthError(f"No image of {source} can be used: text2earth data chatearthnet read tells why.")
    return findings.as_json() | {"written": written, "left_out": left}


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _row(name: str, image: bytes, records: list[Record], findings: Findings) -> dict[str, Any]:
    splits = {record.split for record in records}
    if len(splits) > 1:
        for record in records:
            findings.add_fault(OTHER_SPLIT, f"{name} ({record.version}: {record.split})", not record.faults)
    captions = dict.fromkeys(caption for record in records for caption in record.captions)
    return {
        "image": {"bytes": image, "path": name}, "label": "", "captions": list(captions), "resolution": RESOLUTION,
        "split": max(splits, key=SPLITS.index), "name": name, "quality": None, "longitude": None, "latitude": None,
    }  # fmt: skip
