"""The models that this server can switch to, and the names of those it has had."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.errors import AppError, NotFound
from app.serving.paces import Paces
from text2earth_core.errors import Text2EarthError
from text2earth_core.whole_file import whole_file

if TYPE_CHECKING:
    from text2earth_core.found import FoundModel

log = logging.getLogger("text2earth")

NAMES_FILE = "model-names.json"
MODELS = "models"
"""Folder of models in the data directory, one folder each."""


class ModelShelf:
    """Owns `models/` of the data directory, which people fill, and remembers models by their fingerprints."""

    def __init__(self, data_dir: Path, device: str | None, paces: Paces) -> None:
        self._folder, self._file = data_dir / MODELS, data_dir / NAMES_FILE
        self._device, self._paces = device, paces
        self._lock = threading.Lock()
        self._names = self._read()

    @property
    def names(self) -> dict[str, str]:
        """Fingerprint: name, of all models that were loaded here."""
        with self._lock:
            return dict(self._names)

    def remember(self, fingerprint: str, name: str) -> None:
        """A model was loaded; a disk that refuses costs nothing but its name after the next start."""
        with self._lock:
            if self._names.get(fingerprint) == name:
                return
            self._names[fingerprint] = name
            try:
                with whole_file(self._file, durable=False) as part:
                    part.write_text(json.dumps(self._names), encoding="utf-8")
            except OSError as error:
                log.warning("%s could not be written: %s", self._file, error)

    def list(self) -> list[dict[str, Any]]:
        """The models that are here: name, where, whether and how each runs, what is known of its speed."""
        return [self._told(found) for found in self._find()]

    def source_of(self, name: str) -> str:
        """What loads the model of that name; NotFound where it is none of the list, AppError where it cannot run."""
        found = next((one for one in self._find() if one.name == name), None)
        if found is None:
            raise NotFound(f"There is no model {name[:200]} here: choose one of the list.")
        told = self._told(found)
        if not told["runs"]:
            raise AppError(f"The model {name} cannot be used: {told['why_not']}")
        return str(found.source)

    def _find(self) -> list[FoundModel]:
        from text2earth_core.found import find_models

        return find_models(self._folder)

    def _told(self, found: FoundModel) -> dict[str, Any]:
        from app.diagnosis import plan
        from text2earth_core.machine.fit import gigabytes

        known = next((key for key, name in self.names.items() if name == found.name), None)
        told: dict[str, Any] = {
            "name": found.name, "where": found.where, "fingerprint": known, "runs": False, "why_not": found.problem,
            "how": None, "memory": None, "seconds_per_step": self._paces.known(known) if known else {},
        }  # fmt: skip
        if found.problem is None:
            try:
                fit, _ = plan(found.folder, self._device)
                told |= {"runs": True, "how": fit.words(), "memory": gigabytes(fit.needed)}
            except Text2EarthError as error:
                told["why_not"] = str(error)
        return told

    def _read(self) -> dict[str, str]:
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        items = found.items() if isinstance(found, dict) else ()
        return {key: name for key, name in items if isinstance(name, str)}
