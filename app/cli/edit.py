"""`text2earth scene edit` and `clouds`: change what lies under a mask, and propose one over clouds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from app.cli.adapters import Adapters, Layer, add_adapters
from app.cli.output import (
    DeviceOption,
    Follow,
    Guidance,
    Json,
    ModelOption,
    NegativePrompt,
    Sampler,
    Seed,
    Steps,
    bar,
    check_image_file,
    emit,
    say,
    write_whole,
)
from app.errors import AppError, NotFound
from canvas.errors import SceneError
from canvas.request import EDIT_FEATHER
from text2earth_core.sampling.settings import Sampling


def edit(
    scene: Annotated[Path, typer.Argument(metavar="SCENE", help="A scene file (.t2e).")],
    mask: Annotated[Path, typer.Option(help="PNG in scene pixels: white is made anew, grey changes by a degree.")],
    prompt: Annotated[str, typer.Option(help="What shall be there; empty for anything.")],
    at: Annotated[
        str | None, typer.Option(help="Place X,Y (px) of the mask's top left; default: the corner of the layer.")
    ] = None,
    negative_prompt: NegativePrompt = "",
    seed: Seed = None,
    strength: Annotated[float, typer.Option(help="How far it may go from what is there, up to 1 for anew.")] = 1.0,
    feather: Annotated[int, typer.Option(help="px around the mask into which new pixels fade.")] = EDIT_FEATHER,
    steps: Steps = None,
    guidance: Guidance = None,
    sampler: Sampler = None,
    follow: Follow = None,
    layer: Layer = "rgb",
    adapter: Adapters = None,
    model: ModelOption = None,
    device: DeviceOption = None,
    as_json: Json = False,
) -> None:
    """Change what lies under a mask; everything beyond mask and feather stays as it is, bit for bit."""
    from app import work
    from canvas.masks import placed, read_mask
    from canvas.scene import Scene

    seed = work.random_seed() if seed is None else seed
    sampling = Sampling(negative_prompt, seed, steps, guidance, sampler, follow, layer=layer)
    picture = read_mask(_bytes(mask))
    with Scene.open(scene) as opened:
        if not opened.writable:
            raise SceneError(f"{scene} is read-only; copy it to a place where you may write.")
        frame, cut = placed(picture, *(_place(at) if at is not None else _corner(opened.layer_bounds.get(layer))))
        loaded = work.load_model(model, device)
        sampling = replace(sampling, adapters=add_adapters(loaded, adapter or ()))
        for note in work.prompt_notes(loaded, prompt, opened.resolution):
            say(note)
        request = work.make_edit(opened, loaded, frame, cut, prompt, sampling, strength, feather)
        with bar("Editing") as advance:
            entry = work.extend(opened, loaded, request, lambda now: advance(now.step, now.total))
        emit(entry.as_dict() if as_json else {"file": str(scene)} | opened.summary(), as_json)


def clouds(
    scene: Annotated[Path, typer.Argument(metavar="SCENE", help="A scene file (.t2e).")],
    out: Annotated[Path, typer.Option(help="PNG to write: white over clouds and their shadows.")],
    as_json: Json = False,
) -> None:
    """Propose a mask over clouds and their shadows, to be looked at and given to `edit --mask`."""
    from PIL import Image

    from app import work
    from canvas.scene import Scene

    check_image_file(out)
    with Scene.open(scene) as opened:
        content = opened.layer_bounds.get("rgb")
        if content is None:
            raise SceneError(f"The layer rgb of {scene} is empty: there is nothing to look for clouds in.")
        mask, sure = work.find_clouds(opened, content)
    write_whole(Image.fromarray(mask).save, out)
    share = round(float((mask > 0).mean()), 4)
    emit({"file": str(out), "at": [content.x, content.y], "share": share, "sure": sure}, as_json)


def _bytes(mask: Path) -> bytes:
    try:
        return mask.read_bytes()
    except OSError as error:
        raise NotFound(f"The mask {mask} cannot be read ({error.strerror}); check its name.") from error


def _place(text: str) -> tuple[int, int]:
    try:
        x, y = (int(part) for part in text.split(","))
    except ValueError:
        raise AppError(f"--at takes two whole numbers X,Y in px, not {text!r}.") from None
    return x, y


def _corner(bounds: tuple[int, int, int, int] | None) -> tuple[int, int]:
    return (bounds[0], bounds[1]) if bounds else (0, 0)
