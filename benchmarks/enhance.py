"""What an enhancer is worth: against bicubic interpolation and OpenCV's denoising, on held-back images damaged anew.

    python benchmarks/enhance.py [--data FOLDER] [--enhancer FOLDER_OR_FILE] [--images N] [--sheet FILE] [--json]

Each held-back image is damaged once, with a seed of its own, by the same kinds of damage that the enhancer was trained
with (`text2earth_core/enhancement/degradation.py`); the true image is what it was before. PSNR is in dB (higher is
better), the distance is between features of EfficientNet-Lite1 (lower is better, `enhancement/figures.py`), which the
enhancer was not trained with. `wins` are the shares of images on which the enhancer is better by each measure, and the
intervals are 95 % of a bootstrap of the mean gain. The last columns are those of images that were only made smaller.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from text2earth_core.data.corpus import SCENES, load_corpus, random_crop
from text2earth_core.enhancement.degradation import degraded
from text2earth_core.enhancement.enhancer import Enhancer
from text2earth_core.enhancement.figures import eyes_distance, psnr
from text2earth_core.networks.eyes import Eyes
from text2earth_core.training.grids import tile_images

SHIPPED = Path(__file__).parent.parent / "assets" / "enhancers" / "text2earth-enhancer-x2"
SIDE = 192
"""Of the true images, px."""
OURS, BICUBIC = "enhancer", "bicubic"
SHOWN = 6
Method = Callable[[np.ndarray], np.ndarray]


def bicubic(seen: np.ndarray) -> np.ndarray:
    return cv2.resize(seen, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)


def denoised(strength: int) -> Method:
    """OpenCV's non-local means (Buades et al. 2011), then bicubic interpolation; 3 is OpenCV's own strength."""
    return lambda seen: bicubic(cv2.fastNlMeansDenoisingColored(seen, None, strength, strength))


def pairs(data: Path, images: int) -> list[tuple[np.ndarray, np.ndarray, bool]]:
    """What is seen, what was there, and whether it was only made smaller; of held-back images of all data sets."""
    corpus = [one for one in load_corpus(data, "val", SCENES) if min(one.pixels.shape[:2]) >= SIDE]
    found = []
    for number in np.linspace(0, len(corpus) - 1, min(images, len(corpus))).astype(int):
        true, _ = random_crop(corpus[number], SIDE, np.random.default_rng((11, number)))
        seen = degraded(true, np.random.default_rng((12, number)))
        sound = cv2.resize(true, (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA)
        found.append((seen, true, np.array_equal(seen, sound)))
    return found


def measure(enhancer: Enhancer, tests: list[tuple[np.ndarray, np.ndarray, bool]]) -> dict[str, dict]:
    """Figures of each method, by its name."""
    methods: dict[str, Method] = {
        BICUBIC: bicubic, "OpenCV denoising 3 + bicubic": denoised(3), "OpenCV denoising 6 + bicubic": denoised(6),
        "OpenCV denoising 10 + bicubic": denoised(10), OURS: enhancer.enhance,
    }  # fmt: skip
    eyes, values = Eyes(), {name: np.zeros((len(tests), 2)) for name in methods}
    for number, (seen, true, _) in enumerate(track(tests, "Measuring", transient=True, console=Console(stderr=True))):
        for name, method in methods.items():
            made = method(seen)
            values[name][number] = psnr(made, true), eyes_distance(eyes, made, true)
    ours, sound = values[OURS], np.array([only_smaller for *_, only_smaller in tests])
    found = {}
    for name, theirs in values.items():
        figures = {"psnr": theirs[:, 0].mean(), "distance": theirs[:, 1].mean()}
        if sound.any():
            figures |= {"psnr_sound": theirs[sound, 0].mean(), "distance_sound": theirs[sound, 1].mean()}
        if name != OURS:
            for at, (measured, sign) in enumerate((("psnr", 1), ("distance", -1))):
                gains = sign * (ours[:, at] - theirs[:, at])
                figures[f"wins_{measured}"] = (gains > 0).mean()
                figures[f"gain_{measured}"] = interval(gains)
        found[name] = {key: value if isinstance(value, list) else float(value) for key, value in figures.items()}
    return found


def interval(gains: np.ndarray) -> list[float]:
    """95 % of a bootstrap of the mean."""
    picked = np.random.default_rng(0).integers(len(gains), size=(2000, len(gains)))
    return np.percentile(gains[picked].mean(1), [2.5, 97.5]).tolist()


def sheet(enhancer: Enhancer, tests: list[tuple[np.ndarray, np.ndarray, bool]], file: Path) -> None:
    """Columns: bicubic interpolation, OpenCV's denoising, the enhancer, what was there; at 100 %."""
    some = tests[:: max(1, len(tests) // SHOWN)][:SHOWN]
    shown = [one for seen, true, _ in some for one in (bicubic(seen), denoised(6)(seen), enhancer.enhance(seen), true)]
    tile_images(shown, 4).save(file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("TEXT2EARTH_DATA"))
    parser.add_argument("--enhancer", type=Path, required=not SHIPPED.is_dir(), default=SHIPPED)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--sheet", type=Path, help="Also write pictures side by side into this file.")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.data is None:
        parser.error("give --data or TEXT2EARTH_DATA")
    enhancer = Enhancer.load(options.enhancer)
    tests = pairs(options.data, options.images)
    if options.sheet:
        sheet(enhancer, tests, options.sheet)
    found = measure(enhancer, tests)
    if options.json:
        print(json.dumps({"images": len(tests), "fingerprint": enhancer.fingerprint} | found, indent=1))
        return
    columns = ("PSNR", "distance", "gain in PSNR", "gain in distance", "wins", "PSNR, sound", "distance, sound")
    table = Table("", *columns, title=f"{enhancer.name} {enhancer.fingerprint}, {len(tests)} held-back images")
    for name, figures in found.items():
        row = [f"{figures['psnr']:.2f}", f"{figures['distance']:.3f}"]
        if name == OURS:
            row += ["", "", ""]
        else:
            for measured in ("psnr", "distance"):
                low, high = figures[f"gain_{measured}"]
                row.append(f"{low:+.3f} to {high:+.3f}")
            row.append(f"{figures['wins_psnr']:.0%}, {figures['wins_distance']:.0%}")
        row += [f"{figures[key]:.3g}" if key in figures else "" for key in ("psnr_sound", "distance_sound")]
        table.add_row(name, *row)
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
