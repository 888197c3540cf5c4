"""The seven edits of the paper's Fig. 12 on real images, drawn on the page: a contact sheet, and do they take?

    python benchmarks/edits.py --data DIR --judge DIR [--model FOLDER] [--seeds N] [--steps N] [--only NAME ...]
                               [--sheet FILE.png] [--json]

Each edit lies on a validation image chosen by eye. It is imported on the page, its mask is drawn with the mouse, and
the first seed is generated and accepted there; the other seeds go through the library with the same mask. The judge,
a classifier of real images, looks at the masked crop: how often is the prompted class among its first three, with the
prompt and with the empty one? The last columns compare the mask's border with other lines (1 = like any other line).
The sheet shows images of the data sets: keep it out of the repository.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq
from PIL import Image
from rich.console import Console
from rich.progress import track
from rich.table import Table

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.edit_page import EditPage, Stroke, Wish, edit_page  # noqa: E402
from benchmarks.ground import Ground, edited  # noqa: E402
from benchmarks.measures.borders import border_ratio, colour_steps, roughness, texture_steps  # noqa: E402
from canvas.geometry import bounding_rect  # noqa: E402
from canvas.paint.painter import Painter  # noqa: E402
from text2earth_core import Text2Earth  # noqa: E402
from text2earth_core.evaluation.classifier import WEIGHTS, SceneClassifier  # noqa: E402
from text2earth_core.sampling.feather import FEATHER  # noqa: E402
from text2earth_core.sampling.settings import Sampling  # noqa: E402

AMONG = 3
WANTED = 0.6
"""Share of seeds in which the prompted class shall be among the judge's first three."""

ENOUGH = 10
"""Seeds from which an edit gets a verdict."""

SHOWN = 3
"""Results of each edit on the sheet."""


@dataclass(frozen=True)
class Edit:
    """An image of a data set, what is drawn on it, what shall be there, and the judge's classes that this may be."""

    name: str
    file: str
    image: str
    strokes: tuple[Stroke, ...]
    prompt: str
    classes: tuple[str, ...]


EDITS = (
    Edit(
        "cloud and shadow", "resisc", "lake_168",
        (Stroke("lasso", ((116, 172), (150, 172), (176, 160), (250, 142), (254, 160), (254, 254), (122, 254))),),
        "green forest", ("forest",),
    ),
    Edit(
        "meadow over a lake", "resisc", "lake_034",
        (Stroke("lasso", ((62, 62), (76, 46), (110, 46), (130, 40), (166, 34), (178, 16), (188, 30), (186, 128),
                          (168, 162), (160, 186), (130, 208), (112, 234), (96, 240), (74, 236), (54, 224), (48, 200),
                          (26, 174), (34, 150), (52, 116))),),
        "green meadow", ("meadow",),
    ),
    Edit(
        "blue building on a red roof", "rsicd", "sparseresidential_75",
        (Stroke("rectangle", ((62, 112), (130, 162))),),
        "a blue building", ("commercial", "industrial"),
    ),
    Edit(
        "oil tank on a meadow", "rsicd", "meadow_84",
        (Stroke("brush", ((108, 110), (112, 112)), 72),),
        "white oil tank", ("storage tanks",),
    ),
    Edit(
        "trees on a beach", "resisc", "beach_020",
        (Stroke("brush", ((124, 36), (160, 60), (196, 48), (222, 84), (216, 116)), 52),),
        "some trees", ("forest",),
    ),
    Edit(
        "road through a forest", "resisc", "forest_250",
        (Stroke("brush", ((14, 214), (60, 196), (104, 158), (136, 112), (180, 84), (240, 68)), 24),),
        "a curved road", ("freeway", "viaduct"),
    ),
    Edit(
        "lake over a house", "resisc", "residential_476",
        (Stroke("lasso", ((58, 166), (100, 122), (150, 74), (180, 66), (234, 128), (202, 182), (164, 178), (140, 206),
                          (110, 226))),),
        "a green lake", ("lake",),
    ),
)  # fmt: skip


def image_of(data: Path, edit: Edit) -> np.ndarray:
    """uint8 (h, w, 3) of an edit's validation image; SystemExit where the data folder does not hold it."""
    path = data / f"{edit.file}.parquet"
    if not path.is_file():
        raise SystemExit(f"{path} is missing: give the folder of real images with --data.")
    chosen = [("img_name", "=", edit.image), ("split", "=", "val")]
    rows = pq.read_table(path, columns=["image"], filters=chosen).to_pylist()
    if not rows:
        raise SystemExit(f"{path} has no validation image {edit.image}: choose another one for “{edit.name}”.")
    bgr = cv2.imdecode(np.frombuffer(rows[0]["image"]["bytes"], np.uint8), cv2.IMREAD_COLOR)
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def in_classes(judge: SceneClassifier, pictures: Sequence[np.ndarray], mask: np.ndarray, edit: Edit) -> list[bool]:
    """Whether each picture's crop around the mask shows the edit's class, as far as the judge's first guesses go."""
    crop = bounding_rect(mask > 0)
    named = judge.ranked(picture[crop.y : crop.y1, crop.x : crop.x1] for picture in pictures)
    return [bool(set(edit.classes) & set(names[:AMONG])) for names in named]


