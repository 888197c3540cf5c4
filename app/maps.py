"""What people write about maps, in commands and addresses: boxes, places, anchors, formats."""

from __future__ import annotations

from pathlib import Path

from app.errors import AppError
from canvas.anchor import Anchor
from canvas.geometry import LIMIT, Rect
from canvas.layers import checked_layer

# format: media type
FORMATS = {
    "png": "image/png",
    "tif": "image/tiff",
    "mbtiles": "application/vnd.sqlite3",
    "zip": "application/zip",
}


def parse_box(text: str | None) -> Rect | None:
    """The rectangle of `x0,y0,x1,y1` in pixels; None for None, AppError for anything else."""
    if text is None:
        return None
    numbers = _whole(text)
    if numbers and len(numbers) == 4:
        x0, y0, x1, y1 = numbers
        if x0 < x1 and y0 < y1 and max(map(abs, numbers)) <= LIMIT:
            return Rect.from_corners(x0, y0, x1, y1)
    raise AppError("The box must be four whole numbers x0,y0,x1,y1 in pixels with x0 < x1 and y0 < y1.")


def parse_point(text: str | None) -> tuple[int, int] | None:
    """The place `x,y` in pixels; None for None, AppError for anything else."""
    if text is None:
        return None
    numbers = _whole(text)
    if not numbers or len(numbers) != 2 or max(map(abs, numbers)) > LIMIT:
        raise AppError(f"The place {text!r} must be two whole numbers x,y in pixels of the scene.")
    return numbers[0], numbers[1]


def parse_bands(text: str | None) -> tuple[int, ...] | None:
    """The bands `3,2,1`, `3,2,1,4` or `1`, counted from 1; None for None, AppError for anything else."""
    if text is None:
        return None
    numbers = _whole(text)
    if not numbers or len(numbers) not in (1, 3, 4):
        raise AppError(f"The bands {text!r} must be one, three or four whole numbers, such as 3,2,1.")
    return tuple(numbers)


def parse_layers(text: str | None) -> list[str] | None:
    """The layers `rgb,nir`; None for None, SceneError where one is not possible."""
    return None if text is None else [checked_layer(name.strip()) for name in text.split(",")]


def parse_range(text: str | None) -> tuple[float, float] | None:
    """The values `low,high`; None for None, AppError for anything else."""
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise AppError(f"The range {text!r} must be two numbers low,high, such as 0,4095.") from None
    return low, high


def parse_anchor(crs: str | None, origin: str | None) -> Anchor | None:
    """The place on Earth of `EPSG:N` and `E,N`; None where neither is given.

    AppError where only one is, SceneError where no scene can lie there.
    """
    if crs is None and origin is None:
        return None
    if crs is None or origin is None:
        raise AppError("A place on Earth needs both: the system (EPSG:N) and the origin (E,N).")
    from canvas.maps.crs import check

    anchor = Anchor.parse(crs, origin)
    check(anchor)
    return anchor


def check_format(path: Path) -> None:
    """Say before the work what is wrong with the name of a file to be exported; AppError."""
    if path.suffix.lower().lstrip(".").replace("tiff", "tif") not in FORMATS:
        raise AppError(f"The format of {path.name} is not known; use a name that ends in .png, .tif, .mbtiles or .zip.")


def _whole(text: str) -> list[int] | None:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        return None
