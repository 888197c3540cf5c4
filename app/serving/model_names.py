"""The names of models by their fingerprints: scenes and histories hold fingerprints alone."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

from text2earth_core.whole_file import whole_file

log = logging.getLogger("text2earth")


class ModelNames:
    """Remembers what the models that were loaded are called; `path` None keeps nothing for the next start."""

    def __init__(self, path: Path | None = None) -> None:
        self._path, self._lock = path, threading.Lock()
        self._names = self._read()

    def as_dict(self) -> dict[str, str]:
        """Fingerprint: name."""
        with self._lock:
            return dict(self._names)

    def remember(self, fingerprint: str, name: str) -> None:
        """A model was loaded; a disk that refuses costs nothing but its name after the next start."""
        with self._lock:
            if self._names.get(fingerprint) == name:
                return
            self._names[fingerprint] = name
            if self._path is None:
                return
            try:
                with whole_file(self._path, durable=False) as part:
                    part.write_text(json.dumps(self._names), encoding="utf-8")
            except OSError as error:
                log.warning("%s could not be written: %s", self._path, error)

    def _read(self) -> dict[str, str]:
        try:
            found = json.loads(self._path.read_text(encoding="utf-8")) if self._path else {}
        except (OSError, ValueError):
            return {}
        items = found.items() if isinstance(found, dict) else ()
        return {key: name for key, name in items if isinstance(name, str)}
