"""The command line `text2earth`: the same code paths as the page, for scripts.

Nothing heavy is imported until a command needs it, so that `--help` answers at once.  A mistake is one sentence on
stderr and exit status 1.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import (
    caption,
    chatearthnet,
    data,
    doctor,
    enhance,
    evaluate,
    fill,
    find,
    finetune,
    maps,
    scale,
    scene,
    study,
    train,
    translate,
    zero_shot,
)
from app.cli.adapters import Adapters, Modality, add_adapters
from app.cli.output import (
    DeviceOption,
    Guidance,
    Json,
    ModelOption,
    Sampler,
    Steps,
    bar,
    check_image_file,
    emit,
    say,
    write_whole,
)
from app.errors import AppError
from canvas.errors import SceneError
from text2earth_core.values import is_text

if TYPE_CHECKING:
    from PIL import Image

    from text2earth_core import Text2Earth

STOPS = ("SIGTERM", "SIGHUP")  # what a scheduler and a closed terminal send

app = typer.Typer(
    help="Text2Earth: images of the earth from text, and scenes that grow.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
maps.add_to(scene.app)
fill.add_to(scene.app)
caption.add_to(data.app)
data.app.add_typer(chatearthnet.app, name="chatearthnet")
scene.app.command("find")(find.find_places)
scene.app.command("translate")(translate.translate_scene)
app.add_typer(scene.app, name="scene")
app.add_typer(data.app, name="data")
train.app.command()(scale.scale)
app.add_typer(train.app, name="train")
app.command()(doctor.doctor)
app.add_typer(study.app, name="study")
app.command()(evaluate.evaluate)
app.command()(enhance.enhance)
app.command()(finetune.finetune)
app.command()(translate.translate)
app.command()(zero_shot.zero_shot)


@app.callback()
def _root() -> None:
    """Text2Earth: images of the earth from text, and scenes that grow."""


@app.command()
def generate(
    prompt: Annotated[str, typer.Option(help="What the image shows; empty for anything.")],
    out: Annotated[Path, typer.Option(help="Image file; with --count the number is put before its suffix.")],
    resolution: Annotated[float | None, typer.Option(help="Metres per pixel; default: the model's own.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same image; --count goes on from it.")] = 0,
    steps: Steps = None,
    guidance: Guidance = None,
    sampler: Sampler = None,
    modality: Modality = "rgb",
    adapter: Adapters = None,
    model: ModelOption = None,
    device: DeviceOption = None,
    count: Annotated[int, typer.Option(min=1, max=10_000, help="How many images.")] = 1,
    count_places: Annotated[
        bool,
        typer.Option("--count-places", help="As many objects as the prompt says: places laid out, one drawn at each."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Make images from a prompt."""
    from app.work import load_model, prompt_notes

    check_image_file(out)  # now, not after the work
    loaded = load_model(model, device)
    adapters = add_adapters(loaded, adapter or ())
    for note in prompt_notes(loaded, prompt, resolution):
        say(note)
    make = _counted(loaded, prompt) if count_places else partial(_made, loaded, prompt)
    files = [out] if count == 1 else [out.with_stem(f"{out.stem}-{number:04d}") for number in range(1, count + 1)]
    with bar("Generating", count) as advance:
        for number, file in enumerate(files):
            image = make(
                resolution=resolution, seed=seed + number, steps=steps, guidance=guidance,
                sampler=sampler or "quality", modality=modality, adapters=dict(adapters),
            )  # fmt: skip
            write_whole(image.save, file)
            advance(number + 1)
    seeds = range(seed, seed + count)
    emit([{"file": str(file), "seed": s, "prompt": prompt} for file, s in zip(files, seeds, strict=True)], as_json)


def _made(model: Text2Earth, prompt: str, **settings: Any) -> Image.Image:
    return model.generate(prompt, **settings)[0]


def _counted(model: Text2Earth, prompt: str) -> Callable[..., Image.Image]:
    """Draws a prompt with a number at so many places; Text2EarthError where it has none."""
    from text2earth_core.study.counting.places import draw_counted
    from text2earth_core.study.counting.words import read_count

    return partial(draw_counted, model, read_count(prompt))


def main() -> None:
    """Run the command line and exit."""
    foreign = next((argument for argument in sys.argv[1:] if not is_text(argument)), None)
    if foreign is not None:
        shown = os.fsencode(foreign).decode("utf-8", errors="backslashreplace")
        _fail(f"{shown} is no text in UTF-8: rename the file, or set the terminal to UTF-8 and type it again.")
    for name in STOPS:
        if hasattr(signal, name):  # Windows has not all of them
            signal.signal(getattr(signal, name), _stop)
    try:
        app()
    except (AppError, SceneError) as error:
        _fail(str(error))
    except KeyboardInterrupt:
        say("Stopped.")
        sys.exit(130)
    except ValueError as error:
        # Imported only now: the core brings torch.
        from text2earth_core.errors import Text2EarthError

        if not isinstance(error, Text2EarthError):
            raise
        _fail(str(error))


def _stop(number: int, frame: FrameType | None) -> None:
    """As Ctrl-C does: what is half done is cleared away, and what can go on later is kept."""
    typed = signal.getsignal(signal.SIGINT)  # an event loop puts its own there, which ends its tasks in order
    if not callable(typed):
        raise KeyboardInterrupt
    typed(signal.SIGINT, frame)


def _fail(sentence: str) -> None:
    say(sentence)
    sys.exit(1)
