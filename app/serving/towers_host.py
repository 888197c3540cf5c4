"""The towers by which scenes are searched: loaded when somebody searches first, then shared by everyone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.work import SHIPPED_MODEL

if TYPE_CHECKING:  # torch takes seconds to import
    import numpy as np

    from text2earth_core.alignment import AlignmentTowers
    from text2earth_core.networks.tokens import PromptReport


class SearchTowers:
    """A model's own towers, with the fingerprint by which a scene remembers what they saw.

    Args:
        folder: of a model with towers.
    """

    def __init__(self, folder: Path) -> None:
        from text2earth_core.alignment import load_towers, towers_fingerprint
        from text2earth_core.networks.lexicon import load_lexicon
        from text2earth_core.networks.tokens import load_words

        self._towers: AlignmentTowers = load_towers(folder)
        self._known = load_words(folder / "tokenizer")
        self._lexicon = load_lexicon(folder, self._known)
        self.fingerprint = towers_fingerprint(folder)

    def embed_images(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Unit vectors float32 (N, D) of uint8 (H, W, 3) images."""
        return self._towers.embed_images(images)

    def embed_text(self, text: str) -> np.ndarray:
        """The unit vector (D,) of what somebody looks for, unseen words as what they are taken as."""
        return self._towers.embed_texts([self._lexicon.worded(text)])[0]

    def check(self, text: str) -> PromptReport:
        """How the towers read it."""
        return self._lexicon.check(self._towers.tokenizer, self._known, text)


class TowersHost:
    """Owns the towers of a server: the model's own, or the shipped ones where it has none, which any ground suits.

    Args:
        source: tells the folder or hub id of the model at work, None for the shipped one; asked at each search, since
            the server may have switched to another model.
    """

    def __init__(self, source: Callable[[], str | Path | None]) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._loaded: tuple[Path, SearchTowers] | None = None

    def get(self) -> SearchTowers:
        """The towers of the model at work; who asks first waits until they are loaded.

        Text2EarthError where they are damaged.
        """
        with self._lock:
            folder = towers_folder(self._source())
            if self._loaded is None or self._loaded[0] != folder:
                self._loaded = (folder, SearchTowers(folder))
            return self._loaded[1]


def towers_folder(source: str | Path | None) -> Path:
    """The folder of the model whose towers search: the one given where it is a folder that has towers."""
    from text2earth_core.alignment import IMAGE_TOWER

    folder = SHIPPED_MODEL if source is None else Path(source).expanduser()
    return folder if (folder / IMAGE_TOWER).is_dir() else SHIPPED_MODEL
