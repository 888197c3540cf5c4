"""What the list of scenes costs: every file opened, and what is remembered and checked by the files' times.

    python benchmarks/scene_list.py [--scenes 1000]

Makes that many scenes in a temporary folder, and prints milliseconds for the first list, which opens them all, and the
median of those that follow, from the library to the bytes of an answer: processor time, which a busy machine leaves as
it is.  What is asked for: 1,000 scenes within 30 ms.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from starlette.responses import JSONResponse

from app.serving.library import Library


def milliseconds(library: Library) -> tuple[float, float]:
    """One list, as bytes that go over the wire: of this process's own time, and by the clock on the wall."""
    began, worked = time.perf_counter(), time.process_time()
    JSONResponse(library.summaries())
    return 1000 * (time.process_time() - worked), 1000 * (time.perf_counter() - began)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=1000)
    count = parser.parse_args().scenes
    with tempfile.TemporaryDirectory() as folder:
        library = Library(Path(folder))
        first = library.path(library.create("Scene", 1.0))
        library.close()
        for number in range(count - 1):
            shutil.copyfile(first, library.folder / f"copy{number:08}.t2e")
        for file in library.folder.iterdir():
            os.utime(file, (1_700_000_000, 1_700_000_000))  # as they lie there the next day
        opened, _ = milliseconds(library)
        worked, waited = (
            statistics.median(times) for times in zip(*(milliseconds(library) for _ in range(20)), strict=True)
        )
        library.close()
    print(f"{count} scenes: opened {opened:.0f} ms, remembered {worked:.1f} ms, {opened / worked:.0f} times faster")
    print(f"With what else this machine did meanwhile, remembered took {waited:.1f} ms.")


if __name__ == "__main__":
    main()
