"""Whether a search finds what is there, and what it costs once the tiles were looked at.

    python benchmarks/find.py [--recipe FILE] [--scene FILE] [--tiles 10000]

Fills a recipe with the fast sampler in a temporary scene (`--scene` takes one that was filled with it before) and
searches it for each of its prompts: precision at 5 is the share of the first five places that have at least half of
their area in the prompt's region. Then it searches a scene of so many tiles, and prints milliseconds of a core for one
search (median of 20) and how many times as long it takes to look at that many tiles.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from app.serving.towers_host import SearchTowers
from app.work import SHIPPED_MODEL, load_model
from canvas import Rect, Request, Scene
from canvas.geometry import TILE
from canvas.prompt_json import parse_region
from canvas.prompt_map import Region
from canvas.recipes import recipe as recipes
from canvas.recipes.replay import replay
from canvas.scene_file import vectors
from canvas.scene_file.spool import Piece
from canvas.search.find import LAYER, find, look

RECIPE = Path(__file__).parent.parent / "assets" / "recipes" / "farmland-to-sea.json"
FIRST = 5
LOOKED = 200  # tiles, to tell what looking costs


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", type=Path, default=RECIPE)
    parser.add_argument("--scene", type=Path)
    parser.add_argument("--tiles", type=int, default=10_000)
    options = parser.parse_args()
    towers = SearchTowers(SHIPPED_MODEL)
    with tempfile.TemporaryDirectory() as folder:
        path = options.scene or filled(options.recipe, Path(folder) / "recipe.t2e")
        shares = precisions(path, options.recipe, towers)
        for text, share in shares.items():
            print(f"{share:5.2f}  {text}")
        print(f"{statistics.mean(shares.values()):5.2f}  precision at {FIRST}")
        search, looking = cost(Path(folder) / "large.t2e", options.tiles, towers)
    print(
        f"{options.tiles} tiles: searched in {1000 * search:.0f} ms of a core; "
        f"looking at them takes {looking / search:.0f} times as long"
    )


def filled(recipe: Path, path: Path) -> Path:
    """A new scene, filled by the fast sampler."""
    asked = recipes.read(recipe)
    assert asked.fill is not None
    asked.fill.setdefault("sampler", "fast")
    with Scene.create(path, asked.resolution) as scene:
        replay(asked, scene, load_model(None, None))
    return path


def precisions(path: Path, recipe: Path, towers: SearchTowers) -> dict[str, float]:
    """Prompt of the recipe: share of the first places that lie in its region."""
    asked = recipes.read(recipe)
    assert asked.fill is not None
    found = {}
    with Scene.open(path) as scene:
        look(scene, towers)
        for prompt in asked.fill["prompts"]:
            hits = find(scene, towers, towers.embed_text(prompt["text"]), FIRST)
            region = parse_region(prompt["region"], "The prompt")
            found[prompt["text"]] = statistics.mean(inside(region, hit.rect) >= 0.5 for hit in hits)
    return found


def inside(region: Region, rect: Rect) -> float:
    """Share of a rectangle that lies in a region."""
    x, y = rect.x + (np.arange(32) + 0.5) * rect.w / 32, rect.y + (np.arange(32) + 0.5) * rect.h / 32
    return float(region.contains(x[None, :], y[:, None]).mean())


def cost(path: Path, tiles: int, towers: SearchTowers) -> tuple[float, float]:
    """Seconds of a core for one search of so many tiles, its text included, and of looking at them all."""
    side = int(np.ceil(tiles**0.5))
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (TILE, TILE, 3), dtype=np.uint8)
    flat, everywhere = np.full_like(picture, 128), np.ones((TILE, TILE), bool)

    def pieces() -> Iterator[Piece]:
        for number in range(tiles):
            yield Piece(number % side, number // side, picture if number < LOOKED else flat, everywhere)

    with Scene.create(path, 1.0) as scene:
        scene.accept_tiles([(Request("import", Rect(0, 0, side * TILE, side * TILE), 1.0), pieces())])
        with scene.snapshot() as at:
            todo = at.unseen_tiles(towers.fingerprint, LAYER, tiles)
        text = towers.embed_text("a lake beside houses")
        seen = rng.normal(size=(len(todo), len(text))).astype(np.float32)
        seen /= np.linalg.norm(seen, axis=1, keepdims=True)
        with scene.database.write() as connection:
            vectors.keep(connection, towers.fingerprint, LAYER, todo[LOOKED:], seen[LOOKED:])
        begun = time.process_time()
        look(scene, towers)
        looking = (time.process_time() - begun) * tiles / LOOKED
        times = []
        for number in range(20):
            begun = time.process_time()
            assert len(find(scene, towers, towers.embed_text(f"a lake beside {number} houses"), 10)) == 10
            times.append(time.process_time() - begun)
    return statistics.median(times), looking


if __name__ == "__main__":
    main()
