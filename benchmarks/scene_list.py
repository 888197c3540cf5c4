"""What the list of scenes costs: every file opened, and what is remembered and checked by the files' times.

    python benchmarks/scene_list.py [--scenes 1000]

Makes that many scenes in a temporary folder, and prints milliseconds for the first list, which opens them all, and the
median of those that follow, through the library and as an answer of the server.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from starlette.responses import JSONResponse

from app.serving.library import Library


def milliseconds(library: Library) -> float:
    """One list, as bytes that go over the wire."""
    began = time.perf_counter()
    JSONResponse(library.summaries())
    return 1000 * (time.perf_counter() - began)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=1000)
    count = parser.parse_args().scenes
    with tempfile.TemporaryDirectory() as folder:
        library = Library(Path(folder))
        for number in range(count):
            library.create(f"Scene {number}", 1.0)
        library.close()
        for file in library.folder.iterdir():
            os.utime(file, (1_700_000_000, 1_700_000_000))  # as they lie there the next day
        first = milliseconds(library)
        later = statistics.median(milliseconds(library) for _ in range(20))
        library.close()
    print(f"{count} scenes: opened {first:.0f} ms, remembered {later:.1f} ms, {first / later:.0f} times faster")


if __name__ == "__main__":
    main()
