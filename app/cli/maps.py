"""`text2earth scene export | import | anchor`: maps and images out of a scene and onto it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.output import Json, bar, emit, say
from app.cli.scene import SceneFile
from app.errors import AppError
from app.maps import check_format, parse_anchor, parse_bands, parse_box, parse_point, parse_range

Crs = Annotated[str | None, typer.Option(metavar="EPSG:N", help="Projected system in which the scene lies.")]
Origin = Annotated[str | None, typer.Option(metavar="E,N", help="Where scene pixel 0,0 begins, in map units.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to `text2earth scene`."""
    app.command()(export)
    app.command("import")(import_file)
    app.command()(anchor)


def export(
    scene: SceneFile,
    out: Annotated[Path, typer.Option(help="The suffix names the format: .png, .tif (COG), .mbtiles, .zip (tiles).")],
    bbox: Annotated[str | None, typer.Option(metavar="X0,Y0,X1,Y1", help="Region in px; default: everything.")] = None,
    crs: Crs = None,
    origin: Origin = None,
    as_json: Json = False,
) -> None:
    """Write a scene, or a region of it, as a map or image, tagged as synthetic.

    Without --crs and --origin a map lies where the scene is anchored, else in a local system in metres.
    """
    from canvas.maps.export import export_scene
    from canvas.scene import Scene

    check_format(out)
    region, place = parse_box(bbox), parse_anchor(crs, origin)
    with Scene.open(scene) as opened, bar("Exporting") as advance:
        rect = export_scene(opened, out, region, place, advance)
        found = place or opened.anchor
    result = {"file": str(out), "width": rect.w, "height": rect.h}
    emit(result | ({"anchor": str(found)} if found else {}), as_json)


def import_file(
    scene: SceneFile,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="PNG, JPEG, WebP or GeoTIFF.")],
    resolution: Annotated[float | None, typer.Option(help="Metres per pixel of FILE; default: what it says.")] = None,
    at: Annotated[
        str | None, typer.Option(metavar="X,Y", help="Upper left corner in px; default: its own place, or free ground.")
    ] = None,
    bands: Annotated[str | None, typer.Option(metavar="R,G,B", help="Which bands, from 1; default: the usual.")] = None,
    value_range: Annotated[
        str | None, typer.Option("--range", metavar="LOW,HIGH", help="Values that become black and white.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Put an image onto a scene, resampled to its resolution, over what is there; undo takes it back."""
    from canvas.maps.import_image import import_image
    from canvas.scene import Scene

    place, chosen, values = parse_point(at), parse_bands(bands), parse_range(value_range)
    with Scene.open(scene) as opened, bar("Importing") as advance:
        made = import_image(opened, file, resolution, place, chosen, values, progress=advance)
        info = {"file": str(scene)} | opened.summary()
    for note in made.notes:
        say(note)
    emit(made.step.as_dict() | {"notes": made.notes} if as_json else info, as_json)


def anchor(
    scene: SceneFile,
    crs: Crs = None,
    origin: Origin = None,
    clear: Annotated[bool, typer.Option("--clear", help="The scene lies nowhere on Earth.")] = False,
    as_json: Json = False,
) -> None:
    """Show or set where a scene lies on Earth: exports and imports then know."""
    from canvas.scene import Scene

    place = parse_anchor(crs, origin)
    if clear and place is not None:
        raise AppError("Either name a place or clear it, not both.")
    with Scene.open(scene) as opened:
        if clear or place is not None:
            opened.set_anchor(place)
        found = opened.anchor
    emit({"file": str(scene), "anchor": found.as_dict() if found and as_json else str(found or "none")}, as_json)
