"""The process of `filler.py`, from the outside: begun again and again, each time in a child that can be killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Filler:
    """The process that fills a scene, again and again, each time in a child that can be killed."""

    def __init__(self, *arguments: str | Path) -> None:
        environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, *map(str, arguments)], stdin=-1, stdout=-1, text=True, env=environment
        )

    def start(self) -> int:
        """Begin or go on; the id of the process that does."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return int(self.line())

    def line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def end(self) -> None:
        self._process.communicate()
