"""The models that this server can switch to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.errors import AppError, NotFound
from app.serving.model_names import ModelNames
from app.serving.paces import Paces
from text2earth_core.errors import Text2EarthError

if TYPE_CHECKING:
    from text2earth_core.found import FoundModel

MODELS = "models"
"""Folder of models in the data directory, one folder each."""


class ModelShelf:
    """Looks at `models/` of the data directory, which people fill, at what is shipped, and at the hub's cache."""

    def __init__(self, data_dir: Path, device: str | None, paces: Paces, names: ModelNames) -> None:
        self._folder, self._device, self._paces, self._names = data_dir / MODELS, device, paces, names

    def here(self) -> list[dict[str, Any]]:
        """The models that are here: name, where, whether and how each runs, what is known of its speed."""
        return [self._told(found) for found in self._find()]

    def source_of(self, name: str) -> str:
        """What loads the model of that name, and fetches what lacks of one that is here in part.

        NotFound where it is none of the list, AppError where it cannot run.
        """
        found = next((one for one in self._find() if one.name == name), None)
        if found is None:
            raise NotFound(f"There is no model {name[:200]} here: choose one of the list.")
        told = self._told(found)
        if not (told["runs"] or found.partly):
            raise AppError(f"The model {name} cannot be used: {told['why_not']}")
        return str(found.source)

    def _find(self) -> list[FoundModel]:
        from text2earth_core.found import find_models

        return find_models(self._folder)

    def _told(self, found: FoundModel) -> dict[str, Any]:
        from app.diagnosis import plan
        from text2earth_core.machine.fit import gigabytes

        known = next((key for key, name in self._names.as_dict().items() if name == found.name), None)
        told: dict[str, Any] = {
            "name": found.name, "where": found.where, "fingerprint": known, "runs": False, "why_not": found.problem,
            "partly": found.partly, "how": None, "memory": None,
            "seconds_per_step": self._paces.known(known) if known else {},
        }  # fmt: skip
        if found.problem is None:
            try:
                fit, _ = plan(found.folder, self._device)
                told |= {"runs": True, "how": fit.words(), "memory": gigabytes(fit.needed)}
            except Text2EarthError as error:
                told["why_not"] = str(error)
        return told
