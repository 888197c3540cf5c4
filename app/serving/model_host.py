"""The one model of the server: loaded in a background thread after the server listens, then shared by everyone."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.errors import Conflict, NotReady
from app.serving.added_adapters import AddedAdapters
from app.serving.fetching import Fetching
from app.serving.model_names import ModelNames
from app.serving.paces import Paces
from app.work import SHIPPED_MODEL, load_model
from text2earth_core.errors import Cancelled, Text2EarthError
from text2earth_core.sampling.settings import FAST, QUALITY
from text2earth_core.translation.tasks import get_task

if TYPE_CHECKING:  # torch takes seconds to import: only the loading thread may pay for it
    from text2earth_core import Text2Earth
    from text2earth_core.adapters.library import AdapterInfo

log = logging.getLogger("text2earth")

STUDENT = "student"  # as in `text2earth_core.folder`, which takes seconds to import
LOADING = "The model is still loading; try again in a moment."


class ModelHost:
    """Owns the model and its state: `loading`, then `ready` or `failed`.

    `source` is a folder or hub id, None for the shipped model.  `on_change` is called (in the loading thread) when the
    state changes, `on_fetched` (`on_change` where it is None) while a model comes from the hub.  `paces` may know from
    earlier starts how long its steps take, `added` what adapters to load, `names` what models are called.
    """

    def __init__(
        self,
        source: str | Path | None,
        device: str | None,
        on_change: Callable[[], None],
        paces: Paces | None = None,
        added: AddedAdapters | None = None,
        names: ModelNames | None = None,
        on_fetched: Callable[[], None] | None = None,
    ) -> None:
        self._source = source
        self._name = name_of(source)
        self._switching: str | None = None
        self._refused: str | None = None
        self._lock = threading.Lock()
        self._names = names or ModelNames()
        self._device = device
        self._on_change = on_change
        self._fetching = Fetching(on_fetched or on_change)
        self._settled = threading.Event()
        self._model: Text2Earth | None = None
        self._error: str | None = None
        self._paces = paces or Paces()
        self._added = added

    def start(self) -> None:
        """Begin to load; returns at once."""
        threading.Thread(target=self._load, name="model", daemon=True).start()

    def _load(self) -> None:
        try:
            self._take(self._source, self._name)
        except Cancelled:
            self._error = stopped(self._name)
        except Text2EarthError as error:
            self._error = str(error)
        except Exception as error:
            log.exception("The model could not be loaded")
            self._error = f"The model could not be loaded ({type(error).__name__}: {error}); the terminal says more."
        self._settled.set()
        self._on_change()

    def _take(self, source: str | Path | None, name: str) -> None:
        try:
            model = load_model(source, self._device, self._fetching.told)
        finally:
            self._fetching.end()
        if self._added:
            self._added.load(model)
        self._paces.keep()
        self._model, self._source, self._name = model, source, name
        info = model.info
        self._paces.recall(f"{info.fingerprint} on {info.device} in {info.dtype}")
        self._names.remember(info.fingerprint, name)

    def switch(self, source: str | Path, name: str) -> None:
        """Begin to load another model; what is at work goes on with the present one, which stays where that fails.

        Conflict while a model is being loaded.
        """
        with self._lock:
            if self._switching is not None or not self._settled.is_set():
                raise Conflict("A model is being loaded already; wait until it is there.")
            self._switching, self._refused = name, None
        self._on_change()
        threading.Thread(target=self._switch, args=(source, name), name="model", daemon=True).start()

    def _switch(self, source: str | Path, name: str) -> None:
        try:
            self._take(source, name)
        except Cancelled:
            self._refused = stopped(name)
        except Text2EarthError as error:
            self._refused = str(error)
        except Exception as error:
            log.exception("The model %s could not be loaded", name)
            self._refused = f"{name} could not be loaded ({type(error).__name__}: {error}); the terminal says more."
        self._switching = None
        self._on_change()

    def stop_fetching(self) -> None:
        """Let the model that comes from the hub not come; Conflict where none does."""
        self._fetching.stop()

    @property
    def state(self) -> str:
        """`loading`, `ready` or `failed`."""
        if not self._settled.is_set():
            return "loading"
        return "failed" if self._model is None else "ready"

    def wait(self, seconds: float) -> bool:
        """Wait until the model is ready or has failed; False after `seconds` without an answer."""
        return self._settled.wait(seconds)

    @property
    def model(self) -> Text2Earth:
        """The loaded model.  NotReady with the reason where there is none (yet)."""
        if not self._settled.is_set():
            raise NotReady(LOADING)
        if self._model is None:
            raise NotReady(self._error or LOADING)
        return self._model

    @property
    def source(self) -> str | Path | None:
        """Folder or hub id of the model at work, None for the shipped one; before one is loaded, of the first."""
        return self._source

    def seconds_per_step(self, sampler: str | None) -> float | None:
        """Running mean over a sampler's last steps, in seconds; None before the first."""
        return self._paces.get(sampler or QUALITY)

    def record_pace(self, seconds: float, sampler: str | None) -> None:
        """Take one step's duration into the running mean."""
        self._paces.record(sampler or QUALITY, seconds)

    def keep_paces(self) -> None:
        """Let the next start know them."""
        self._paces.keep()

    def as_dict(self) -> dict[str, Any]:
        """The model as the page knows it."""
        model = self._model if self._settled.is_set() else None
        return {
            "state": self.state,
            "error": self._error if self.state == "failed" else None,
            "name": self._name,
            "switching": self._switching,
            "refused": self._refused,
            "fetching": self._fetching.as_dict(),
            "names": self._names.as_dict(),
            "info": model.info.as_dict() if model else None,
            "adapters": self.adapters,
            "translations": [_told_task(name) for name in model.translators.tasks] if model else [],
            "samplers": list(model.info.samplers) if model else self._foreseen_samplers(),
            "seconds_per_step": self._paces.as_dict(),
        }

    @property
    def adapters(self) -> list[dict[str, Any]]:
        """The adapters that the model knows, JSON-ready; none before it is loaded."""
        model = self._model if self._settled.is_set() else None
        return [self.told(info) for info in model.adapters] if model else []

    @staticmethod
    def told(info: AdapterInfo) -> dict[str, Any]:
        """An adapter as the page knows it: without its file."""
        return {name: value for name, value in info.as_dict().items() if name != "file"}

    def _foreseen_samplers(self) -> list[str]:
        """What the model's folder tells before it is loaded; one of the hub is not looked at: it has no student."""
        folder = SHIPPED_MODEL if self._source is None else Path(self._source)
        return [QUALITY, FAST] if (folder / STUDENT).is_dir() else [QUALITY]


def _told_task(name: str) -> dict[str, Any]:
    """A translation as the page knows it."""
    task = get_task(name)
    return {"name": name, "source": task.source, "target": task.target, "finer": task.finer, "title": task.title}


def name_of(source: str | Path | None) -> str:
    """By which people know a model: its folder's name, or its id on the hub."""
    if source is None:
        return SHIPPED_MODEL.name
    return Path(source).expanduser().resolve().name if Path(source).expanduser().is_dir() else str(source)


def stopped(name: str) -> str:
    """What is said of a model that somebody did not want to wait for."""
    return f"Fetching {name} was stopped; what has come is kept, and the next try goes on from there."
