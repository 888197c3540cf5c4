"""Files that are there as a whole or not at all: written under another name, and renamed once they are complete."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def whole_file(path: Path, durable: bool = True) -> Iterator[Path]:
    """Lend a hidden name beside `path`, with its suffix; what was written there is called `path` at the end.

    An error leaves what `path` was before. The lent name is this process's own, so that two may write at once.

    Args:
        durable: it is on the disk before it is called so, and stays called so after a power cut; False for what can be
            made again, for waiting for the disk takes its time.

    Raises:
        OSError: it cannot be written.
    """
    part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield part
        if durable:
            with part.open("rb") as file:
                os.fsync(file.fileno())
        part.replace(path)
        if durable:
            sync_folder(path.absolute().parent)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries, where the system lets a folder be opened."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
