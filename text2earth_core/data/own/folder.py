"""A user's folder as pictures to train on, whatever its layout."""

from __future__ import annotations

from pathlib import Path

from text2earth_core.data.corpus import COLUMNS, Picture, load_corpus
from text2earth_core.data.own.geotiffs import map_of, pictures_of_maps
from text2earth_core.data.own.images import IMAGE_SUFFIXES, pictures_of_images
from text2earth_core.data.own.tables import pictures_of_table, table_columns
from text2earth_core.errors import Text2EarthError

FEWEST = 4
"""Pictures below which nothing can be learned but by heart."""


def read_folder(data: Path) -> list[Picture]:
    """All pictures of a folder to fine-tune on.

    It holds one of these: parquet tables, those of training or with an image and a text column; GeoTIFFs `NAME.tif`
    each with a class map `NAME_map.tif` (or `NAME.map.tif`) on the same grid; or images, in it or in its folders, with
    what is said of them in `metadata.jsonl` (`file_name`, `text`), in a `.txt` of the same name beside each, or else
    in the name of the folder they are in.

    Raises:
        Text2EarthError: there is no such folder, nothing in it can be used, nothing is said of its images, or too many
            of them are damaged.
    """
    if not data.is_dir():
        raise Text2EarthError(f"There is no folder {data}: give the one that your images are in.")
    tables = sorted(data.rglob("*.parquet"))
    files = sorted(path for path in data.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())
    if tables:
        own = [path for path in tables if not set(COLUMNS) <= table_columns(path)]
        found = [picture for path in own for picture in pictures_of_table(path)]
        if len(own) < len(tables):
            found += load_corpus(data)
    elif any(map_of(path) for path in files):
        found = pictures_of_maps(files)
    elif files:
        found = pictures_of_images(data, files)
    else:
        kinds = ", ".join(sorted(IMAGE_SUFFIXES))
        raise Text2EarthError(f"{data} holds neither images ({kinds}) nor parquet tables: put your images there.")
    if len(found) < FEWEST:
        raise Text2EarthError(
            f"{data} holds {len(found)} usable images: give {FEWEST} at least, a hundred to learn from."
        )
    silent = sum(not (picture.captions or picture.label) for picture in found)
    if silent == len(found):
        raise Text2EarthError(
            f"Nothing is said of the images in {data}: write a metadata.jsonl with file_name and text, a .txt beside "
            "each, or sort them into folders named by what they show."
        )
    return found
