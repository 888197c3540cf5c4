"""How long steps take on this machine: learned while working, and kept for the next start."""

from __future__ import annotations

import json
import logging
import math
import threading
from pathlib import Path
from typing import Any

from text2earth_core.whole_file import whole_file

log = logging.getLogger("text2earth")

LEAST_WEIGHT = 0.1  # of a new measurement; the first ones are averaged, for the very first is never like the rest
MOST_MODELS = 20


class Paces:
    """Seconds per step by the name of the work, for one model on one device; `path` None keeps nothing."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._of = ""
        self._lock = threading.Lock()
        self._seconds: dict[str, float] = {}
        self._counts: dict[str, int] = {}

    def recall(self, of: str) -> None:
        """From now on it is about the model `of`: what was learned of it before counts as one measurement."""
        found = self._read().get(of, {})
        with self._lock:
            self._of, self._seconds = of, {str(name): float(value) for name, value in found.items() if _sound(value)}
            self._counts = dict.fromkeys(self._seconds, 1)

    def known(self, fingerprint: str) -> dict[str, float]:
        """What was written down of a model, on whichever device it ran last."""
        found = [paces for name, paces in self._read().items() if name.startswith(f"{fingerprint} ")]
        return {name: float(value) for name, value in found[-1].items() if _sound(value)} if found else {}

    def get(self, name: str) -> float | None:
        """Running mean; None before the first measurement."""
        return self._seconds.get(name)

    def record(self, name: str, seconds: float) -> None:
        """Take one measurement in."""
        with self._lock:
            count = self._counts[name] = self._counts.get(name, 0) + 1
            former = self._seconds.get(name, seconds)
            self._seconds[name] = former + max(LEAST_WEIGHT, 1 / count) * (seconds - former)

    def as_dict(self) -> dict[str, float]:
        """All of them."""
        with self._lock:
            return dict(self._seconds)

    def keep(self) -> None:
        """Write them down; a disk that refuses costs nothing but the next start's first guess."""
        if self._path is None or not self._of:
            return
        others = {name: paces for name, paces in self._read().items() if name != self._of}
        kept = dict([*others.items(), (self._of, self.as_dict())][-MOST_MODELS:])
        try:
            with whole_file(self._path, durable=False) as file:
                file.write_text(json.dumps(kept), encoding="utf-8")
        except OSError as error:
            log.warning("%s could not be written: %s", self._path, error)

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            found = json.loads(self._path.read_text(encoding="utf-8")) if self._path else {}
        except (OSError, ValueError):
            return {}
        items = found.items() if isinstance(found, dict) else ()
        return {name: paces for name, paces in items if isinstance(paces, dict)}


def _sound(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and value > 0
