"""Does a training count every broken row of its data, each under its kind, and go through?

    python -m benchmarks.broken_rows [--rows 10000]

Tables of Git-10M's exact schema, texts where its card has texts, in which 5 % of the rows are broken, evenly in ten
ways. `train scale` trains the preset `tiny` on as many samples as there are rows, an epoch and a little more, so that
every image is decoded; what it reports stands beside what was planted.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.core.git10m_rows import BROKEN, SIDE, write_git10m
from text2earth_core import Text2Earth

ROOT = Path(__file__).parent.parent
BATCH, TABLES, GROUP = 64, 8, 250


def main() -> None:
    """Print a row for each kind; exits with 1 where a count is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as scratch:
        data, model, out = (Path(scratch) / name for name in ("data", "model", "out"))
        planted = write_git10m(data, rows, tables=TABLES, group=GROUP)
        Text2Earth.from_preset("tiny", seed=0).save_pretrained(model)
        begun = time.perf_counter()
        trained = [
            "train", "scale", "--data", data, "--start", model, "--out", out, "--samples", rows, "--batch", BATCH,
            "--micro", BATCH, "--window", SIDE, "--warmup", rows // 10, "--json",
        ]  # fmt: skip
        command = [sys.executable, "-m", "app.cli", *map(str, trained)]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        seconds = time.perf_counter() - begun
        if done.returncode:
            raise SystemExit(f"The training ended with {done.returncode}.")
        found = json.loads(done.stdout)
    counted = found["faults"]
    table = Table("kind", "planted", "counted", title=f"{rows:,} rows, {sum(planted.values())} of them broken")
    for kind in sorted(BROKEN.keys() | counted.keys()):
        table.add_row(kind, str(planted[kind]), str(counted.get(kind, 0)))
    Console().print(table)
    print(f"{found['samples']:,} samples in {seconds:.0f} s, the last loss is {found['loss']:.3f}")
    if counted != dict(planted) or found["rows"] != rows:
        raise SystemExit("The counts differ.")


if __name__ == "__main__":
    main()
