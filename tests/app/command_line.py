"""The command `text2earth` in this process, or in one of its own where a test is about processes.

A process of its own imports numpy, the scene and mostly torch first: some seconds for a command that takes none.
"""

from __future__ import annotations

import contextlib
import io
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from app import cli

ROOT = Path(__file__).parents[2]
STOPS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """What a command says and ends with; an exception that it lets through goes through here too."""
    command = ["text2earth", *map(str, arguments)]
    out, err, status = io.StringIO(), io.StringIO(), 0
    with (
        _signals_put_back(),
        mock.patch.object(sys, "argv", command),
        mock.patch.object(sys, "stdin", io.StringIO()),  # empty, as that of a script: nothing may wait for an answer
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            cli.main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
    return subprocess.CompletedProcess(command, status, out.getvalue(), err.getvalue())


def run_process(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The same as scripts do it."""
    command = [sys.executable, "-m", "app.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=600, stdin=subprocess.DEVNULL)


def result(*arguments: str | Path) -> Any:
    """The JSON of a command that must succeed."""
    done = run(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@contextlib.contextmanager
def _signals_put_back() -> Iterator[None]:
    """A command catches what would stop it; what runs these tests wants its own handlers back."""
    before = {number: signal.getsignal(number) for number in STOPS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
