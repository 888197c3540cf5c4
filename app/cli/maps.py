"""`text2earth scene export | import | anchor`: maps and images out of a scene and onto it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.output import Json, bar, emit, say
from app.cli.scene import SceneFile
from app.errors import AppError
from app.maps import check_format, parse_anchor, parse_bands, parse_box, parse_layers, parse_point, parse_range

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
    layers: Annotated[
        str | None, typer.Option(metavar="rgb,nir", help="Layers; default: the first that has content.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a scene, or a region of it, as a map or image, tagged as synthetic.

    Without --crs and --origin a map lies where the scene is anchored, else in a local system in metres. A .tif holds
    any number of layers; for the other formats there is a file for each, with the layer before its suffix.
    """
    from canvas.maps.export import export_scene
    from canvas.maps.export_file import MANY_LAYERS
    from canvas.scene import Scene

    check_format(out)
    region, place = parse_box(bbox), parse_anchor(crs, origin)
    chosen = parse_layers(layers)
    each = chosen is not None and len(chosen) > 1 and out.suffix.lower() not in MANY_LAYERS
    files = {out.with_stem(f"{out.stem}.{one}"): [one] for one in chosen or ()} if each else {out: chosen}
    made = []
    with Scene.open(scene) as opened, bar("Exporting") as advance:
        found = place or opened.anchor
        for file, held in files.items():
            rect = export_scene(opened, file, region, place, advance, held)
            result = {"file": str(file), "width": rect.w, "height": rect.h}
            made.append(result | ({"anchor": str(found)} if found else {}))
    emit(made if each else made[0], as_json)


def import_file(
    scene: SceneFile,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="PNG, JPEG, WebP or GeoTIFF.")],
    resolution: Annotated[float | None, typer.Option(help="Metres per pixel of FILE; default: what it says.")] = None,
    at: Annotated[
        str | None, typer.Option(metavar="X,Y", help="Upper left corner in px; default: its own place, or free ground.")
    ] = None,
    bands: Annotated[
        str | None,
        typer.Option(metavar="R,G,B[,NIR]", help="Which bands, from 1; one for a layer of one. Default: the usual."),
    ] = None,
    value_range: Annotated[
        str | None, typer.Option("--range", metavar="LOW,HIGH", help="Values that become black and white.")
    ] = None,
    layer: Annotated[
        str | None, typer.Option(help="rgb, pan, nir or sar; default: the layers FILE says it holds, else rgb.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Put an image onto a scene, resampled to its resolution, over what is there; undo takes it back."""
    from canvas.maps.import_image import import_image
    from canvas.scene import Scene

    place, chosen, values = parse_point(at), parse_bands(bands), parse_range(value_range)
    with Scene.open(scene) as opened, bar("Importing") as advance:
        made = import_image(opened, file, resolution, place, chosen, values, progress=advance, layer=layer)
        info = {"file": str(scene)} | opened.summary()
    for note in made.notes:
        say(note)
    entries = [entry.as_dict() | {"notes": made.notes} for entry in made.entries]
    emit((entries if len(entries) > 1 else entries[0]) if as_json else info, as_json)


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
