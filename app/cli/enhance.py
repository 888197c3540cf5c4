"""`text2earth enhance`: better and larger pictures of a picture, a folder or tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.fill import RayOption
from app.cli.output import DeviceOption, Json, bar, emit, say
from app.cli.rows import Workers, run_many
from app.errors import AppError, NotFound

if TYPE_CHECKING:
    from app.enhance.work import EnhanceRecipe
    from app.runner.tables import Plan
    from text2earth_core.enhancement.enhancer import Enhancer

SHIPPED_ENHANCER = Path(__file__).parents[2] / "assets" / "enhancers" / "text2earth-enhancer-x2"


def enhance(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="IN", help="A picture (PNG, JPEG, WebP, GeoTIFF), a folder of them, or parquet tables as Git-10M's."
        ),
    ],
    out: Annotated[Path, typer.Option(help="File for a picture, folder for a folder; names stay.")],
    weights: Annotated[
        Path | None,
        typer.Option(
            help="Folder of `train enhancer`, or a .safetensors file: the official RRDBNet, or any network that "
            "spandrel knows (the extra [enhance]); default: the shipped one, if there is."
        ),
    ] = None,
    allow_pth: Annotated[
        bool,
        typer.Option("--allow-pth", help="Read --weights from a .pth too: tensors only, no program in it is run."),
    ] = False,
    same_size: Annotated[
        bool, typer.Option("--same-size", help="Shrink the result to the size that the picture had.")
    ] = False,
    anew: Annotated[
        bool, typer.Option("--anew/--resume", help="Make again what is there already; default: go on with the rest.")
    ] = False,
    workers: Workers = None,
    ray: RayOption = None,
    device: DeviceOption = None,
    as_json: Json = False,
) -> None:
    """Take blur, noise and compression back, and make pictures twice as large.

    What a GeoTIFF says of its place and of what is unknown is kept. Folders and tables of any size are streamed; when
    stopped or killed, the same command goes on where it was. Images that cannot be read are left out and counted; more
    than 1 % of them are an error, told at the end.
    """
    from app.enhance.plan import is_many, plan
    from app.enhance.work import EnhanceRecipe

    if weights is None and not SHIPPED_ENHANCER.is_dir():
        raise NotFound(
            "This release ships no enhancer: give one with --weights, the official one or one of `train enhancer`."
        )
    many = is_many(source)
    if not many:
        out = _file_for(source, out)
    recipe = EnhanceRecipe((weights or SHIPPED_ENHANCER).expanduser().resolve(), device, allow_pth, same_size)
    worker = recipe.load()
    enhancer = worker.enhancer
    if recipe.weights.suffix == ".pth":
        say(f"{recipe.weights.name} is a pickle: nothing but tensors was read from it.")
    if not many:
        _one(source, out, enhancer, recipe, as_json)
        return
    todo = plan(source, out, worker.on_rows, anew)
    run_many("Enhancing", todo, recipe, worker, workers, ray)
    _judge(todo, out, enhancer, as_json)


def _file_for(source: Path, out: Path) -> Path:
    """The file to write of one picture; AppError where it cannot be."""
    from app.enhance.writers import check_suffix

    out = out / source.name if out.is_dir() else out
    check_suffix(out)
    if not out.absolute().parent.is_dir():
        raise NotFound(f"There is no folder {out.parent}; make it or choose another one.")
    if out.resolve() == source.resolve():
        raise AppError(f"--out is {source} itself: choose another name, for the picture stays as it is.")
    return out


def _one(source: Path, out: Path, enhancer: Enhancer, recipe: EnhanceRecipe, as_json: bool) -> None:
    from app.enhance.picture_file import enhance_file

    with bar("Enhancing") as advance:
        notes = enhance_file(enhancer, source, out, recipe.same_size, advance)
    for note in notes:
        say(note)
    emit({"file": str(out)} | _made_by(enhancer, recipe.same_size), as_json)


def _judge(todo: Plan, out: Path, enhancer: Enhancer, as_json: bool) -> None:
    """Tell what was made and what was left out; AppError where that is too much."""
    from text2earth_core.data.damage import MAX_SHARE

    left_out = sum(todo.bad.values())
    for reason, count in todo.bad.most_common():
        say(f"Left out {count:,}: {reason.rstrip('.')}.")
    result: dict[str, Any] = {"out": str(out), "images": todo.total - left_out, "left_out": left_out}
    emit(result | ({"reasons": dict(todo.bad)} if as_json else {}) | {"enhancer": enhancer.name}, as_json)
    if left_out and (left_out == todo.total or left_out > max(1, MAX_SHARE * todo.total)):
        raise AppError(
            f"{left_out:,} of {todo.total:,} images were left out, and at most {MAX_SHARE:.0%} may be: see the reasons "
            "above; all others are done."
        )


def _made_by(enhancer: Enhancer, same_size: bool) -> dict[str, Any]:
    return {
        "enhancer": enhancer.name, "architecture": enhancer.architecture, "scale": 1 if same_size else enhancer.scale
    }  # fmt: skip
