"""How commands speak: results on stdout (lines, or JSON for scripts), progress and remarks on stderr."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from app.errors import AppError, NotFound
from text2earth_core.errors import Text2EarthError
from text2earth_core.whole_file import whole_file

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Follow = Annotated[
    float | None,
    typer.Option(
        metavar="0..1",
        help="0 continues the ground, 1 follows the prompt; default: decided by what the ground was made with.",
    ),
]
Sampler = Annotated[str | None, typer.Option(help="quality (default), or fast: a few steps with guidance built in.")]
NegativePrompt = Annotated[str, typer.Option(help="What shall not be there.")]
Seed = Annotated[int | None, typer.Option(help="The same seed gives the same pixels; default: by chance.")]
Steps = Annotated[int | None, typer.Option(help="Denoising steps; default: the model's own.")]
Guidance = Annotated[float | None, typer.Option(help="Guidance scale s = 1 + omega.")]
ModelOption = Annotated[str | None, typer.Option(help="Folder or hub id; default: the shipped model.")]
DeviceOption = Annotated[str | None, typer.Option(help="cpu, cuda, mps; default: the best there is.")]


def say(sentence: str) -> None:
    """A remark for the person, not part of the result."""
    print(sentence, file=sys.stderr)


def emit(result: dict[str, Any] | list[dict[str, Any]], as_json: bool) -> None:
    """Print a result: one JSON value, or `name: value` lines.

    The work is done by then, so nothing here may fail: what the terminal's code page lacks is written in its escapes,
    and a reader that went away is not waited for.
    """
    if as_json:
        text = json.dumps(result, ensure_ascii=False, indent=2)
        if not _shown(text):
            text = json.dumps(result, indent=2)
    else:
        items = result if isinstance(result, list) else [result]
        text = "\n\n".join("\n".join(f"{name}: {value}" for name, value in item.items()) for item in items)
        if not _shown(text):
            encoding = sys.stdout.encoding or "ascii"
            text = text.encode(encoding, errors="backslashreplace").decode(encoding)
    try:
        print(text, flush=True)
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            say(f"The result could not be printed ({error.strerror}), but what was asked for is done.")
        with contextlib.suppress(OSError, ValueError):  # Python would complain once more when it ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _shown(text: str) -> bool:
    """Whether the terminal's encoding has all characters of a text."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


@contextlib.contextmanager
def bar(title: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """A progress bar on stderr; yields `advance(done, total=None)`."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=total)

        def advance(done: int, total: int | None = None) -> None:
            progress.update(task, completed=done, total=total or progress.tasks[task].total)

        yield advance


def check_image_file(path: Path) -> None:
    """Say before the work what would be wrong with an image file to be written; AppError."""
    from PIL import Image

    if path.suffix.lower() not in Image.registered_extensions():
        raise AppError(f"The format of {path.name} is not known; use a name that ends in .png or .jpg.")
    if not path.absolute().parent.is_dir():
        raise NotFound(f"There is no folder {path.parent}; make it or choose another one.")


def write_whole(write: Callable[[Path], Any], path: Path) -> None:
    """Let `write` make a file that is there as a whole or not at all; AppError where it cannot be written."""
    try:
        with whole_file(path) as part:
            write(part)
    except Text2EarthError:
        raise  # what was to be written is at fault, not the file
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise AppError(f"{path} cannot be written ({reason}); choose another file name.") from error
