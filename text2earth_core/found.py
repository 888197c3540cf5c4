"""Models that are on this machine already: shipped, in a folder of models, and in the hub's cache."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from text2earth_core.errors import Text2EarthError
from text2earth_core.folder import MODEL_PARTS, locate

SHIPPED = Path(__file__).parent.parent / "assets" / "models"

IN_PROGRAM, IN_FOLDER, IN_CACHE = "shipped", "data folder", "hub cache"


@dataclass(frozen=True)
class FoundModel:
    """A folder that looks like a model.

    name: by which people ask for it: the folder's, or its id on the hub. source: what `Text2Earth.from_pretrained`
    takes. where: `IN_PROGRAM`, `IN_FOLDER` or `IN_CACHE`. problem: why it cannot be loaded as it is,
    None where it can.
    """

    name: str
    source: str
    where: str
    folder: Path
    problem: str | None = None

    @property
    def partly(self) -> bool:
        """Whether the hub may have what it lacks: its download was stopped."""
        return self.problem is not None and self.where == IN_CACHE


def find_models(folder: Path | None = None, cache: Path | None = None) -> list[FoundModel]:
    """Those shipped, those in `folder`, one folder each, and those in the hub's cache, in this order, without network.

    Args:
        cache: the hub's; None takes the one that its client uses.
    """
    found = [_found(path, path.name, str(path), IN_PROGRAM) for path in _model_folders(SHIPPED)]
    if folder is not None:
        found += [_found(path, path.name, str(path), IN_FOLDER) for path in _model_folders(folder)]
    return found + [_found(path, name, name, IN_CACHE) for name, path in _cached(cache)]


def _found(folder: Path, name: str, source: str, where: str) -> FoundModel:
    try:
        locate(folder)
    except Text2EarthError as error:
        return FoundModel(name, source, where, folder, str(error))
    return FoundModel(name, source, where, folder)


def _model_folders(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    return sorted(path for path in parent.iterdir() if path.is_dir() and (path / "unet").is_dir())


def _cached(cache: Path | None) -> Iterator[tuple[str, Path]]:
    """(id on the hub, newest snapshot) of what looks like a model of this kind; one fetched in part is among them."""
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        repositories = scan_cache_dir(cache).repos
    except CacheNotFound:
        return
    for repository in sorted(repositories, key=lambda one: one.repo_id):
        revisions = sorted(repository.revisions, key=lambda one: one.last_modified)
        if repository.repo_type != "model" or not revisions:
            continue
        snapshot = revisions[-1].snapshot_path
        if all((snapshot / part).is_dir() for part in MODEL_PARTS[:2]):
            yield repository.repo_id, snapshot
