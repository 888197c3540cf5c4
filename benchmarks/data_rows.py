"""How long a look at many rows of metadata takes, and in how much memory: `data check` and `data stats`.

    python benchmarks/data_rows.py --rows 1000000

Each command runs in a process of its own, on tables of 1/10, 1/3 and all of the rows; memory that does not grow with
the rows is bounded, and its slope says what ten times as many would take.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SHARD = 100_000
WORDS = """
a the of and with in satellite image shows large small medium dense sparse green bare river lake forest trees cropland
field fields road roads houses buildings village desert sand water coast beach grass meadow rectangular
winding irregular square narrow wide left right top bottom center several many some other parts area land cover mostly
"""


def shard(number: int, rows: int) -> pa.Table:
    """Rows as Git-10M has them, all values texts; one in a hundred has a fault."""
    rng = np.random.default_rng(number)
    level = rng.integers(10, 19, rows)
    x, y = (rng.random((2, rows)) * 2.0**level).astype(np.int64)
    length = rng.integers(20, 80, rows)
    known = WORDS.split()
    picks = rng.integers(0, len(known), length.sum())
    words, ends = np.array(known, dtype=object)[picks], np.cumsum(length)
    wrong = rng.random(rows) < 0.01
    return pa.table(
        {
            "img_name": [f"{number}_{row}.png" for row in range(rows)],
            "img_quality_score": [f"{score:.4f}" for score in rng.normal(4.8, 0.5, rows)],
            "caption": [f"{z}_GOOGLE_LEVEL_{' '.join(words[end - n : end])}."
                        for z, n, end in zip(level, length, ends, strict=True)],
            "caption_length": [str(n) for n in length],
            "resolution": [str(2.0 ** (17 - z + bad)) for z, bad in zip(level, wrong, strict=True)],
            "Google_location": [f"{z}_{a}_{b}" for z, a, b in zip(level, x, y, strict=True)],
        }
    )  # fmt: skip


def write(folder: Path, rows: int) -> None:
    """Tables of so many rows."""
    folder.mkdir(parents=True)
    for number in range(-(-rows // SHARD)):
        pq.write_table(shard(number, min(SHARD, rows - number * SHARD)), folder / f"train-{number:05d}.parquet")


MEASURED = """
import resource, sys
from app.cli import main
try:
    main()
finally:
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)
"""


def measure(*arguments: str) -> tuple[float, float, float]:
    """Seconds, seconds of a processor, and the most MB that a command took."""
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", MEASURED, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    processor, largest = map(float, done.stderr.split()[-2:])
    return time.perf_counter() - begun, processor, largest / (2**20 if sys.platform == "darwin" else 2**10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--write", type=Path, help="only write so many rows into this new folder")
    given = parser.parse_args()
    rows = given.rows
    if given.write:
        write(given.write, rows)
        return
    print(f"{'command':8}{'rows':>12}{'seconds':>10}{'of a core':>11}{'rows/s of a core':>18}{'MB at most':>12}")
    with tempfile.TemporaryDirectory() as scratch:
        sizes = sorted({max(1, rows // 10), max(1, rows // 3), rows})
        for size in sizes:
            # in a process of its own: the most memory of this one would count as that of those that it starts
            made = [sys.executable, __file__, "--rows", str(size), "--write", f"{scratch}/{size}"]
            subprocess.run(made, check=True)
        for command in ("check", "stats"):
            figures = []
            for size in sizes:
                more = ("--json",) if command == "check" else ("--report", f"{scratch}/report-{size}")
                seconds, processor, megabytes = measure("data", command, f"{scratch}/{size}", *more)
                figures.append((size, processor, megabytes))
                rate = size / processor
                print(
                    f"{command:8}{size:12,}{seconds:10.1f}{processor:11.1f}{rate:18,.0f}{megabytes:12.0f}", flush=True
                )
            counts, processor, megabytes = (np.array(one) for one in zip(*figures, strict=True))
            ten = 10 * rows
            # of the two largest: smaller ones have not filled yet what is held at most
            by_slope = [np.polyval(np.polyfit(counts[-2:], one[-2:], 1), ten) for one in (processor, megabytes)]
            print(f"{command:8}{ten:12,}{'':10}{by_slope[0]:11.0f}{'':18}{by_slope[1]:12.0f}  by the slope")


if __name__ == "__main__":
    main()
