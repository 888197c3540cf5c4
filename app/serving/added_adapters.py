"""The adapters that people added to this server: files in a folder of its own, loaded again with the model."""

from __future__ import annotations

import logging
import re
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import AppError, Conflict, NotFound
from app.network import set_unusable_aside
from text2earth_core.adapters.manifest import MANIFEST_FILE
from text2earth_core.errors import Text2EarthError, reason_of
from text2earth_core.facts import WEIGHTS_FILE

if TYPE_CHECKING:
    from text2earth_core import Text2Earth
    from text2earth_core.adapters.library import AdapterInfo

log = logging.getLogger("text2earth")

_NAME = re.compile(r"\w[\w .-]{0,59}")
_HUB_ID = re.compile(r"[\w-][\w.-]{0,95}/[\w-][\w.-]{0,95}")


class AddedAdapters:
    """Owns the folder of added adapters, one folder each. What is in it is checked each time it is loaded."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, model: Text2Earth) -> None:
        """Give a model all that fit it; the log says which do not, as they may fit the model of another day."""
        for place in sorted(self._folder.glob("*/")):
            try:
                if not place.name.startswith("."):
                    model.load_adapter(place, place.name)
            except Text2EarthError as error:
                log.warning("The adapter %s is not used: %s", place.name, error)

    def add(self, model: Text2Earth, name: str, files: Mapping[str, Path]) -> AdapterInfo:
        """Take in an adapter; its files (`WEIGHTS_FILE`, and `MANIFEST_FILE` where it has one) are copied.

        Raises AppError for an impossible name, Conflict for one that is taken, and Text2EarthError with the reason
        where it does not fit the model; then nothing is kept.
        """
        place = self._place(name)
        if place.exists() or name in {info.name for info in model.adapters}:
            raise Conflict(f"There is an adapter {name} already: give this one another name.")
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self._folder / f".{secrets.token_hex(4)}"
        try:
            draft.mkdir()
            for kind, file in files.items():
                shutil.copyfile(file, draft / kind)
            draft.rename(place)
            return model.load_adapter(place, name)
        except Text2EarthError as error:
            shutil.rmtree(place, ignore_errors=True)
            raise Text2EarthError(
                str(error).replace(f"{place}/{WEIGHTS_FILE}", name).replace(str(place), name)
            ) from None
        except OSError as error:
            shutil.rmtree(place, ignore_errors=True)
            raise AppError(
                f"The adapter cannot be stored ({error.strerror}); free some space and try again."
            ) from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def fetch(self, model: Text2Earth, hub_id: str) -> AdapterInfo:
        """Take in an adapter of the hub, named as there; AppError where it cannot be fetched."""
        if not _HUB_ID.fullmatch(hub_id):
            raise AppError(f"{hub_id!r} is no name on the hub: give one like owner/adapter.")
        from huggingface_hub import snapshot_download

        set_unusable_aside()
        try:
            found = Path(snapshot_download(hub_id, allow_patterns=[WEIGHTS_FILE, MANIFEST_FILE]))
        except Exception as error:
            raise AppError(
                f"{hub_id} cannot be fetched from the hub ({reason_of(error)}): check name and network."
            ) from None
        files = {kind: found / kind for kind in (WEIGHTS_FILE, MANIFEST_FILE) if (found / kind).is_file()}
        if WEIGHTS_FILE not in files:
            raise AppError(f"{hub_id} has no {WEIGHTS_FILE}: it is not an adapter that diffusers wrote.")
        return self.add(model, hub_id.partition("/")[2], files)

    def remove(self, model: Text2Earth, name: str) -> None:
        """Forget an adapter for good; NotFound where nobody added one of this name."""
        place = self._place(name)
        if not place.is_dir():
            raise NotFound(f"Nobody added an adapter {name} here.")
        if name in {info.name for info in model.adapters}:
            model.unload_adapter(name)
        shutil.rmtree(place, ignore_errors=True)

    def _place(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise AppError(
                "An adapter's name has 1 to 60 letters, digits, spaces, dots and dashes: choose another one."
            )
        return self._folder / name
