"""Names of files and folders as ChatEarthNet is published (Zenodo record 11003436), and the splits of its images."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

VERSIONS = ("35", "4v")
"""The model that wrote the captions: GPT-3.5 (163,488 of them) or GPT-4V (10,000)."""

SPLITS = ("train", "val", "test")
SHARES = (6, 1, 3)
"""Of ten images: 98,092, 16,348 and 49,048 in version 35."""

JSON_FOLDER = "json_files"
IMAGE_FOLDERS = ("s2_rgb_images", "s2_band_5_6_7_images", "s2_band_8_11_12_images")
RGB_FOLDER = Path("s2_rgb_images") / "s2_images"

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")

_LIST = re.compile(rf"ChatEarthNet_caps_({'|'.join(VERSIONS)})_({'|'.join(SPLITS)})\.json")


def list_name(version: str, split: str) -> str:
    """The file of a version's captions in a split."""
    return f"ChatEarthNet_caps_{version}_{split}.json"


def list_of(name: str) -> tuple[str, str] | None:
    """(version, split) of a file's name, None where it is none of the six."""
    found = _LIST.fullmatch(name)
    return (found[1], found[2]) if found else None


def is_file_name(name: str) -> bool:
    """Whether a name is that of a file in a folder, and no path."""
    return bool(name) and name not in (".", "..") and not set(name) & set('/\\\0:*?"<>|') and len(name) <= 200


def split_of(name: str) -> str:
    """The split of an image, by the hash of its name: the same in every run, and in the shares of the paper."""
    place = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big") % sum(SHARES)
    for split, share in zip(SPLITS, SHARES, strict=True):
        if place < share:
            return split
        place -= share
    raise AssertionError("shares add up to their sum")


def images_in(folder: Path) -> dict[str, Path]:
    """File name: place, of all images in a folder and its folders; names that begin with a dot are left out."""
    found: dict[str, Path] = {}
    if folder.is_dir():
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file():
                found.setdefault(path.name, path)
    return found
