"""`text2earth scene find`: places of a scene that fit a text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.output import Json, bar, emit


def find_places(
    scene: Annotated[Path, typer.Argument(metavar="SCENE", help="A scene file (.t2e).")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help='What to look for, such as "a lake beside houses".')],
    top: Annotated[int, typer.Option(min=1, help="How many places at most.")] = 10,
    model: Annotated[Path | None, typer.Option(help="Model folder with towers; default: the shipped one.")] = None,
    as_json: Json = False,
) -> None:
    """Find places that fit a text, best first; the scene remembers what its tiles look like."""
    from app.serving.towers_host import SearchTowers
    from app.work import SHIPPED_MODEL
    from canvas.scene import Scene
    from canvas.search.find import find, look

    with Scene.open(scene) as opened:
        towers = SearchTowers(SHIPPED_MODEL if model is None else model)
        vector = towers.embed_text(text)
        with bar("Looking at tiles") as advance:
            look(opened, towers, progress=advance)
        hits = [hit.as_dict() for hit in find(opened, towers, vector, top)]
    emit({"hits": hits} if as_json else hits, as_json)
