"""Files of sentences by image: {"id": ["sentence", ...]}."""

from __future__ import annotations

import json
from pathlib import Path

from text2earth_core.errors import Text2EarthError, reason_of

LARGEST = 1 << 30
"""Bytes of a file that is read."""


def read_sentences(path: Path) -> dict[str, list[str]]:
    """The sentences of each image.

    Raises:
        Text2EarthError: there is no such file, or it holds something else.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise Text2EarthError(f"{path} is larger than {LARGEST >> 20} MB: score it in parts.")
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, Text2EarthError):
            raise
        raise Text2EarthError(f"{path} cannot be read as JSON ({reason_of(error)}).") from None
    if not isinstance(found, dict):
        raise Text2EarthError(f'{path} is no {{"id": ["sentence", ...]}}: it holds no names of images.')
    for image, sentences in found.items():
        if not isinstance(sentences, list) or not all(isinstance(one, str) for one in sentences):
            raise Text2EarthError(f'{path} has no list of sentences for "{image}", as {{"id": ["sentence", ...]}} has.')
    return found
