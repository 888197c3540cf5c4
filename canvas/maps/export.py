"""Export to map and image files, window by window: memory does not grow with the scene.

The suffix names the format; each has a file of its own (`cog`, `mbtiles`, `png`, `tiles`), and what all of them are
given is in `export_file`. This one chooses among them, and sees to it that a file appears complete or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from canvas.anchor import Anchor
from canvas.errors import SceneError, storage_error
from canvas.geometry import LIMIT, Rect
from canvas.maps.export_file import ExportFile, Report, chosen_layers
from canvas.scene import Scene
from canvas.scene_file.snapshot import Snapshot, box_around
from text2earth_core.whole_file import whole_file

MAX_EXPORT = 2**18  # px of a region to export: rows and lists of its parts are held in memory


def export_scene(
    scene: Scene,
    path: str | Path,
    rect: Rect | None = None,
    anchor: Anchor | None = None,
    progress: Report | None = None,
    layers: Sequence[str] | None = None,
) -> Rect:
    """Write a rectangle (px; default: everything known) of a scene to a file and return the rectangle.

    The suffix chooses: .png, .tif (Cloud Optimized GeoTIFF), .mbtiles (Web Mercator tiles, only where the scene is
    anchored), .zip (plain tile pyramid with a viewer). A GeoTIFF holds any number of `layers` (default: the first that
    has content), the others one. `anchor` says where the scene lies on Earth; without one, and
    without one in the scene, maps carry a local system in metres. Unknown pixels are transparent or masked out.
    `progress(done, total)` is called often and may raise to stop. The file appears complete or not at all, and shows
    one moment of the scene whatever is accepted meanwhile.
    """
    path = Path(path)
    return _export(scene, path, path.suffix, rect, anchor, progress, layers)


def export_png(scene: Scene, path: str | Path, rect: Rect | None = None, progress: Report | None = None) -> Rect:
    """`export_scene` to a PNG file, whatever its suffix."""
    return _export(scene, Path(path), ".png", rect, None, progress, None)


def _export(
    scene: Scene,
    path: Path,
    suffix: str,
    rect: Rect | None,
    anchor: Anchor | None,
    progress: Report | None,
    layers: Sequence[str] | None,
) -> Rect:
    write = _writer(path.name, suffix)
    with scene.snapshot() as at:
        chosen = chosen_layers(at, layers, suffix)
        rect = _region(at, rect, chosen)
        with _complete_or_not_at_all(path) as part:
            write(ExportFile(at, rect, chosen, anchor or at.anchor, part, progress or _unheard))
    return rect


def _writer(name: str, suffix: str) -> Callable[[ExportFile], None]:
    """The writer of a format; GDAL is imported only for those that need it."""
    match suffix.lower():
        case ".png":
            from canvas.maps import png as chosen
        case ".tif" | ".tiff":
            from canvas.maps import cog as chosen  # type: ignore[no-redef]
        case ".mbtiles":
            from canvas.maps import mbtiles as chosen  # type: ignore[no-redef]
        case ".zip":
            from canvas.maps import tiles as chosen  # type: ignore[no-redef]
        case _:
            raise SceneError(
                f"The format of {name} is not known: use a name that ends in .png, .tif, .mbtiles or .zip."
            )
    return chosen.write


def _region(at: Snapshot, rect: Rect | None, layers: tuple[str, ...]) -> Rect:
    if rect is None:
        found = box_around(box for layer, box in at.layer_bounds.items() if layer in layers)
        if found is None:
            raise SceneError("The scene is empty: generate something before exporting it.")
        return found
    rect = Rect(*rect)
    if rect.empty or max(map(abs, (rect.x, rect.y, rect.x1, rect.y1))) > LIMIT:
        raise SceneError("The region to export must be at least 1 px wide and high: choose another one.")
    if max(rect.w, rect.h) > MAX_EXPORT:
        raise SceneError(f"A region of {rect.w} x {rect.h} px is too large: export at most {MAX_EXPORT} px a side.")
    return rect


@contextmanager
def _complete_or_not_at_all(path: Path) -> Iterator[Path]:
    """Lend a temporary name beside `path`; what was written there gets its name at the end, on the disk for good."""
    try:
        with whole_file(path) as part:
            try:
                yield part
            finally:
                for left in path.parent.glob(f"{_literal(part.stem)}.?*"):
                    if left != part:
                        with suppress(OSError):
                            left.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(error, path) from error


def _literal(name: str) -> str:
    """A name as a pattern that matches only itself."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _unheard(done: int, total: int) -> None:
    pass
