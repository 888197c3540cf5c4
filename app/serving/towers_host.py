"""The towers by which scenes are searched: loaded when somebody searches first, then shared by everyone."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.work import SHIPPED_MODEL

if TYPE_CHECKING:  # torch takes seconds to import
    import numpy as np

    from text2earth_core.alignment import AlignmentTowers


class SearchTowers:
    """A model's own towers, with the fingerprint by which a scene remembers what they saw.

    Args:
        folder: of a model with towers.
    """

    def __init__(self, folder: Path) -> None:
        from text2earth_core.alignment import load_towers, towers_fingerprint

        self._towers: AlignmentTowers = load_towers(folder)
        self.fingerprint = towers_fingerprint(folder)

    def embed_images(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Unit vectors float32 (N, D) of uint8 (H, W, 3) images."""
        return self._towers.embed_images(images)

    def embed_text(self, text: str) -> np.ndarray:
        """The unit vector (D,) of what somebody looks for."""
        return self._towers.embed_texts([text])[0]


class TowersHost:
    """Owns the towers of a server: the model's own, or the shipped ones where it has none, which any ground suits.

    Args:
        source: folder or hub id of the server's model, None for the shipped one.
    """

    def __init__(self, source: str | Path | None) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._towers: SearchTowers | None = None

    def get(self) -> SearchTowers:
        """The towers; the first caller waits until they are loaded. Text2EarthError where they are damaged."""
        with self._lock:
            if self._towers is None:
                self._towers = SearchTowers(towers_folder(self._source))
            return self._towers


def towers_folder(source: str | Path | None) -> Path:
    """The folder of the model whose towers search: the one given where it is a folder that has towers."""
    from text2earth_core.alignment import IMAGE_TOWER

    folder = SHIPPED_MODEL if source is None else Path(source).expanduser()
    return folder if (folder / IMAGE_TOWER).is_dir() else SHIPPED_MODEL
