"""`text2earth data quality | hash`: a look at every image of tables, by several processes or a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.fill import RayOption
from app.cli.output import DeviceOption, Json, emit, say
from app.cli.rows import Workers, run_many
from app.errors import AppError

if TYPE_CHECKING:
    from app.runner.tables import Plan
    from app.runner.work import Recipe

Tables = Annotated[Path, typer.Argument(metavar="IN", help="A parquet file with images, or a folder of them.")]
Out = Annotated[Path, typer.Argument(metavar="OUT", help="File for a file, folder for a folder; names stay.")]
Anew = Annotated[
    bool, typer.Option("--anew/--resume", help="Make again what is there already; default: go on with the rest.")
]


def quality(
    source: Tables,
    out: Out,
    weights: Annotated[
        Path | None, typer.Option(help="Head of the improved aesthetic predictor (.safetensors); else: sharpness.")
    ] = None,
    clip: Annotated[
        str | None, typer.Option(help="Its CLIP ViT-L/14: a folder of transformers, or a hub id (default: OpenAI's).")
    ] = None,
    allow_pth: Annotated[
        bool, typer.Option("--allow-pth", help="Read --weights from a .pth too: tensors only, no program in it is run.")
    ] = False,
    rescore: Annotated[
        bool, typer.Option("--rescore", help="Score anew; a former score is kept as the one before.")
    ] = False,
    anew: Anew = False,
    workers: Workers = None,
    ray: RayOption = None,
    device: DeviceOption = None,
    as_json: Json = False,
) -> None:
    """Give every image a quality score: the one in its row, else the aesthetic predictor's, else its sharpness.

    The column img_quality_by names who gave it. Rows whose image cannot be read are kept, without a score. When stopped
    or killed, the same command goes on where it was.
    """
    from app.runner.recipes import QualityRecipe
    from text2earth_core.quality.rows import column_of
    from text2earth_core.quality.scorers import AESTHETIC, GIVEN, SHARPNESS

    tables = _tables(source, out)
    keep = weights is None and not rescore and all(column_of(names) in names for names in _columns(tables))
    head = weights and weights.expanduser().resolve()
    recipe = QualityRecipe(head, clip, device, allow_pth, rescore, keep)
    todo = _done("Scoring", tables, recipe, anew, workers, ray)
    by = GIVEN if keep else SHARPNESS if weights is None else AESTHETIC
    if not keep and weights is None:
        say("Without --weights, scores are sharpness from 0 to 1: the paper's threshold of 4.8 does not apply to them.")
    _tell(todo, out, {"scored_by": by}, as_json)


def hash_(
    source: Tables, out: Out, anew: Anew = False, workers: Workers = None, ray: RayOption = None, as_json: Json = False
) -> None:
    """Write each image's perceptual hash beside it, and what is wrong with it; check and convert then decode no image.

    When stopped or killed, the same command goes on where it was.
    """
    from app.runner.recipes import HashRecipe

    _tell(_done("Hashing", _tables(source, out), HashRecipe(), anew, workers, ray), out, {}, as_json)


def _tables(source: Path, out: Path) -> dict[Path, Path]:
    from app.runner.tables import places

    tables = places(source, out)
    if not tables:
        raise AppError(f"{source} holds no tables: give a parquet file with images, or a folder of them.")
    return tables


def _columns(tables: dict[Path, Path]) -> list[list[str]]:
    from text2earth_core.data.sources.tables import opened

    found = []
    for table in tables:
        with opened(str(table)) as file:
            found.append(file.schema_arrow.names)
    return found


def _done(
    title: str, tables: dict[Path, Path], recipe: Recipe, anew: bool, workers: int | None, ray: str | None
) -> Plan:
    """What came of it."""
    from app.runner.tables import plan_tables
    from app.runner.work import RowsWorker

    worker = recipe.load()
    assert isinstance(worker, RowsWorker)
    todo = plan_tables(tables, worker.work, anew)
    run_many(title, todo, recipe, worker, workers, ray)
    return todo


def _tell(todo: Plan, out: Path, more: dict[str, Any], as_json: bool) -> None:
    emit({"out": str(out), "images": todo.total, "good": todo.total - sum(todo.bad.values())}
         | {"faults": dict(todo.bad)} | more, as_json)  # fmt: skip