def border_figures(pictures: Sequence[np.ndarray], mask: np.ndarray) -> dict[str, dict[str, float]]:
    """Whether the mask's border shows; in the source, whether something ended there already."""
    figures = {"gradient": roughness, "colour_step": colour_steps, "texture_step": texture_steps}
    masks = [mask] * len(pictures)
    return {f"border_{name}": border_ratio(f, pictures, masks).as_dict() for name, f in figures.items()}


def measure(
    edit: Edit, options: argparse.Namespace, page: EditPage, painter: Painter, judge: SceneClassifier
) -> dict[str, Any]:
    """One edit: figures, and under `pictures` what the sheet shows."""
    source = image_of(options.data, edit)
    settled = painter.model.settled(Sampling(steps=options.steps))
    steps, guidance = settled.steps, settled.guidance
    mask, first = page.edit(source, edit.strokes, Wish(edit.prompt, 0, steps, guidance, FEATHER))
    ground = Ground(source, 1.0)
    seeds = range(options.seeds)
    settings = {"steps": steps, "feather": FEATHER}
    named = [first] + [edited(painter, ground, mask, edit.prompt, seed=n, **settings) for n in seeds[1:]]
    # Without any prompt guidance has nothing to strengthen: 1 gives the same in half the time.
    empty = [edited(painter, ground, mask, seed=n, guidance=1.0, **settings) for n in seeds]
    untouched = cv2.distanceTransform((mask == 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) > FEATHER
    return {
        "edit": asdict(edit) | {"strokes": [asdict(stroke) for stroke in edit.strokes]},
        "seeds": options.seeds,
        "covered": float((mask > 0).mean()),
        "unchanged_beyond_feather": all(np.array_equal(p[untouched], source[untouched]) for p in (*named, *empty)),
        "among_three": float(np.mean(in_classes(judge, named, mask, edit))),
        "among_three_without_prompt": float(np.mean(in_classes(judge, empty, mask, edit))),
        "source_among_three": in_classes(judge, [source], mask, edit)[0],
        **border_figures(named, mask > 0),
        "source_border": border_figures([source], mask > 0),
        "pictures": [source, mask, *named[:SHOWN]],
    }


def contact_sheet(found: Sequence[dict[str, Any]], path: Path, side: int = 256) -> None:
    """Write source, mask and results of all edits as one PNG, an edit in each row."""
    rows = []
    for one in found:
        cells = [np.dstack([p] * 3) if p.ndim == 2 else p for p in one["pictures"]]
        cells += [np.zeros_like(cells[0])] * (2 + SHOWN - len(cells))
        rows.append(np.hstack([cv2.resize(cell, (side, side), interpolation=cv2.INTER_CUBIC) for cell in cells]))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.vstack(rows)).save(path)


def report(found: Sequence[dict[str, Any]], title: str) -> None:
    """Print a row for each edit."""
    columns = ("edit", "prompt", "with prompt", "without", "border gradient", "colour step", "texture step", "")
    table = Table(*columns, title=title)
    for one in found:
        verdict = ("ok" if one["among_three"] >= WANTED else "MISSED") if one["seeds"] >= ENOUGH else ""
        table.add_row(
            one["edit"]["name"], one["edit"]["prompt"], f"{one['among_three']:.0%}",
            f"{one['among_three_without_prompt']:.0%}", _cell(one["border_gradient"]),
            _cell(one["border_colour_step"]), _cell(one["border_texture_step"]), verdict,
        )  # fmt: skip
    Console(width=max(Console().width, 130)).print(table)
    if any(one["seeds"] < ENOUGH for one in found):
        print(f"Fewer than {ENOUGH} seeds: no verdict. Take more with --seeds.")
    if not all(one["unchanged_beyond_feather"] for one in found):
        print("Pixels beyond mask and feather have changed: MISSED")


def _cell(figure: dict[str, float]) -> str:
    return f"{figure['value']:.2f} ({figure['low']:.2f} to {figure['high']:.2f})"


def main() -> None:
    """Read the options, edit, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=ROOT / "assets" / "models" / "text2earth-mini")
    parser.add_argument("--data", type=Path, default=os.environ.get("TEXT2EARTH_DATA"))
    parser.add_argument("--judge", type=Path, required=True, help="folder of a classifier that prompts.py has trained")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--steps", type=int, default=None, help="default: the model's own")
    names = [edit.name for edit in EDITS]
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--sheet", type=Path, default=ROOT / "runs" / "edits.png")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if options.data is None:
        parser.error("give the folder of real images with --data or TEXT2EARTH_DATA")
    if not (options.judge / WEIGHTS).is_file():
        parser.error(f"{options.judge} holds no {WEIGHTS}: train a judge with benchmarks/prompts.py --judge")
    judge = SceneClassifier.load(options.judge / WEIGHTS)
    model = Text2Earth.from_pretrained(options.model, device="cpu")
    painter, chosen = Painter(model), [edit for edit in EDITS if edit.name in options.only]
    with tempfile.TemporaryDirectory() as folder, edit_page(Path(folder), options.model) as page:
        progress = track(chosen, "Editing", console=Console(stderr=True), transient=True)
        found = [measure(edit, options, page, painter, judge) for edit in progress]
    contact_sheet(found, options.sheet)
    figures = [{name: value for name, value in one.items() if name != "pictures"} for one in found]
    title = f"{model.info.name} {model.info.fingerprint}"
    if options.json:
        print(json.dumps({"model": title, "sheet": str(options.sheet), "edits": figures}, indent=1))
    else:
        report(figures, title)
        print(f"source, mask and results: {options.sheet}")


if __name__ == "__main__":
    main()
