"""Do our samplers say what stock diffusers says? Largest difference of latents, for tiny folders in every layout.

    python -m benchmarks.parity

Networks compute in float64, so that what differs is the arithmetic of sampling, in float32, and not how a processor
rounds. Where the number of steps does not divide that of the training, stock DDIM with trailing timesteps lands beside
its next timestep (`text2earth_core.sampling.path`), so those are compared with 6 steps and with 5.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.core.official_layout import LAYOUTS
from tests.core.parity import difference

OPTIONS: dict[str, dict[str, Any]] = {
    "as it comes": {}, "negative prompt": {"negative": "dense forest"}, "4 m/px": {"resolution": 4.0},
    "guidance 7.5": {"guidance": 7.5}, "20 steps": {"steps": 20}, "trailing, 6 steps": {"spacing": "trailing"},
    "trailing, 5 steps": {"spacing": "trailing", "steps": 5},
}  # fmt: skip


def main() -> None:
    """Print a row for each layout and a column for each option."""
    table = Table("layout", "pipeline", *OPTIONS, title="Largest difference of the final latents from stock diffusers")
    worst = 0.0
    for layout, (write, channels) in track(LAYOUTS.items(), console=Console(stderr=True), transient=True):
        with tempfile.TemporaryDirectory() as place:
            folder = write(Path(place), channels)
            found = [difference(folder, **options) for options in OPTIONS.values()]
        worst = max(worst, *found)
        table.add_row(layout, "inpainting" if channels == 9 else "text to image", *(f"{one:.1e}" for one in found))
    Console(width=160).print(table)
    print(f"worst {worst:.1e}")


if __name__ == "__main__":
    main()
